"""Group masked lines of the same message: a recursive partition of shapes of one length by their columns.

A group is split by its column with the fewest different words while those words look like constants: either there are
few of them, or the words in common would be too few for one message. A column is a variable when its words look like
values, or when it has many different words in otherwise equal text. Partitioning by the column with the fewest words
comes from IPLoM (Makanju, Zincir-Heywood and Milios, KDD 2009). Brain (Yu et al., IEEE TSC 2023) likewise tells
constants, which occur together, from variables, which branch.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.logs.masks import WILDCARD, Shape, settled

VARIABLE = "\0"
"""The piece of a shape in a column known to be variable; it occurs in no line."""

_VARIABLES = frozenset({VARIABLE, f" {VARIABLE}"})

_FEW_WORDS = 3
"""Up to this many different words in a column are alternative texts; more are values."""

_FEW_FIRST_WORDS = 20
"""The same limit for the first word of a message, which is seldom a value."""

_COMMON_SHARE = 0.5
"""The lines of one message share at least this part of their words; Drain's similarity (He et al., ICWS 2017)."""

_VALUE = re.compile(
    r"\s?(?:[\"'].*|.*\w[.@$\\]\w.*|.*<\*>.*|\0|(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)[A-Z][A-Z_]+)\Z"
)
"""Matches quoted or dotted names, addresses and names of states; a column of only such pieces is a variable."""

_NAMING_WORDS = frozenset({"user", "username", "host", "hostname", "node"})
"""The word after one of these is a name, and so a variable."""


@dataclass(frozen=True, slots=True)
class ShapeGroup:
    """The shapes of one message and the columns in which they vary."""

    shapes: Sequence[Shape]
    variable: frozenset[int]

    @property
    def pattern(self) -> Shape:
        """The shape that represents the group: VARIABLE in each varying column, with its preceding blank, if any."""
        pieces = self.shapes[0]
        return tuple(
            (" " if piece[0] == " " else "") + VARIABLE if column in self.variable else piece
            for column, piece in enumerate(pieces)
        )

    @property
    def text(self) -> str:
        """The template text for people: the pattern with wildcards."""
        return settled("".join(self.pattern).replace(VARIABLE, WILDCARD))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column in which the shapes of a group differ and which is not yet decided to be a variable.

    alternatives: the number of parts that a split would produce; all words that look like values go into one part.
    """

    index: int
    alternatives: int
    is_key: bool
    is_known_to_vary: bool


class _Values(dict[str, bool]):
    """A cache of whether a word looks like a value."""

    def __missing__(self, word: str) -> bool:
        found = self[word] = _VALUE.match(word) is not None
        return found


def grouped(shapes: Iterable[Shape]) -> list[ShapeGroup]:
    """Partition distinct shapes of one length into groups, in an order that does not depend on the input order."""
    is_value = _Values()
    groups: list[ShapeGroup] = []
    waiting: list[ShapeGroup] = [ShapeGroup(sorted(shapes), frozenset())]
    while waiting:
        group = waiting.pop()
        if len(group.shapes) == 1:
            groups.append(_finished(group.shapes))
            continue
        variable, open_columns, constant_words = _examined(group, is_value)
        if not open_columns:
            groups.append(_finished(group.shapes))
            continue
        column = min(open_columns, key=lambda one: (one.is_known_to_vary, one.alternatives, one.index))
        if _splits(column, constant_words, len(open_columns)):
            waiting.extend(_parts(group.shapes, column, variable, is_value))
        else:
            waiting.append(ShapeGroup(group.shapes, variable | {column.index}))
    return groups


def _finished(shapes: Sequence[Shape]) -> ShapeGroup:
    columns = enumerate(zip(*shapes, strict=True))
    return ShapeGroup(
        shapes, frozenset(i for i, words in columns if len(set(words)) > 1 or words[0].endswith(VARIABLE))
    )


def _examined(group: ShapeGroup, is_value: _Values) -> tuple[frozenset[int], list[_Column], int]:
    """Return the columns that look variable, the undecided columns, and the number of constant words."""
    variable, open_columns, constant_words = set(group.variable), list[_Column](), 0
    columns = [frozenset(words) for words in zip(*group.shapes, strict=True)]
    for index, words in enumerate(columns):
        if index in variable:
            continue
        if len(words) == 1:
            constant_words += next(iter(words)).strip().isalpha()
            continue
        plain = sum(not is_value[word] for word in words)
        is_key = index + 1 < len(columns) and columns[index + 1] <= {"=", " ="}
        if not is_key and (not plain or _follows_naming_word(columns, index)):
            variable.add(index)
        else:
            alternatives = plain + (plain < len(words))
            known_to_vary = plain < len(words) and not words.isdisjoint(_VARIABLES)
            open_columns.append(_Column(index, alternatives, is_key, known_to_vary))
    return frozenset(variable), open_columns, constant_words


def _follows_naming_word(columns: Sequence[frozenset[str]], index: int) -> bool:
    before = columns[index - 1] if index else frozenset()
    return len(before) == 1 and next(iter(before)).strip().lower() in _NAMING_WORDS


def _splits(column: _Column, constant_words: int, open_columns: int) -> bool:
    if column.is_known_to_vary:
        return False
    few = _FEW_WORDS if column.index else _FEW_FIRST_WORDS
    too_little_in_common = constant_words < _COMMON_SHARE * (constant_words + open_columns)
    return column.is_key or column.alternatives <= few or too_little_in_common


def _parts(shapes: Sequence[Shape], column: _Column, variable: frozenset[int], is_value: _Values) -> list[ShapeGroup]:
    parts: defaultdict[str, list[Shape]] = defaultdict(list)
    for one in shapes:
        word = one[column.index]
        parts[VARIABLE if is_value[word] and not column.is_key else word].append(one)
    return [ShapeGroup(part, variable) for part in parts.values()]
