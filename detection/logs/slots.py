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
from detection.logs.vocabulary import GIVING, LEVELS, MARKS, NAMING_WORDS, STATES, VERBS

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

_NEVER_VALUES = VERBS | LEVELS
_STATE_NAME = re.compile(r"\s?[A-Z][A-Z_]+\Z")
_LIKE_A_WORD, _LIKE_A_STATE, _DOTTED_NAME, _LIKE_A_VALUE = range(4)
_BEFORE_STATE_NAMES = frozenset({"from", "from to", ",", "|"})
"""`went from QUEUED to RUNNING`: a name of a state in capitals is a value only there. `went to DOWN` is a message."""

_IN_KEYS = re.compile(r"[._-]")
_NATIVE = re.compile(f"[{NATIVE}]")
_LONGEST_NATIVE_NAME, _ANY_LENGTH = 4, 1_000
_FORMS_OF_VERBS = re.compile(r"[A-Za-z][a-z]{2,}(?:ed|ing)\Z")


_NAMES_STAND_IN = (Slot.NAME, Slot.GIVEN, Slot.MARKED)


def place_of(columns: Sequence[frozenset[str]], index: int) -> tuple[Slot, str]:
    """Return the place of a column, and the word before it in lower case, if it is the same in all lines.

    That word is `from to` for the second of two states that a thing goes between.
    """
    before = _only(columns[index - 1]) if index else ""
    if index + 1 < len(columns) and columns[index + 1] <= _EQUALS:
        return Slot.KEY, before
    if before in NAMING_WORDS or (before == ":" and index > 1 and _names(_only(columns[index - 2]))):
        return Slot.NAME, before
    if before == "to" and index > 2 and _only(columns[index - 3]) == "from":
        return Slot.GIVEN, "from to"
    if before in GIVING:
        return Slot.GIVEN, before
    if before in MARKS or all(word.lstrip()[:1] in "\"'" for word in columns[index]):
        return Slot.MARKED, before
    return Slot.OTHER if index else Slot.FIRST, before


def _names(key: str) -> bool:
    """Whether the value of a key is a name: `user`, `user.name`, `host-name`."""
    return not NAMING_WORDS.isdisjoint(_IN_KEYS.split(key))


def with_names_open(shape: Shape) -> Shape:
    """Return a shape with a variable for each wildcard in the place of a name."""
    columns = [frozenset({piece}) for piece in shape]
    return tuple(
        piece.replace(WILDCARD, VARIABLE)
        if piece.strip() == WILDCARD and place_of(columns, index)[0] in {Slot.NAME, Slot.GIVEN}
        else piece
        for index, piece in enumerate(shape)
    )


def _only(words: frozenset[str]) -> str:
    return next(iter(words)).strip().lower() if len(words) == 1 else ""


def values_of(words: frozenset[str], slot: Slot, before: str) -> frozenset[str]:
    """Return the words that look like values by themselves, or after the word `before`."""
    if slot is Slot.KEY:
        return frozenset()
    least = _LIKE_A_VALUE if slot is Slot.FIRST else _DOTTED_NAME
    least = _LIKE_A_STATE if before in _BEFORE_STATE_NAMES else least
    return frozenset([word for word in words if _likeness(word) >= least])


@lru_cache(maxsize=100_000)
def _likeness(word: str) -> int:
    """Return how much a word looks like a value, wherever it stands."""
    if _VALUE.match(word):
        return _LIKE_A_VALUE
    if _DOTTED.match(word):
        return _DOTTED_NAME
    return _LIKE_A_STATE if _STATE_NAME.match(word) and word.strip().lower() not in _NEVER_VALUES else _LIKE_A_WORD


def are_states(words: frozenset[str], slot: Slot) -> bool:
    """Whether half of the words or more are verbs or names of states: messages' own, however many there are.

    So is a run of a script without spaces, which is a whole part of a sentence; where a name may stand, a long one.
    """
    longer_than = _LONGEST_NATIVE_NAME if slot in _NAMES_STAND_IN else 0
    return bool(words) and 2 * sum([_length_of_state(word) > longer_than for word in words]) >= len(words)


@lru_cache(maxsize=100_000)
def _length_of_state(word: str) -> int:
    """Return the length of a run of a script without spaces, and 0 for a word that is no state; else any length."""
    plain = word.strip().strip("\"'").lower()
    if _NATIVE.match(plain):
        return len(plain)
    return _ANY_LENGTH if plain in _NEVER_VALUES or plain in STATES or _FORMS_OF_VERBS.match(plain) else 0
