"""The level that a line of key=value pairs names: `level=warn msg="retry after error"`.

https://brandur.org/logfmt
"""

from __future__ import annotations

import re

from integrations.inbound.lines import levels

_SEARCHED = 2_000
_KEYS = frozenset(
    {
        "level",
        "lvl",
        "severity",
        "loglevel",
        "log_level",
        "log.level",
        "levelname",
        "level_name",
        "sev",
        "@level",
        "ll",
        "at",
    }
)
_HINTS = ("vel=", "vl=", "ity=", "ev=", "name=", "EVEL=", "LL=", "at=")
_PAIR = re.compile(r"""(?<![^\s,;{(\[|<])([\w.@-]{1,60})=("(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[^\s,;)}\]|>]*+)""")
_BEGINNING = 3
"""A level that is not among other pairs counts only near the beginning of the line, in characters."""

_WRITTEN = re.compile(
    r"""["':](?:level|lvl|severity|levelname|level_name|log\.level|loglevel|@l|@level)(?:["']?\s*(?::|=>)\s*"""
    r"""(?:["'](\w{1,20})["']|(\d{1,5})(?=[,}\s]))|\s:(\w{1,20})\b)""",
    re.I,
)
_WRITTEN_HINTS = ("evel", "lvl", "everity", "@l", "EVEL", "EVERITY")


def level_of(line: str) -> str | None:
    """Return the level of a line of pairs, as one of our severities, or None. A quoted value is not looked into."""
    beginning = line[:_SEARCHED]
    for hint in _HINTS:
        if hint in beginning:
            break
    else:
        return None
    level: str | None = None
    for place, found in enumerate(_PAIR.finditer(line, 0, _SEARCHED)):
        if level is None and found[1].lower() in _KEYS:
            level = _meaning(found[2].strip("\"'"))
            if level is not None and found.start() < _BEGINNING:
                return level
        if level is not None and place > 0:
            return level
    return None


def level_of_cut_json(text: str) -> str | None:
    """Return the level that a JSON object names which was cut short, or which another language wrote in its own way."""
    for hint in _WRITTEN_HINTS:
        if hint in text:
            break
    else:
        return None
    found = _WRITTEN.search(text, 0, _SEARCHED)
    return None if found is None else _meaning(found[1] or found[2] or found[3])


def _meaning(value: str) -> str | None:
    if value.isascii() and value.isdecimal() and len(value) <= 6:
        return levels.of_logger(int(value))
    return levels.known(value) if len(value) > 1 or value in "DIWEFdiwef" else None
