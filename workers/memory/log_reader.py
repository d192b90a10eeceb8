"""The log reader of the store: finds the template of each log line, and the named patterns it matches."""

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
"""Limits of the caches, which only save time. They are smaller than for a single miner, as each service has its own."""

SERVICES_IN_MEMORY = 50
BATCHES_BETWEEN_SAVES = 100
"""How often the state is saved even if nothing new was learnt: it also records how long templates have been unseen."""

_INFO = severity_rank("info")


class TemplateLogReader:
    """A LogReader built on detection's template miner and pattern matcher.

    It caches the last saved state of each service's miner and loads that state from the store when the cache is stale.
    After a failed transaction the miner is ahead of the database. The versions then differ, so the next batch continues
    from the stored state. If the batch taught nothing new, nothing is lost.
    """

    def __init__(self) -> None:
        self._miners: OrderedDict[str, tuple[str | None, TemplateMiner]] = OrderedDict()
        self._matcher: tuple[tuple[StoredPattern, ...], PatternMatcher, PatternMatcher] | None = None

    def read(self, service: str, lines: Sequence[str], kept: KeptTemplates) -> LogReading:
        """Learn the templates of the lines, starting from the stored state."""
        miner, is_stored = self._miner(service, kept)
        changes = miner.changes
        template_ids = miner.learn(lines)
        learnt = None
        if miner.changes != changes or not is_stored or miner.batch % BATCHES_BETWEEN_SAVES == 0:
            learnt = _learnt(miner)
        self._remember(service, learnt.version if learnt else kept.version, miner)
        texts = {record.template_id: record.text for record in miner.records()}
        # The miner may have dropped a template of this batch at the end of the batch.
        missing = [place for place, name in enumerate(template_ids) if name not in texts]
        texts |= {template_ids[place]: lines[place] for place in missing}
        return LogReading(template_ids, texts, miner.resolve, learnt)

    def matches(
        self, lines: Sequence[str], ranks: Sequence[int], stored: Sequence[StoredPattern]
    ) -> Mapping[LinePattern, Sequence[int]]:
        """Return the places of the lines that match each pattern. Built-in patterns skip lines below severity info."""
        built_in, own = self._matchers(tuple(stored))
        found: defaultdict[LinePattern, list[int]] = defaultdict(list)
        for place, (line, rank) in enumerate(zip(lines, ranks, strict=True)):
            matched = built_in.matches(line) if rank >= _INFO else []
            for pattern in (*matched, *own.matches(line)) if own.patterns else matched:
                found[LinePattern(pattern.name, pattern.description or pattern.expression)].append(place)
        return found

    def forget(self, state: bytes, words: Sequence[str]) -> LearntTemplates | None:
        """Return a state in which these words are replaced by variables; None if no template contains them.

        A state that cannot be read may name them, and is emptied: the templates are then adopted from their texts.
        """
        try:
            miner = forgotten(from_bytes(state, LIMITS), words)
        except UnknownTemplateStateError:
            return LearntTemplates("unknown", b"")
        return None if miner is None else _learnt(miner)

    def _miner(self, service: str, kept: KeptTemplates) -> tuple[TemplateMiner, bool]:
        """Return the service's miner, and whether its state is the stored one."""
        version, miner = self._miners.get(service, (None, None))
        if miner is not None and version == kept.version is not None:
            return miner, True
        if kept.version is None:
            return TemplateMiner(LIMITS), False
        try:
            return from_bytes(kept.load(), LIMITS), True
        except UnknownTemplateStateError as error:
            log.warning("templates_begun_anew", service=service, reason=str(error))
            fresh = TemplateMiner(LIMITS)
            fresh.adopt(kept.texts())
            return fresh, False

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
    """Return the built-in patterns without a stored one of the same name, and the enabled, valid stored patterns."""
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
        Severity(pattern.severity)
    except (PatternError, ValueError) as error:
        log.warning("pattern_left_out", pattern=pattern.name, reason=str(error))
        return False
    return True


def _learnt(miner: TemplateMiner) -> LearntTemplates:
    """Serialise the miner's state without example lines: only templates are stored."""
    state = to_bytes(miner, examples=False)
    return LearntTemplates(blake2b(state, digest_size=16).hexdigest(), state)
