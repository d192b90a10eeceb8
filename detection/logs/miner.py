"""Mine log templates: the messages of a service with their variable parts replaced by wildcards.

A miner reads each line once, at the lowest cost possible. It ignores which digits a line holds, so a line equal to an
earlier one except for its digits costs one table lookup. The words of any other line are masked from a cache. Only a
masked line never seen before is cut into pieces and compared with the others of its length. So the cost per line falls
as the miner learns, and its memory does not grow with the number of lines.

The state is a set of shapes with counts. The templates follow from it, whatever the order of the lines. So miners that
read different lines in parallel can be merged (`detection.logs.miner_state`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detection.logs.grouping import ShapeGroup, grouped
from detection.logs.masks import Shape, ending_of, mask_token, shape, without_ending
from detection.logs.slots import VARIABLE, Rules, with_names_open
from detection.logs.structured import said
from detection.logs.template_ids import ShapeRecord, with_ids

MAXIMUM_LINE_LENGTH = 4096
"""Only this many characters of a line are read; the rest is ignored."""

_REMEMBERED_WORD_LENGTH = 64
_REMEMBERED_LENGTH = 1024

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789\0", b"000000000?")
"""Turns all digits into zeros; and NUL, which marks a variable in shapes, into a question mark."""


@dataclass(frozen=True, slots=True)
class MinerLimits:
    """The limits on a miner's memory.

    words, lines: sizes of the caches. shapes: beyond it the shapes unseen for longest are forgotten.
    shapes_a_template: a template with more shapes is reduced to its one general shape. replaced_ids: how many replaced
    template ids can still be resolved.
    """

    words: int = 100_000
    lines: int = 20_000
    shapes: int = 5_000
    shapes_a_template: int = 50
    replaced_ids: int = 20_000


@dataclass(frozen=True, slots=True)
class Template:
    """A message of a service: its text with `<*>` for variable parts, its number of lines, and an example line."""

    template_id: str
    text: str
    line_count: int
    example: str


class _WordMasks(dict[str, str]):
    """A cache of masked words; it is cleared when full."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __missing__(self, word: str) -> str:
        masked = mask_token(word)
        if len(word) <= _REMEMBERED_WORD_LENGTH:
            if len(self) >= self._limit:
                self.clear()
            self[word] = masked
        return masked


