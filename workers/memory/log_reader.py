"""What the store asks of detection when it counts log lines: their templates, and the named patterns they match."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b

import structlog

from detection.logs.built_in_patterns import BUILT_IN
from detection.logs.miner import MinerLimits, TemplateMiner
from detection.logs.miner_state import UnknownTemplateStateError, forgotten, from_bytes, to_bytes
from detection.logs.patterns import NamedPattern, PatternError, PatternMatcher, check
from detection.types import Severity
from storage.telemetry.logs.reader_protocol import (
    KeptTemplates,
    LearntTemplates,
    LinePattern,
    LogReading,
    StoredPattern,
)
from storage.telemetry.rows.texts import severity_rank

log = structlog.get_logger()

LIMITS = MinerLimits(words=20_000, lines=5_000)
"""There is a miner for each service: what only saves time is kept smaller than for one."""

SERVICES_IN_MEMORY = 50
BATCHES_BETWEEN_SAVES = 100
"""Without anything new the state is kept so often: it also tells how long shapes have been unseen."""

_INFO = severity_rank("info")


class TemplateLogReader:
    """A LogReader of detection's miner and matcher. What it remembers is what was kept last, or is read anew.

    A batch whose transaction failed leaves the miner ahead of the database. Its state's version is then not the
    database's, so the next batch goes on from what is kept; and where nothing new was learnt there is nothing to lose.
    """

    def __init__(self) -> None:
        self._miners: OrderedDict[str, tuple[str | None, TemplateMiner]] = OrderedDict()
        self._matcher: tuple[tuple[StoredPattern, ...], PatternMatcher, PatternMatcher] | None = None

    def read(self, service: str, lines: Sequence[str], kept: KeptTemplates) -> LogReading:
        """Learn from lines, going on from what is kept."""
        miner = self._miner(service, kept)
        changes = miner.changes
        template_ids = miner.learn(lines)
        learnt = None
        if miner.changes != changes or kept.version is None or miner.batch % BATCHES_BETWEEN_SAVES == 0:
            learnt = _learnt(miner)
        self._remember(service, learnt.version if learnt else kept.version, miner)
        texts = {record.template_id: record.text for record in miner.records()}
        # A template of the batch may be among those forgotten at its end.
        missing = [place for place, name in enumerate(template_ids) if name not in texts]
        texts |= {template_ids[place]: lines[place] for place in missing}
        return LogReading(template_ids, texts, miner.resolve, learnt)

    def matches(
        self, lines: Sequence[str], ranks: Sequence[int], stored: Sequence[StoredPattern]
    ) -> Mapping[LinePattern, Sequence[int]]:
        """Which lines each pattern matches; the built-in ones pass over what is said for debugging."""
        built_in, own = self._matchers(tuple(stored))
        found: defaultdict[LinePattern, list[int]] = defaultdict(list)
        for place, (line, rank) in enumerate(zip(lines, ranks, strict=True)):
            matched = built_in.matches(line) if rank >= _INFO else []
            for pattern in (*matched, *own.matches(line)) if own.patterns else matched:
                found[LinePattern(pattern.name, pattern.description or pattern.expression)].append(place)
        return found

    def forget(self, state: bytes, words: Sequence[str]) -> LearntTemplates | None:
        """Return a state in which these words are variables, wherever they stood; None where they stand nowhere."""
        try:
            miner = forgotten(from_bytes(state, LIMITS), words)
        except UnknownTemplateStateError:
            return _learnt(TemplateMiner(LIMITS))
        return None if miner is None else _learnt(miner)

    def _miner(self, service: str, kept: KeptTemplates) -> TemplateMiner:
        version, miner = self._miners.get(service, (None, None))
        if miner is not None and version == kept.version is not None:
            return miner
        if kept.version is None:
            return TemplateMiner(LIMITS)
        try:
            return from_bytes(kept.load(), LIMITS)
        except UnknownTemplateStateError as error:
            log.warning("templates_begun_anew", service=service, reason=str(error))
            return TemplateMiner(LIMITS)

    def _remember(self, service: str, version: str | None, miner: TemplateMiner) -> None:
        self._miners[service] = (version, miner)
        self._miners.move_to_end(service)
        while len(self._miners) > SERVICES_IN_MEMORY:
            self._miners.popitem(last=False)

    def _matchers(self, stored: tuple[StoredPattern, ...]) -> tuple[PatternMatcher, PatternMatcher]:
        if self._matcher is None or self._matcher[0] != stored:
            built_in, own = in_force(stored)
            self._matcher = (stored, PatternMatcher(built_in), PatternMatcher(own))
        return self._matcher[1:]


def in_force(stored: Sequence[StoredPattern]) -> tuple[list[NamedPattern], list[NamedPattern]]:
    """The built-in patterns that no stored one takes the place of, and the stored ones that are enabled and valid."""
    taken = {pattern.name for pattern in stored}
    own = [
        NamedPattern(pattern.name, pattern.expression, Severity(pattern.severity), pattern.description)
        for pattern in stored
        if pattern.enabled and _is_valid(pattern)
    ]
    return [pattern for pattern in BUILT_IN if pattern.name not in taken], own


def _is_valid(pattern: StoredPattern) -> bool:
    try:
        check(pattern.expression)
    except PatternError as error:
        log.warning("pattern_left_out", pattern=pattern.name, reason=str(error))
        return False
    return True


def _learnt(miner: TemplateMiner) -> LearntTemplates:
    """Lines themselves are not kept: only what they have in common."""
    state = to_bytes(miner, examples=False)
    return LearntTemplates(blake2b(state, digest_size=16).hexdigest(), state)
