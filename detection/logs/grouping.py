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

from detection.logs.masks import MEASURED, WILDCARD, Shape, settled
from detection.logs.slots import VARIABLE, Rules, Slot, are_states, place_of, values_of

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
        return settled("".join(self.pattern).replace(VARIABLE, WILDCARD).replace(MEASURED, WILDCARD))


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


@dataclass(frozen=True, slots=True)
class _Part:
    """Shapes that are not told apart yet.

    columns: the different words of each; of a variable column, those of a whole that this is a part of. undecided: the
    columns with several words that are not known to be variables. constant_words: how many words all shapes share.
    """

    shapes: Sequence[Shape]
    columns: Sequence[frozenset[str]]
    undecided: Sequence[int]
    constant_words: int


def grouped(shapes: Mapping[Shape, int], rules: Rules) -> list[ShapeGroup]:
    """Partition distinct shapes of one length into groups, in an order that does not depend on the input order.

    shapes: the number of lines of each.
    """
    groups: list[ShapeGroup] = []
    all_of_them = sorted(shapes)
    empty = [frozenset[str]()] * len(all_of_them[0])
    waiting = [_part(all_of_them, _Part((), empty, range(len(empty)), 0), range(len(empty)))]
    while waiting:
        part = waiting.pop()
        if (sure := _two_plain_words(part, rules)) is not None:
            waiting.extend(_parts(part, sure, [index for index in part.undecided if index != sure.index]))
            continue
        open_columns = [one for index in part.undecided if (one := _examined(part, index)) is not None]
        if not open_columns:
            groups.append(_finished(part))
            continue
        column = min(
            open_columns, key=lambda one: (one.is_known_to_vary, bool(one.values), one.alternatives, one.index)
        )
        too_little = part.constant_words < rules.common_share * (part.constant_words + len(open_columns))
        if _splits(column, too_little, part.shapes, shapes, rules):
            waiting.extend(_parts(part, column, [one.index for one in open_columns if one is not column]))
        else:
            rest = [one.index for one in open_columns if one is not column]
            waiting.append(_Part(part.shapes, part.columns, rest, part.constant_words))
    return groups


def _finished(part: _Part) -> ShapeGroup:
    first = part.shapes[0]
    varies = [
        index
        for index, words in enumerate(part.columns)
        if first[index] in _VARIABLES
        or (len(words) > 1 and len(part.shapes) > 1 and any(one[index] != first[index] for one in part.shapes))
    ]
    return ShapeGroup(part.shapes, frozenset(varies))


def _two_plain_words(part: _Part, rules: Rules) -> _Column | None:
    """Return the first column with just two words that are no values: none goes before it, so no other is examined."""
    for index in part.undecided:
        if len(part.columns[index]) == 2:
            column = _examined(part, index)
            if column is not None and not column.values and rules.few.get(column.slot, 2) >= 2:
                return column
    return None


def _examined(part: _Part, index: int) -> _Column | None:
    """Return an undecided column; None if it looks variable."""
    words = part.columns[index]
    slot, before = place_of(part.columns, index)
    values = values_of(words, slot, before)
    plain = words - values
    states = are_states(plain, slot)
    if not plain or (slot is Slot.NAME and not states):
        return None
    known_to_vary = bool(values) and not words.isdisjoint(_VARIABLES)
    return _Column(index, slot, len(plain) + bool(values), values, known_to_vary, states)


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


def _parts(whole: _Part, column: _Column, others: Sequence[int]) -> list[_Part]:
    """Split shapes by the words of a column; what looks like a value is one word."""
    parts: defaultdict[str, list[Shape]] = defaultdict(list)
    for one in whole.shapes:
        word = one[column.index]
        parts[VARIABLE if word in column.values else word].append(one)
    return [_part(part, whole, sorted([*others, column.index])) for part in parts.values()]


def _part(shapes: Sequence[Shape], whole: _Part, undecided: Sequence[int]) -> _Part:
    """Return some shapes of a whole as a part of their own: what is constant in the whole is so in the part."""
    columns, constant_words = list(whole.columns), whole.constant_words
    still: list[int] = []
    for index in undecided:
        words = columns[index] = frozenset([one[index] for one in shapes])
        if len(words) > 1:
            still.append(index)
        else:
            constant_words += next(iter(words)).strip().isalpha()
    return _Part(shapes, columns, still, constant_words)
