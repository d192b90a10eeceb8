"""Give templates ids that last: an id given to a line as it arrives is the id of the group that it ends in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from detection.logs.grouping import ShapeGroup
from detection.logs.masks import MEASURED, WILDCARD, Shape, ending_of


@dataclass(slots=True)
class ShapeRecord:
    """A shape with an example line, its number of lines, the batch that last had it, and its template."""

    shape: Shape
    example: str
    line_count: int = 0
    last_batch: int = 0
    template_id: str = ""
    text: str = ""


def with_ids(groups: Sequence[ShapeGroup], records: Mapping[Shape, ShapeRecord]) -> list[tuple[ShapeGroup, str, str]]:
    """Return each group with its text and its id: the one that most of its lines have, so that ids last.

    Groups of one text are one template, also where only some have an ending such as ` in 3 ms`. Of the parts of a
    template that splits, the largest keeps the id. records: those of the groups' shapes, with the ids they had, and
    those of shapes of other lengths.
    """
    lengths = {len(group.shapes[0]) for group in groups}
    others = [record for one, record in records.items() if len(one) not in lengths]
    taken = {record.template_id for record in others}
    endings: defaultdict[str, set[str]] = defaultdict(set)
    for record in records.values():
        endings[record.template_id].add(_shown(ending_of(record.shape)))
    known = {
        key: (record.text, record.template_id)
        for record in others
        for key in (record.text, *map(record.text.removesuffix, endings[record.template_id]))
    }
    found: list[tuple[ShapeGroup, str, str]] = []
    for _, template_id, group in sorted(
        ((*_before(group, records), group) for group in groups), key=lambda one: (-one[0], one[1])
    ):
        text = group.text
        plain = text.removesuffix(_shown(ending_of(group.shapes[0])))
        template = known.get(text) or known.get(plain)
        if template is None:
            template = text, template_id if template_id and template_id not in taken else _new_id(text, taken)
            taken.add(template[1])
        known.setdefault(text, template)
        known.setdefault(plain, template)
        found.append((group, *template))
    return found


def _shown(ending: str) -> str:
    return ending.replace(MEASURED, WILDCARD)


def _before(group: ShapeGroup, records: Mapping[Shape, ShapeRecord]) -> tuple[int, str]:
    """Return the id that most lines of a group have, and how many; an empty id for new ones only."""
    lines: Counter[str] = Counter()
    for one in group.shapes:
        record = records[one]
        lines[record.template_id] += record.line_count if record.template_id else 0
    return max((count, template_id) for template_id, count in lines.items())


def _new_id(text: str, taken: Container[str]) -> str:
    """Return an id for a new template: a hash of its text, unless an older template has that id already."""
    number = 0
    while True:
        key = f"{text}\0{number}" if number else text
        template_id = blake2b(key.encode(errors="replace"), digest_size=8).hexdigest()
        if template_id not in taken:
            return template_id
        number += 1
