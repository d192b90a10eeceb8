"""The words of triage: what fires, what surrounds it, and what is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from detection.types import Floats, ServiceEdge, Severity


class Decision(StrEnum):
    """What is done with something that fires: tell people now, list it in the next digest, or only keep it."""

    WAKE = "wake"
    DIGEST = "digest"
    RECORD = "record"


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class LogPattern:
    """The log pattern that belongs to a firing.

    change: the share by which it is more frequent than usual, 5.2 for 520 % more. is_bad: it is an error, not a usual
    line. Each is None if it is not known. pattern_id: None if the logs are only known to be as always.
    """

    pattern_id: str | None = None
    text: str = ""
    change: float | None = None
    is_bad: bool | None = None
    first_seen: float | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing alert or finding. Times are seconds, UTC.

    value, threshold: in the metric's own unit. fired_last_hour: how often it fired in the hour before, this time
    included. earlier_seconds: how long those earlier times lasted, each of which ended by itself. healed_after_seconds:
    it ended by itself after this long; None if it has not. signature: the id of the log pattern that belongs to it, and
    its text; signature_change: the share by which the pattern is more frequent than usual, 5.2 for 520 % more.
    deploy_version: the sender's word that this deploy was near. times, values: samples of the same metric of the same
    service, before and after the firing. fingerprint: the same for each firing of one alert; people's words are kept by
    it.
    """

    firing_id: str
    service: str | None
    metric: str
    severity: Severity | None
    fired_at: float
    ended_at: float | None = None
    value: float | None = None
    threshold: float | None = None
    fired_last_hour: int = 1
    healed_after_seconds: float | None = None
    earlier_seconds: tuple[float, ...] = ()
    signature: str | None = None
    signature_text: str = ""
    signature_change: float | None = None
    signature_is_bad: bool | None = None
    signature_first_seen: float | None = None
    deploy_version: str | None = None
    times: Floats = field(default_factory=_none)
    values: Floats = field(default_factory=_none)
    fingerprint: str = ""

    def with_logs(self, pattern: LogPattern) -> Firing:
        """Return the firing with its log pattern."""
        return replace(
            self,
            signature=pattern.pattern_id,
            signature_text=pattern.text,
            signature_change=pattern.change,
            signature_is_bad=pattern.is_bad,
            signature_first_seen=pattern.first_seen,
        )

    def with_record(self, earlier_seconds: Sequence[float]) -> Firing:
        """Return the firing with how long its earlier firings of the last hour lasted."""
        return replace(self, fired_last_hour=len(earlier_seconds) + 1, earlier_seconds=tuple(earlier_seconds))


@dataclass(frozen=True, slots=True)
class RecentChange:
    """A deploy or a change of a flag or configuration value. service: None if not known.

    limits: limits that it names, by the name of the setting, such as {"memory_limit_pct": 90}.
    """

    service: str | None
    version: str
    changed_at: float
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is known already. metric: "*" for every metric of the service.

    status: the sender's own word, such as "investigating" or "resolved". severity: None if not known.
    """

    incident_id: str
    service: str | None
    metric: str | None
    signature: str | None
    summary: str
    owner: str | None
    status: str
    opened_at: float
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """Announced maintenance. services: whom it concerns; empty for everything. signatures: what it is known to log."""

    name: str
    since: float
    until: float
    services: frozenset[str]
    signatures: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownLimit:
    """A hard limit of a metric, which it cannot or must not pass. service: None for any."""

    service: str | None
    metric: str
    limit: float


@dataclass(frozen=True, slots=True)
class PastWords:
    """How often people called firings with one fingerprint a false alarm, or said that one should have woken them."""

    false_alarms: int = 0
    should_have_woken: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds the firings. past: people's words, by fingerprint."""

    changes: tuple[RecentChange, ...] = ()
    incidents: tuple[OpenIncident, ...] = ()
    windows: tuple[QuietWindow, ...] = ()
    edges: tuple[ServiceEdge, ...] = ()
    limits: tuple[KnownLimit, ...] = ()
    past: Mapping[str, PastWords] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weight:
    """One piece of evidence. log_odds: positive for waking. text: a part of a sentence, in plain words."""

    code: str
    log_odds: float
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is decided about one firing, and why.

    reason: one line. rule: the code of the evidence that decided. joins: the firing or incident that it belongs to.
    log_odds: the sum of `weights`; at 0 and above people are told.
    """

    firing_id: str
    decision: Decision
    rule: str
    reason: str
    joins: str | None
    log_odds: float
    weights: tuple[Weight, ...]