class TemplateMiner:
    """Find the templates of one service's lines.

    A template id is a hash of the template's first text. A template keeps its id when it becomes more general. When two
    become one, `replaced` maps the id of the smaller to that of the larger, and `resolve` follows it. `changes`
    increases whenever shapes are added or removed. Not thread-safe.
    """

    def __init__(self, limits: MinerLimits | None = None, rules: Rules | None = None) -> None:
        self.limits = limits or MinerLimits()
        self.rules = rules or Rules()
        self.batch = 0
        self.changes = 0
        self.replaced: dict[str, str] = {}
        self._masks = _WordMasks(self.limits.words)
        self._shapes = dict[str, Shape]()
        self._by_line: dict[bytes, ShapeRecord] = {}
        self._by_shape: dict[Shape, ShapeRecord] = {}

    def learn(self, lines: Sequence[str]) -> list[str]:
        """Learn from a batch of lines; return the template id of each line after the whole batch."""
        self.batch += 1
        texts = [
            line.encode(errors="replace").translate(_DIGITS_TO_ZERO)
            if len(line) <= MAXIMUM_LINE_LENGTH
            else _known_by(said(line))
            for line in lines
        ]
        records, fresh = self._records_of(dict(zip(reversed(texts), reversed(lines), strict=True)))
        for text, count in Counter(texts).items():
            record = records[text]
            record.line_count += count
            record.last_batch = self.batch
        self._regroup(fresh)
        template_ids = {text: record.template_id for text, record in records.items()}
        self._forget()
        return [template_ids[text] for text in texts]

    def templates(self) -> list[Template]:
        """Return the known templates, the most frequent first."""
        members: defaultdict[str, list[ShapeRecord]] = defaultdict(list)
        for record in self._by_shape.values():
            members[record.template_id].append(record)
        found = [
            Template(key, group[0].text, sum(one.line_count for one in group), min(one.example for one in group))
            for key, group in members.items()
        ]
        return sorted(found, key=lambda one: (-one.line_count, one.text))

    def resolve(self, template_id: str) -> str:
        """Return the current id of a template given out earlier under `template_id`; unchanged if not replaced."""
        visited = {template_id}
        while (later := self.replaced.get(template_id, template_id)) not in visited:
            visited.add(later)
            template_id = later
        return template_id

    def records(self) -> list[ShapeRecord]:
        """Return the records that must be stored, with `batch` and `replaced`, to restore the miner."""
        return list(self._by_shape.values())

    def load(self, records: Iterable[ShapeRecord]) -> None:
        """Take over the records of a stored miner as they are, with their templates, into this empty one."""
        self._by_shape = {record.shape: record for record in records}

    def adopt(self, texts: Mapping[str, str]) -> None:
        """Know templates by their ids and texts only, where nothing else is left of the miner that found them.

        Where a name stands in a text, any word may stand. Elsewhere a text does not tell whether words were values.
        """
        self.restore(
            ShapeRecord(with_names_open(self._shape(text)), "", template_id=template_id)
            for template_id, text in sorted(texts.items())
        )

    def restore(self, records: Iterable[ShapeRecord]) -> None:
        """Add records of this or another miner and group them anew; this miner takes ownership of them."""
        lengths: set[int] = set()
        for record in records:
            lengths.add(len(record.shape))
            mine = self._by_shape.setdefault(record.shape, record)
            if mine is not record:
                mine.line_count += record.line_count
                mine.last_batch = max(mine.last_batch, record.last_batch)
                mine.example = min(mine.example, record.example)
                if record.template_id != mine.template_id:
                    self.replaced[record.template_id] = mine.template_id
        self._regroup(lengths)
        self._forget()

    def _records_of(self, lines: Mapping[bytes, str]) -> tuple[dict[bytes, ShapeRecord], set[int]]:
        """Return the record of each line, keyed by its text with zeros for digits, and the lengths of new shapes."""
        records: dict[bytes, ShapeRecord] = {}
        fresh: set[int] = set()
        general: list[ShapeRecord] | None = None
        for text, line in lines.items():
            record = self._by_line.get(text)
            if record is None:
                pieces = self._shape(line)
                record = self._by_shape.get(pieces)
                if record is None:
                    if general is None:
                        general = [one for one in self._by_shape.values() if _is_general(one.shape)]
                    record = next((one for one in general if _covers(one.shape, pieces)), None)
                if record is None:
                    record = self._by_shape[pieces] = ShapeRecord(pieces, line[:MAXIMUM_LINE_LENGTH])
                    fresh.add(len(pieces))
                if len(text) <= _REMEMBERED_LENGTH:
                    self._by_line[text] = record
            records[text] = record
        return records, fresh

    def _shape(self, line: str) -> Shape:
        text, ending = without_ending(_known_by(said(line)).decode(errors="replace"))
        words = text.split()
        masked = " ".join(map(self._masks.__getitem__, words))
        pieces = self._shapes.get(masked)
        if pieces is None:
            pieces = shape(masked)
            if len(masked) <= _REMEMBERED_LENGTH:
                self._shapes[masked] = pieces
        return (*pieces, ending) if ending else pieces

    def _regroup(self, lengths: set[int]) -> None:
        """Recompute the templates of all shapes of these lengths."""
        if not lengths:
            return
        self.changes += 1
        alike: defaultdict[tuple[int, str], dict[Shape, int]] = defaultdict(dict)
        for one, record in self._by_shape.items():
            if len(one) in lengths:
                alike[len(one), ending_of(one)][one] = record.line_count
        groups = [group for kind in sorted(alike) for group in grouped(alike[kind], self.rules)]
        moved: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for group, text, template_id in with_ids(groups, self._by_shape):
            for one in group.shapes:
                record = self._by_shape[one]
                if record.template_id not in ("", template_id):
                    moved[record.template_id][template_id] += record.line_count
                record.template_id, record.text = template_id, text
            if len(group.shapes) > self.limits.shapes_a_template:
                self._generalise(group)
        self._record_replacements(moved)

    def _generalise(self, group: ShapeGroup) -> None:
        """Replace the many shapes of a template by its one general shape."""
        members = [self._by_shape.pop(one) for one in group.shapes]
        first, pattern = members[0], group.pattern
        general = ShapeRecord(
            pattern,
            min(one.example for one in members),
            sum(one.line_count for one in members),
            max(one.last_batch for one in members),
            first.template_id,
            first.text,
        )
        self._by_shape[pattern] = general
        self._by_line.clear()

    def _record_replacements(self, moved: Mapping[str, Counter[str]]) -> None:
        """Map each id that no template has any more to the id that most of its lines moved to."""
        if not moved:
            return
        alive = {record.template_id for record in self._by_shape.values()}
        for old, counts in moved.items():
            if old not in alive:
                self.replaced.pop(old, None)
                self.replaced[old] = counts.most_common(1)[0][0]
        self.replaced = {old: new for old, new in self.replaced.items() if old not in alive}
        for old in list(self.replaced)[: -self.limits.replaced_ids or None]:
            del self.replaced[old]

    def _forget(self) -> None:
        """Enforce the limits: clear full caches, and drop the half of the shapes that was unseen for longest."""
        if len(self._by_line) > self.limits.lines:
            self._by_line.clear()
        if len(self._shapes) > self.limits.lines:
            self._shapes.clear()
        if len(self._by_shape) > self.limits.shapes:
            self.changes += 1
            by_age = sorted(self._by_shape.values(), key=lambda one: (-one.last_batch, -one.line_count, one.shape))
            self._by_shape = {one.shape: one for one in by_age[: self.limits.shapes // 2]}
            self._by_line.clear()


def _known_by(text: str) -> bytes:
    """Return what a line is remembered by: its beginning, with zeros for all digits."""
    return text[:MAXIMUM_LINE_LENGTH].encode(errors="replace").translate(_DIGITS_TO_ZERO)


def _is_general(pieces: Shape) -> bool:
    return VARIABLE in pieces or f" {VARIABLE}" in pieces


def _covers(general: Shape, pieces: Shape) -> bool:
    """Whether a general shape matches a line's shape; a variable matches a piece with or without a preceding blank."""
    return len(general) == len(pieces) and all(
        mine == other or mine.endswith(VARIABLE) for mine, other in zip(general, pieces, strict=True)
    )
