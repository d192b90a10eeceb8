"""Group masked lines of the same message: a recursive partition of shapes of one length by their columns.

A group is split by its column with the fewest different words while those words look like constants: either there are
few of them, or the words in common would be too few for one message. A column is a variable when its words look like
values, or when it has more different words than its place allows (`detection.logs.slots`). Partitioning by the column
with the fewest words comes from IPLoM (Makanju, Zincir-Heywood and Milios, KDD 2009). Brain (Yu et al., IEEE TSC 2023)
likewise tells constants, which occur together, from variables, which branch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detection.logs.masks import WILDCARD, Shape, settled
from detection.logs.slots import VARIABLE, Rules, Slot, is_state, is_value, slot_of, word_before

_VARIABLES = frozenset({VARIABLE, f" {VARIABLE}"})


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
    values: the words that look like values.
    """

    index: int
    slot: Slot
    alternatives: int
    values: frozenset[str]
    is_known_to_vary: bool
    are_states: bool


def grouped(shapes: Mapping[Shape, int], rules: Rules) -> list[ShapeGroup]:
    """Partition distinct shapes of one length into groups, in an order that does not depend on the input order.

    shapes: the number of lines of each.
    """
    groups: list[ShapeGroup] = []
    waiting: list[ShapeGroup] = [ShapeGroup(sorted(shapes), frozenset())]
    while waiting:
        group = waiting.pop()
        if len(group.shapes) == 1:
            groups.append(_finished(group.shapes))
            continue
        variable, open_columns, constant_words = _examined(group)
        if not open_columns:
            groups.append(_finished(group.shapes))
            continue
        column = min(
            open_columns, key=lambda one: (one.is_known_to_vary, bool(one.values), one.alternatives, one.index)
        )
        too_little = constant_words < rules.common_share * (constant_words + len(open_columns))
        if _splits(column, too_little, group.shapes, shapes, rules):
            waiting.extend(_parts(group.shapes, column, variable))
        else:
            waiting.append(ShapeGroup(group.shapes, variable | {column.index}))
    return groups


def _finished(shapes: Sequence[Shape]) -> ShapeGroup:
    columns = enumerate(zip(*shapes, strict=True))
    return ShapeGroup(
        shapes, frozenset(i for i, words in columns if len(set(words)) > 1 or words[0].endswith(VARIABLE))
    )


def _examined(group: ShapeGroup) -> tuple[frozenset[int], list[_Column], int]:
    """Return the columns that look variable, the undecided columns, and the number of constant words."""
    variable, open_columns, constant_words = set(group.variable), list[_Column](), 0
    columns = [frozenset(words) for words in zip(*group.shapes, strict=True)]
    for index, words in enumerate(columns):
        if index in variable:
            continue
        if len(words) == 1:
            constant_words += next(iter(words)).strip().isalpha()
            continue
        slot, before = slot_of(columns, index), word_before(columns, index)
        values = frozenset(word for word in words if is_value(word, slot, before))
        plain = words - values
        are_states = bool(plain) and 2 * sum(is_state(word, slot) for word in plain) >= len(plain)
        if not plain or (slot == Slot.NAME and not are_states):
            variable.add(index)
            continue
        known_to_vary = bool(values) and not words.isdisjoint(_VARIABLES)
        open_columns.append(_Column(index, slot, len(plain) + bool(values), values, known_to_vary, are_states))
    return frozenset(variable), open_columns, constant_words


def _splits(
    column: _Column, too_little_in_common: bool, shapes: Sequence[Shape], lines: Mapping[Shape, int], rules: Rules
) -> bool:
    """Whether the words of a column are different messages, and not the values of one."""
    if column.is_known_to_vary:
        return False
    if column.slot == Slot.KEY or too_little_in_common:
        return True
    if column.values and not column.are_states:
        of_values = sum(lines[one] for one in shapes if one[column.index] in column.values)
        if of_values >= rules.value_share[column.slot] * sum(lines[one] for one in shapes):
            return False
    return column.are_states or column.alternatives <= rules.few[column.slot]


def _parts(shapes: Sequence[Shape], column: _Column, variable: frozenset[int]) -> list[ShapeGroup]:
    parts: defaultdict[str, list[Shape]] = defaultdict(list)
    for one in shapes:
        word = one[column.index]
        parts[VARIABLE if word in column.values else word].append(one)
    return [ShapeGroup(part, variable) for part in parts.values()]
