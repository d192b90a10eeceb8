"""Which masked lines say the same thing: a recursive partition of equally long shapes by their columns.

A group is split by its column with the fewest different words as long as those words look like constants: there are
few of them, or what would remain in common is too little to be one message. A column whose words look like values, or
that has many different words in an otherwise equal text, is a variable. The idea of partitioning by the column with the
fewest words is IPLoM's (Makanju, Zincir-Heywood and Milios, KDD 2009); that a message's constants hold together while
its variables branch is also how Brain (Yu et al., IEEE TSC 2023) tells them apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.logs.masks import WILDCARD, Shape, settled

VARIABLE = "\0"
"""The piece of a shape at a column already known to vary; no line holds it."""

_VARIABLES = frozenset({VARIABLE, f" {VARIABLE}"})

_FEW_WORDS = 3
"""As many different words in a column are alternatives of the text; more are values."""

_FEW_FIRST_WORDS = 20
"""The first word of a message is seldom a value."""

_COMMON_SHARE = 0.5
"""One message has at least this share of its words in common; Drain's similarity (He et al., ICWS 2017)."""

_VALUE = re.compile(
    r"\s?(?:[\"'].*|.*\w[.@$\\]\w.*|.*<\*>.*|\0|(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)[A-Z][A-Z_]+)\Z"
)
"""Quoted or dotted names, addresses and names of states: two of them in a column are a variable, unlike two words."""

_NAMED_BY = frozenset({"user", "username", "host", "hostname", "node"})
"""What stands after these words is a name."""


@dataclass(frozen=True, slots=True)
class ShapeGroup:
    """Shapes of one message and the columns in which they vary."""

    shapes: Sequence[Shape]
    variable: frozenset[int]

    @property
    def pattern(self) -> Shape:
        """The one shape that stands for all: VARIABLE, after a blank where there was one, in the varying columns."""
        pieces = self.shapes[0]
        return tuple(
            (" " if piece[0] == " " else "") + VARIABLE if column in self.variable else piece
            for column, piece in enumerate(pieces)
        )

    @property
    def text(self) -> str:
        """What people read: the pattern with wildcards."""
        return settled("".join(self.pattern).replace(VARIABLE, WILDCARD))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column not yet known to vary, of shapes that differ in it.

    alternatives: how many parts a split would give; all values go into one.
    """

    index: int
    alternatives: int
    is_key: bool
    is_known_to_vary: bool


class _Values(dict[str, bool]):
    """Whether a word looks like a value, looked up once a word."""

    def __missing__(self, word: str) -> bool:
        found = self[word] = _VALUE.match(word) is not None
        return found


def grouped(shapes: Iterable[Shape]) -> list[ShapeGroup]:
    """Return the groups of different shapes of one length, in a deterministic order whatever that of the shapes."""
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
    """Return the columns that vary by the looks of their words, those to decide on, and how many words are constant."""
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
    return len(before) == 1 and next(iter(before)).strip().lower() in _NAMED_BY


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
