"""The interface of a watch, one per kind of signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from detection.coverage import Watched
from detection.recovery import Recovery
from detection.types import Finding, FunnelDefinition, Metric
from integrations.charts import Point
from storage.telemetry.protocol import WholeUntil
from workers.memory.broken_times import PastIncident
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Tick:
    """What a watch judges at a tick.

    now: until when its data is whole. past: the incidents whose times are left out of what is usual.
    """

    now: datetime
    funnels: Sequence[FunnelDefinition]
    past: Sequence[PastIncident]


def _no_states(services: Services, tick: Tick) -> list[Watched]:
    """Return no states, for a kind of signal that cannot lack data."""
    return []


@dataclass(frozen=True, slots=True)
class Watch:
    """One kind of signal.

    findings: what is broken at a tick. points(services, finding, since, until): the finding's metric over time, in
    seconds UTC; where there is no data, a gap and not a zero. recovery(services, finding, live_at, until): the metric
    tested again on the data from `live_at`, when a fix went live or, without a fix, when the finding was last seen, to
    `until`; no data counts as insufficient data. states: each watched thing of this kind, ok or with insufficient data
    for the detector (detection.coverage.watched); the caller marks the broken ones. records: the kind of record that
    it judges, once rolled up; None when it needs no roll-up.
    """

    metrics: frozenset[Metric]
    findings: Callable[[Services, Tick], list[Finding]]
    points: Callable[[Services, Finding, float, float], tuple[Point, ...]]
    recovery: Callable[[Services, Finding, float, float], Recovery]
    states: Callable[[Services, Tick], list[Watched]] = _no_states
    records: Literal["events", "spans", "points", "logs"] | None = None

    def whole(self, whole: WholeUntil, now: float) -> float:
        """Return until when this kind of signal can be judged, in seconds UTC."""
        return now if self.records is None else float(getattr(whole, self.records))
