"""Remove what a terminal would obey and not show: colours, cursor movements, titles and links.

The forms: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
"""

from __future__ import annotations

import re

_WRITTEN = ("#033[", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e[", "^[[")
"""Some senders write the escape character out in letters."""

_EIGHT_BITS = ("\x9b", "\x9d", "\x90")
_COLOURS_LEFT = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3}){0,5})?m(?!\])")
"""Colours whose escape character was lost on the way, told by the end of a colour: `[31mERROR[0m`."""

_WRITTEN_OUT = re.compile(r"(?:#033|\\u001[bB]|\\x1[bB]|\\033|\\e|\^\[)(?=\[[0-?]*[ -/]*[@-~])")
_SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    "|(?:\x1b[\\]P_^X]|[\x9d\x90])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"  # titles, links, private strings
    "|\x1b[ -/]+[0-~]"  # character sets
    "|\x1b[0-~]?"  # all others, and an escape that was cut short
    "|[\x9b\x9d\x90]"
)


def plain(text: str) -> str:
    """Return the text without escape sequences."""
    if (
        "\x1b" not in text
        and ("[" not in text or not any(map(text.__contains__, _WRITTEN)))
        and "[0m" not in text
        and "[39m" not in text
        and (text.isascii() or not any(begin in text for begin in _EIGHT_BITS))
    ):
        return text
    left = _SEQUENCES.sub("", _WRITTEN_OUT.sub("\x1b", text))
    return _COLOURS_LEFT.sub("", left) if "[0m" in left or "[39m" in left else left
