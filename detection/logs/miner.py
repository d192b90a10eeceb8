"""Log templates: what a service says, with what varies in it taken out.

A miner reads each line once, and thinks about it as little as it can. Which digits a line holds never matters, only
where: a line equal to one seen before but for its digits costs one look in a table. The words of any other are masked
from memory, and only a masked line never seen before is cut in pieces and compared with those of its length. So the
cost of a line falls as the miner learns, and what a miner holds does not grow with the number of lines.

What it has learnt is a set of shapes with counts, from which the templates follow, whatever the order in which the
lines came. So miners that read different lines at the same time can be merged (`detection.logs.miner_state`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from detection.logs.grouping import VARIABLE, ShapeGroup, grouped
from detection.logs.masks import Shape, mask_token, shape

MAXIMUM_LINE_LENGTH = 4096
"""Characters of a line that are read; what comes after does not tell templates apart."""

_REMEMBERED_WORD_LENGTH = 64
_REMEMBERED_LENGTH = 1024

_ALIKE = bytes.maketrans(b"123456789\0", b"000000000?")
"""All digits become zeros; NUL, which stands for a variable in shapes, becomes a question mark."""


@dataclass(frozen=True, slots=True)
class MinerLimits:
    """What a miner holds at most.

    Words and lines are only remembered for speed. Past `shapes`, those unseen for longest are forgotten; a template
    with more than `shapes_a_template` is held as its one general shape from then on. Of ids given out earlier the last
    `replaced_ids` can be resolved.
    """

    words: int = 100_000
    lines: int = 20_000
    shapes: int = 5_000
    shapes_a_template: int = 50
    replaced_ids: int = 20_000


@dataclass(frozen=True, slots=True)
class Template:
    """A message of a service: its text with `<*>` for what varies, how many lines said it, and one of them."""

    template_id: str
    text: str
    line_count: int
    example: str


@dataclass(slots=True)
class ShapeRecord:
    """A shape that lines had, one of these lines, how many there were, in which batch last, and its template."""

    shape: Shape
    example: str
    line_count: int = 0
    last_batch: int = 0
    template_id: str = ""
    text: str = ""


class _WordMasks(dict[str, str]):
    """Masked words by word, filled as they are asked for and emptied when full."""

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
    """Finds the templates of one service's lines.

    Template ids are hashes of the template's text. When a template becomes more general its id changes: `replaced`
    holds what took the place of which, and `resolve` follows it. `changes` grows whenever the shapes do, or shrink.
    Not safe for use by several threads at once.
    """

    def __init__(self, limits: MinerLimits | None = None) -> None:
        self.limits = limits or MinerLimits()
        self.batch = 0
        self.changes = 0
        self.replaced: dict[str, str] = {}
        self._masks = _WordMasks(self.limits.words)
        self._shapes = dict[str, Shape]()
        self._by_line: dict[bytes, ShapeRecord] = {}
        self._by_shape: dict[Shape, ShapeRecord] = {}

    def learn(self, lines: Sequence[str]) -> list[str]:
        """Read a batch of lines and return the template id of each, by what is known after the whole batch."""
        self.batch += 1
        alike = [line[:MAXIMUM_LINE_LENGTH].encode(errors="replace").translate(_ALIKE) for line in lines]
        records, fresh = self._recorded(dict(zip(reversed(alike), reversed(lines), strict=True)))
        for text, count in Counter(alike).items():
            record = records[text]
            record.line_count += count
            record.last_batch = self.batch
        self._regroup(fresh)
        template_ids = {text: record.template_id for text, record in records.items()}
        self._forget()
        return [template_ids[text] for text in alike]

    def templates(self) -> list[Template]:
        """Return the templates known, the most frequent first."""
        members: defaultdict[str, list[ShapeRecord]] = defaultdict(list)
        for record in self._by_shape.values():
            members[record.template_id].append(record)
        found = [
            Template(key, group[0].text, sum(one.line_count for one in group), min(one.example for one in group))
            for key, group in members.items()
        ]
        return sorted(found, key=lambda one: (-one.line_count, one.text))

    def resolve(self, template_id: str) -> str:
        """Return the id of today's template that took the place of one given out earlier, or the id itself."""
        passed = {template_id}
        while (later := self.replaced.get(template_id, template_id)) not in passed:
            passed.add(later)
            template_id = later
        return template_id

    def records(self) -> list[ShapeRecord]:
        """Return all that has to be kept in order to go on from here, with `batch` and `replaced`."""
        return list(self._by_shape.values())

    def restore(self, records: Iterable[ShapeRecord]) -> None:
        """Add what a miner held, this one before or another. The records are this miner's from then on."""
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

    def _recorded(self, lines: Mapping[bytes, str]) -> tuple[dict[bytes, ShapeRecord], set[int]]:
        """Return the record of each line by its text with zeros for digits, and the lengths of shapes that are new."""
        records: dict[bytes, ShapeRecord] = {}
        fresh: set[int] = set()
        general = [record for record in self._by_shape.values() if _is_general(record.shape)]
        for text, line in lines.items():
            record = self._by_line.get(text)
            if record is None:
                pieces = self._shape(text)
                record = self._by_shape.get(pieces) or next(
                    (one for one in general if _covers(one.shape, pieces)), None
                )
                if record is None:
                    record = self._by_shape[pieces] = ShapeRecord(pieces, line[:MAXIMUM_LINE_LENGTH])
                    fresh.add(len(pieces))
                if len(text) <= _REMEMBERED_LENGTH:
                    self._by_line[text] = record
            records[text] = record
        return records, fresh

    def _shape(self, text: bytes) -> Shape:
        masked = " ".join(map(self._masks.__getitem__, text.decode(errors="replace").split()))
        pieces = self._shapes.get(masked)
        if pieces is None:
            pieces = shape(masked)
            if len(masked) <= _REMEMBERED_LENGTH:
                self._shapes[masked] = pieces
        return pieces

    def _regroup(self, lengths: set[int]) -> None:
        """Find the templates of the shapes of these lengths anew."""
        if not lengths:
            return
        self.changes += 1
        by_length: defaultdict[int, list[Shape]] = defaultdict(list)
        for one in self._by_shape:
            if len(one) in lengths:
                by_length[len(one)].append(one)
        moved: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for group in (group for length in sorted(by_length) for group in grouped(by_length[length])):
            text = group.text
            template_id = blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
            for one in group.shapes:
                record = self._by_shape[one]
                if record.template_id not in ("", template_id):
                    moved[record.template_id][template_id] += record.line_count
                record.template_id, record.text = template_id, text
            if len(group.shapes) > self.limits.shapes_a_template:
                self._generalise(group)
        self._note(moved)

    def _generalise(self, group: ShapeGroup) -> None:
        """Hold one general shape in the place of a template's many."""
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

    def _note(self, moved: Mapping[str, Counter[str]]) -> None:
        """Remember for each id that no template has any more the one that most of its lines went to."""
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
        """Past a limit, let go: of all that only saves time, and of the half of the shapes unseen for longest."""
        if len(self._by_line) > self.limits.lines:
            self._by_line.clear()
        if len(self._shapes) > self.limits.lines:
            self._shapes.clear()
        if len(self._by_shape) > self.limits.shapes:
            self.changes += 1
            by_age = sorted(self._by_shape.values(), key=lambda one: (-one.last_batch, -one.line_count, one.shape))
            self._by_shape = {one.shape: one for one in by_age[: self.limits.shapes // 2]}
            self._by_line.clear()


def _is_general(pieces: Shape) -> bool:
    return any(piece.endswith(VARIABLE) for piece in pieces)


def _covers(general: Shape, pieces: Shape) -> bool:
    """Whether a shape with known variables is that of a line; a variable may or may not follow a blank."""
    return len(general) == len(pieces) and all(
        mine == other or mine.endswith(VARIABLE) for mine, other in zip(general, pieces, strict=True)
    )
