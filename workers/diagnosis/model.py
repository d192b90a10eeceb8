"""What the five steps hand to one another. Everything here is kept as JSON in the diagnosis's checkpoints.

Times are seconds since the epoch, UTC; metrics are in their own unit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from detection.types import Deploy, Metric, Where
from integrations.protocols import CodeHost
from storage.telemetry.protocol import TelemetryStore

UNKNOWN = "unknown"
INCIDENT = "incident"
"""The hypothesis_key of evidence that describes what happened and favours no cause."""


@dataclass(frozen=True, slots=True)
class DiagnosisSources:
    """Where a diagnosis reads and writes; `wait` sleeps between tries of a failing code host."""

    sessions: sessionmaker[Session]
    telemetry: TelemetryStore
    code_host: CodeHost
    clock: Callable[[], datetime]
    service_repositories: Mapping[str, str] = field(default_factory=dict)
    wait: Callable[[float], None] = time.sleep


class Role(StrEnum):
    """An origin says why it began, one of all origins holds; a mechanism says how it hurts, and holds or does not."""

    ORIGIN = "origin"
    MECHANISM = "mechanism"


class Outcome(StrEnum):
    """Whether a check could answer: "no data" and "could not ask" are two things."""

    DATA = "data"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class SegmentShare:
    """A segment that fared worse than the rest, and how much of the drop it carries (1 is all of it)."""

    dimension: str
    value: str
    share_of_drop: float


@dataclass(frozen=True, slots=True)
class Symptom:
    """One finding of the incident, as the diagnosis needs it.

    `step` is the funnel step that broke; entries within `horizon_seconds` of the end have not had time to convert.
    `words` is the finding's own sentence, for a metric of the team's and for another monitor's alert. `places` are what
    the detector found to carry the drop; `is_mix` says that it found other users than usual and no worse conversion.
    """

    metric: Metric
    name: str
    service: str | None
    endpoint: str | None
    funnel_id: int | None
    dimension: str | None
    value: str | None
    observed: float
    expected: float
    sample_size: int
    window_start: float
    window_end: float
    onset_at: float
    step: str | None = None
    horizon_seconds: float = 0.0
    segments: tuple[SegmentShare, ...] = ()
    words: str | None = None
    places: tuple[Where, ...] = ()
    is_mix: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """A version that served requests, and since when."""

    service: str
    version: str
    first_seen_at: float


@dataclass(frozen=True, slots=True)
class Characterisation:
    """What is broken, where, since when and how badly. The onset lies between its two ends."""

    incident_id: int
    asked_at: float
    onset_earliest: float
    onset_latest: float
    services: tuple[str, ...]
    symptoms: tuple[Symptom, ...]
    versions: tuple[Version, ...]

    def endpoint_symptoms(self) -> tuple[Symptom, ...]:
        """The symptoms of endpoints, the most raised first."""
        found = [symptom for symptom in self.symptoms if symptom.service and symptom.endpoint]
        return tuple(sorted(found, key=raised, reverse=True))

    def funnel_symptoms(self) -> tuple[Symptom, ...]:
        """The symptoms of funnels."""
        return tuple(symptom for symptom in self.symptoms if symptom.funnel_id is not None)


def raised(symptom: Symptom) -> float:
    """How many times the expected value was seen."""
    return symptom.observed / symptom.expected if symptom.expected > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A candidate cause. cause: deploy, n_plus_one, segment, mix or unknown; `deploy` is set for the first alone.

    where: the kind of users that a segment is, of one dimension (which is then `dimension` = `value`) or more.
    """

    key: str
    cause: str
    role: Role
    statement: str
    prior: float
    deploy: Deploy | None = None
    service: str | None = None
    endpoint: str | None = None
    funnel_id: int | None = None
    dimension: str | None = None
    value: str | None = None
    where: Where = ()

    def parameters(self) -> dict[str, Any]:
        """What the hypothesis's row keeps beside its own columns."""
        plain = {
            "role": str(self.role),
            "service": self.service,
            "endpoint": self.endpoint,
            "funnel_id": self.funnel_id,
            "dimension": self.dimension,
            "value": self.value,
            "where": [{"dimension": name, "value": value} for name, value in self.where] or None,
        }
        if self.deploy is not None:
            plain |= {name: getattr(self.deploy, name) for name in Deploy.__slots__}
        return {name: value for name, value in plain.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Candidates:
    """The second step's output."""

    hypotheses: tuple[Hypothesis, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one check found. `number` is 0 until it is stored; then it is cited as [E1]."""

    check: str
    hypothesis_key: str
    query: str
    source: str
    result: str
    data: dict[str, Any]
    outcome: Outcome
    weight: float
    number: int = 0


@dataclass(frozen=True, slots=True)
class CommitScore:
    """A commit of a deploy with its log weight against its fellows; `title` and `author` are untrusted texts."""

    sha: str
    title: str
    author: str
    url: str
    log_weight: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence, and for each deploy hypothesis whose commits could be read, their scores (oldest first)."""

    evidence: tuple[Evidence, ...]
    commits: dict[str, tuple[CommitScore, ...]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hypothesis after all evidence. status: confirmed, rejected or open."""

    key: str
    cause: str
    role: Role
    statement: str
    posterior: float
    status: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence adds up to; `commit_share` is how surely the named commit is the one within its deploy."""

    status: str
    ranked: tuple[Ranked, ...]
    origin_key: str | None
    suspect: CommitScore | None
    commit_share: float
    confidence: float
    root_cause: str | None
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What would undo it. action: "revert_pull_request", or None where there is nothing to offer; `reason` says why."""

    action: str | None
    reason: str
    service: str | None = None
    version: str | None = None
    repository: str | None = None
    commit_shas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagnosisOutcome:
    """The answer. status: concluded or inconclusive; every sentence of `explanation` cites its evidence."""

    diagnosis_id: int
    status: str
    root_cause: str | None
    suspect_commit: str | None
    confidence: float
    explanation: tuple[str, ...]
    hypotheses: tuple[Ranked, ...]
    fix: FixPlan
