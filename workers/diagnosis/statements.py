"""SQL statements: the normal form of a query, and how much of a query the lines of a commit contain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_STRING = re.compile(r"'(?:[^']|'')*'")
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|(?<![:\w]):[A-Za-z_]\w*|\$\d+|@\w+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE = re.compile(r"\b(?:from|join|update|into)\s+[\"'`\[]?([A-Za-z_][\w.]*)", re.IGNORECASE)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        select insert update delete from into values set where and or not in is null as on join left right inner outer
        full cross group order by having limit offset asc desc distinct count sum avg min max exists between like case
        when then else end union all returning for with using coalesce lower upper true false
        """,
    )
)
_LONGEST_GAP = 6
_LONGEST_STATEMENT_WORDS = 60
_LONGEST_STATEMENT = 10_000
_LONGEST_TEXT = 200_000
_MOST_STARTS = 500


def normal_form(statement: str) -> str:
    """Drop comments, write "?" for literals and placeholders and "(?)" for lists, and collapse white space."""
    text = _COMMENT.sub(" ", statement[:_LONGEST_STATEMENT])
    for pattern in (_STRING, _PLACEHOLDER, _NUMBER):
        text = pattern.sub("?", text)
    return " ".join(_LIST.sub("(?)", text).split()).rstrip("; ")


def likeness(statement: str, text: str) -> float:
    """Return which share of a statement's names occur in `text` in the same order, 0 to 1.

    Few other words may stand between them. So a statement that is split across source lines, concatenated, or filled in
    by an f-string still scores 1, and another query on another table scores low. Statements with fewer than two names
    (`SELECT 1`) are too common to identify a query and score 0.
    """
    wanted = [word.lower() for word in _WORD.findall(normal_form(statement))][:_LONGEST_STATEMENT_WORDS]
    names = sum(word not in _KEYWORDS for word in wanted)
    if names < 2:
        return 0.0
    words = [word.lower() for word in _WORD.findall(text[:_LONGEST_TEXT])]
    starts = (index for index, word in enumerate(words) if word == wanted[0])
    return max((_names_in_order(wanted, words, start) for start in islice(starts, _MOST_STARTS)), default=0) / names


def _names_in_order(wanted: Sequence[str], words: Sequence[str], start: int) -> int:
    """Count the wanted names that follow in order from `start`, with at most _LONGEST_GAP words between them."""
    position, found = start - 1, 0
    for word in wanted:
        reach = words[position + 1 : position + 2 + _LONGEST_GAP]
        if word in reach:
            position += 1 + reach.index(word)
            found += word not in _KEYWORDS
    return found


def tables(statement: str) -> frozenset[str]:
    """Return the tables that a statement names, without their schema, in lower case."""
    return frozenset(name.rpartition(".")[2].lower() for name in _TABLE.findall(normal_form(statement)))


def names_every_table(statement: str, text: str) -> bool:
    """Whether `text` names all tables of the statement; ORM class names count: `ProductStock` for `product_stocks`."""
    wanted = tables(statement)
    if not wanted:
        return False
    written = {_singular(part) for part in _parts(text[:_LONGEST_TEXT])}
    return all({_singular(part) for part in _parts(table)} <= written for table in wanted)


def _parts(text: str) -> set[str]:
    return {part.lower() for part in _PART.findall(text)}


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
