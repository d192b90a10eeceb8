"""What every kind of signal can do for the rest of Argux."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.coverage import Watched
from detection.recovery import Recovery
from detection.types import Finding, FunnelDefinition, Metric
from integrations.charts import Point
from workers.memory.broken_times import PastIncident
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Tick:
    """What all watches of one tick share. past: incidents of the baseline window, whose time is no baseline."""

    now: datetime
    funnels: Sequence[FunnelDefinition]
    past: Sequence[PastIncident]


def _none(services: Services, tick: Tick) -> list[Watched]:
    """A kind of signal that cannot lack data."""
    return []


@dataclass(frozen=True, slots=True)
class Watch:
    """One kind of signal.

    findings: what is broken at a tick. points(services, finding, since, until): the finding's metric over time, in
    seconds UTC; a stretch without data is a gap, never a zero. recovery(services, finding, live_at): the metric tested
    again on what came since `live_at`, the moment a fix went live or, without one, the finding was last seen; silence
    is insufficient data. states: every watched thing of this kind, ok or with too little data to judge
    (detection.coverage.watched tells from the detector's needs); what is broken is marked by whoever asks.
    """

    metrics: frozenset[Metric]
    findings: Callable[[Services, Tick], list[Finding]]
    points: Callable[[Services, Finding, float, float], tuple[Point, ...]]
    recovery: Callable[[Services, Finding, float], Recovery]
    states: Callable[[Services, Tick], list[Watched]] = _none
