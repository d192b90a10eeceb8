r"""Text of ours and text of theirs.

`Markup` is text of ours: the cards' small Markdown, in which everything that came from outside is escaped. A plain
`str` is text of theirs: names, titles, log lines, answers of other systems. The fields of a card want `Markup`, and an
f-string or `+` gives a `str`, so the type checker finds text of theirs that nobody escaped. These give `Markup`:

    ours("{name} created ticket {key}.", name=name, key=key)     a sentence; what is filled in is escaped
    theirs(name)                                                 one line, escaped
    code(statement), link(label, url)                            escaped within their marks
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_JOINER = "\u200d"
"""Makes one emoji of two; anywhere else it is hidden."""

_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that look like nothing."""

_MARKS = re.compile(r"[\\`*\[\]<]|^[#\-]")
_FIELD = re.compile(r"\{(\w+)\}")
_ADDRESS = re.compile(r"https?://[^\s<>\\]{1,990}")


class Markup(str):
    """Text in the cards' Markdown. Make it with the functions of this module; they escape text from outside."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Let pydantic read it from a JSON string."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def ours(template: str, /, **values: object) -> Markup:
    """Return the template with each {name} replaced by its value.

    template: a literal of our Markdown; a test refuses anything else. A value that is Markup is put in as it is; every
    other value is text of theirs and is escaped.
    """

    def filled(found: re.Match[str]) -> str:
        value = values[found[1]]
        return value if isinstance(value, Markup) else theirs(str(value))

    return Markup(_FIELD.sub(filled, template))


def theirs(value: str, limit: int | None = None) -> Markup:
    """Return text from outside as one line that no channel takes for markup, cut to `limit` characters as shown."""
    line = visible(value)
    if limit is not None and len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return Markup(_MARKS.sub(lambda found: "\\" + found[0], line))


def code(value: str, limit: int | None = None) -> Markup:
    """Return text from outside as a code span; with a backtick in it, which would end the span, as plain text."""
    line = visible(value)
    if not line or "`" in line:
        return theirs(value, limit)
    return Markup(f"`{line if limit is None or len(line) <= limit else line[: limit - 1] + '…'}`")


def link(label: str, url: str) -> Markup:
    """Return a link of ours; only the label if the address is no web address."""
    address = url.replace("(", "%28").replace(")", "%29")
    return Markup(f"[{theirs(label)}]({address})") if _ADDRESS.fullmatch(address) else theirs(label)


def lines(parts: Iterable[Markup]) -> Markup:
    """Join lines of ours."""
    return Markup("\n".join(parts))


def bullets(items: Iterable[str]) -> Markup:
    """Return a list with one line for each item; one that is not Markup is text of theirs."""
    return lines(ours("- {item}", item=item) for item in items)


def words(parts: Iterable[Markup]) -> Markup:
    """Join sentences of ours with a space."""
    return Markup(" ".join(parts))


def listed(parts: Iterable[Markup], between: str = ", ") -> Markup:
    """Join texts of ours with a comma."""
    return Markup(between.join(parts))


def without_full_stop(sentence: Markup) -> Markup:
    """Return a sentence of ours so that another one can go on with it."""
    return Markup(sentence.removesuffix("."))


def stored(value: str) -> Markup:
    """Return what Argux wrote as Markup and reads back from a row. Never for anything that others write."""
    return Markup(value)


def visible(value: str) -> str:
    r"""Return text from outside as one line: white space as single spaces, what cannot be seen spelled as \u202e."""
    return " ".join(_spelled(value).split())


def visible_lines(value: str) -> str:
    """Return text from outside with its lines and tabs kept, such as a diff, and what cannot be seen spelled."""
    return "\n".join(_spelled(line, kept="\t") for line in re.split(r"\r?\n", value))


def _spelled(value: str, kept: str = "") -> str:
    if value.isascii() and value.isprintable():
        return value
    return "".join(
        letter if letter in kept or not _is_hidden(value, index) else _spelling(letter)
        for index, letter in enumerate(value)
    )


def _is_hidden(value: str, index: int) -> bool:
    letter = value[index]
    if letter == _JOINER:
        before = value[:index].rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
        return not all(
            other and unicodedata.category(other) == "So" for other in (before, value[index + 1 : index + 2])
        )
    return letter != " " and (_is_control(letter) or letter in _BLANK_LETTERS)


def _is_control(letter: str) -> bool:
    """Whether the character is a control, format, private or unassigned one. Spaces and line ends are none."""
    return unicodedata.category(letter)[0] == "C" and letter not in "\t\n\v\f\r\x85"


def _spelling(letter: str) -> str:
    point = ord(letter)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
