"""Tell from a word, and from the place it has in a line, whether it is a message's own word or a value.

In the labels that people give, words are values only where something says so: they follow `user`, a preposition or a
key, or they look like no word at all. Verbs and states are words of the message, however many of them there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from detection.logs.masks import NATIVE, WILDCARD, Shape
from detection.logs.vocabulary import GIVING, MARKS, NAMING_WORDS, STATES, VERBS

_EQUALS = frozenset({"=", " ="})

VARIABLE = "\0"
"""The piece of a shape in a column known to be variable; it occurs in no line."""


class Slot(StrEnum):
    """The place of a word in a line."""

    FIRST = "first"
    """The first word of a message, which is seldom a value."""

    KEY = "key"
    """Before an equals sign."""

    NAME = "name"
    """After a word that announces a name, such as `user`."""

    GIVEN = "given"
    """After a preposition, or a word for a sort of things, such as `queue`: often a value."""

    MARKED = "marked"
    """After a colon or an opening bracket, or in quotes: the name of a thing or of its state."""

    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a column may hold and still be a message's own words.

    few: up to this many different words are alternative texts; more are values. value_share: where at least this share
    of the lines has what looks like a value, the other words are values too. common_share: the lines of one message
    share at least this part of their words; Drain's similarity (He et al., ICWS 2017).
    """

    few: Mapping[Slot, int] = field(
        default_factory=lambda: {Slot.FIRST: 20, Slot.NAME: 3, Slot.GIVEN: 3, Slot.MARKED: 6, Slot.OTHER: 10}
    )
    value_share: Mapping[Slot, float] = field(
        default_factory=lambda: {Slot.FIRST: 0.5, Slot.NAME: 0.3, Slot.GIVEN: 0.3, Slot.MARKED: 0.3, Slot.OTHER: 0.5}
    )
    common_share: float = 0.5


_VALUE = re.compile(r"\s?(?:.*<\*>.*|\0)\Z")
_DOTTED = re.compile(r"(?!.*(?:Exception|Error|Failure|Timeout|Warning)\Z)\s?.*\w[.@$\\]\w.*\Z")
"""Matches dotted names and addresses, but no class of an error. As the first word they are what speaks."""

_STATE_NAME = re.compile(r"\s?[A-Z][A-Z_]+\Z")
_BEFORE_STATE_NAMES = frozenset({"from", "from to", ",", "(", "[", "|"})
"""`went from QUEUED to RUNNING`: a name of a state in capitals is a value only there. `went to DOWN` is a message."""

_NATIVE = re.compile(f"[{NATIVE}]")
_LONGEST_NATIVE_NAME = 4
_FORMS_OFVERBS = re.compile(r"[A-Za-z][a-z]{2,}(?:ed|ing)\Z")


_NAMES_STAND_IN = frozenset({Slot.NAME, Slot.GIVEN, Slot.MARKED})


def slot_of(columns: Sequence[frozenset[str]], index: int) -> Slot:
    """Return the place of a column, from the words of its neighbours."""
    if index + 1 < len(columns) and columns[index + 1] <= _EQUALS:
        return Slot.KEY
    before = word_before(columns, index)
    if before == ":" and word_before(columns, index - 1) in NAMING_WORDS:
        return Slot.NAME
    if before in NAMING_WORDS:
        return Slot.NAME
    if before in GIVING or before == "from to":
        return Slot.GIVEN
    if before in MARKS or all(word.lstrip()[:1] in "\"'" for word in columns[index]):
        return Slot.MARKED
    return Slot.OTHER if index else Slot.FIRST


def with_names_open(shape: Shape) -> Shape:
    """Return a shape with a variable for each wildcard in the place of a name."""
    columns = [frozenset({piece}) for piece in shape]
    return tuple(
        piece.replace(WILDCARD, VARIABLE)
        if piece.strip() == WILDCARD and slot_of(columns, index) in {Slot.NAME, Slot.GIVEN}
        else piece
        for index, piece in enumerate(shape)
    )


def word_before(columns: Sequence[frozenset[str]], index: int) -> str:
    """Return the word before a column in lower case, if it is the same in all lines; `from to` after the second."""
    before = _only(columns[index - 1]) if index else ""
    return "from to" if before == "to" and index > 2 and _only(columns[index - 3]) == "from" else before


def _only(words: frozenset[str]) -> str:
    return next(iter(words)).strip().lower() if len(words) == 1 else ""


@lru_cache(maxsize=100_000)
def is_value(word: str, slot: Slot, before: str) -> bool:
    """Whether a word looks like a value by itself, or after the word `before`."""
    if slot == Slot.KEY:
        return False
    if _VALUE.match(word) or (slot != Slot.FIRST and _DOTTED.match(word)):
        return True
    return before in _BEFORE_STATE_NAMES and _STATE_NAME.match(word) is not None and word.strip().lower() not in VERBS


@lru_cache(maxsize=100_000)
def is_state(word: str, slot: Slot) -> bool:
    """Whether a word is a verb or the name of a state: a message's own, however many of them there are.

    So is a run of a script without spaces, which is a whole part of a sentence; where a name may stand, a long one.
    """
    plain = word.strip().strip("\"'").lower()
    if _NATIVE.match(plain):
        return slot not in _NAMES_STAND_IN or len(plain) > _LONGEST_NATIVE_NAME
    return plain in VERBS or plain in STATES or _FORMS_OFVERBS.match(plain) is not None
