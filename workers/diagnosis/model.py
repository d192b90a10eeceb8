"""The data that the five steps pass on. The outputs of the steps are stored as JSON in the diagnosis's checkpoints.

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

from detection.calibration import Calibrated, Calibration
from detection.chain import Chain
from detection.types import Deploy, FlagChange, Metric, Where
from integrations.cards import NOTHING
from integrations.protocols import CodeHost
from integrations.text import Markup
from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis.source_states import Source

UNKNOWN = "unknown"
INCIDENT = "incident"
"""The hypothesis_key of evidence that describes what happened and supports no cause."""


@dataclass(frozen=True, slots=True)
class DiagnosisSources:
    """The stores and clients that a diagnosis uses; `wait` sleeps between retries of a failing code host.

    code_host: None if it is not set up; then `no_code_host` says what is missing, such as "GITHUB_TOKEN is not set".
    status_feeds: the providers whose status pages are read. ask_again: what to do once it is mended that the code host
    gave nothing.
    """

    sessions: sessionmaker[Session]
    telemetry: TelemetryStore
    code_host: CodeHost | None
    clock: Callable[[], datetime]
    no_code_host: str = ""
    service_repositories: Mapping[str, str] = field(default_factory=dict)
    status_feeds: tuple[str, ...] = ()
    wait: Callable[[float], None] = time.sleep
    ask_again: str = "When that is mended, press Diagnose again."


class Role(StrEnum):
    """What a hypothesis explains: an origin why the incident began, a mechanism how it does harm.

    Origins exclude one another; mechanisms are independent.
    """

    ORIGIN = "origin"
    MECHANISM = "mechanism"


class Outcome(StrEnum):
    """Whether a check could answer: it had data, it had none, or the source failed."""

    DATA = "data"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class SegmentShare:
    """A segment that converts worse than the rest, and its share of the drop (1 is all of it)."""

    dimension: str
    value: str
    share_of_drop: float


@dataclass(frozen=True, slots=True)
class Symptom:
    """One finding of the incident, as the diagnosis needs it.

    step: the funnel step that broke. horizon_seconds: entries within this time of the end have not had time to convert.
    words: the finding's own sentence, for a custom metric and for another monitor's alert. places: the kinds of users
    that carry the drop, as the detector found them. is_mix: the detector found a changed mix of users, and that no kind
    of user converts worse.
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
    """A version that served requests, and when it was first seen."""

    service: str
    version: str
    first_seen_at: float


@dataclass(frozen=True, slots=True)
class Characterisation:
    """What is broken, where, since when and how badly; the onset is between onset_earliest and onset_latest."""

    incident_id: int
    asked_at: float
    onset_earliest: float
    onset_latest: float
    services: tuple[str, ...]
    symptoms: tuple[Symptom, ...]
    versions: tuple[Version, ...]

    def endpoint_symptoms(self) -> tuple[Symptom, ...]:
        """Return the symptoms of endpoints, the highest ratio of observed to expected first."""
        found = [symptom for symptom in self.symptoms if symptom.service and symptom.endpoint]
        return tuple(sorted(found, key=ratio_to_expected, reverse=True))

    def funnel_symptoms(self) -> tuple[Symptom, ...]:
        """Return the symptoms of funnels."""
        return tuple(symptom for symptom in self.symptoms if symptom.funnel_id is not None)


def ratio_to_expected(symptom: Symptom) -> float:
    """Return observed / expected; infinity if the expected value is 0."""
    return symptom.observed / symptom.expected if symptom.expected > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A candidate cause. cause: its kind, such as deploy, flag, third_party or unknown; see causes/.

    deploy, flag: set only for one. commit_sha: set only for a commit whose deploy is not known,
    and for the one whose code a flag switched on.
    where: the users of a segment, by one dimension (then also in `dimension` and `value`) or several.
    """

    key: str
    cause: str
    role: Role
    statement: Markup
    prior: float
    deploy: Deploy | None = None
    service: str | None = None
    endpoint: str | None = None
    funnel_id: int | None = None
    dimension: str | None = None
    value: str | None = None
    where: Where = ()
    commit_sha: str | None = None
    flag: FlagChange | None = None

    def parameters(self) -> dict[str, Any]:
        """Return what the hypothesis's row stores in its `parameters` column."""
        plain = {
            "role": str(self.role),
            "service": self.service,
            "endpoint": self.endpoint,
            "funnel_id": self.funnel_id,
            "dimension": self.dimension,
            "value": self.value,
            "commit_sha": self.commit_sha,
            "where": [{"dimension": name, "value": value} for name, value in self.where] or None,
        }
        if self.deploy is not None:
            plain |= {name: getattr(self.deploy, name) for name in Deploy.__slots__}
        return {name: value for name, value in plain.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Candidates:
    """The output of step 2."""

    hypotheses: tuple[Hypothesis, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The result of one check. `number` is 0 until the evidence is stored; number 1 is cited as [E1]."""

    check: str
    hypothesis_key: str
    query: str
    source: str
    result: Markup
    data: dict[str, Any]
    outcome: Outcome
    weight: float
    number: int = 0


@dataclass(frozen=True, slots=True)
class CommitScore:
    """A commit with its log weight relative to the other commits of its deploy; `title` and `author` are untrusted."""

    sha: str
    title: str
    author: str
    url: str
    log_weight: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence, and the scores of commits (oldest first) by the key of the deploy hypothesis, if they were read.

    chain: who failed first, and how it spread. sources: what was asked, and whether it had something to say.
    changes_known: how many deploys, commits alone and flags were looked at.
    """

    evidence: tuple[Evidence, ...]
    commits: dict[str, tuple[CommitScore, ...]]
    chain: Chain | None = None
    sources: tuple[Source, ...] = ()
    changes_known: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hypothesis after all evidence. status: confirmed, rejected or open."""

    key: str
    cause: str
    role: Role
    statement: Markup
    posterior: float
    status: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of step 4; commit_share is the probability of the suspected commit among the commits of its deploy.

    no_change: no change that is known explains the incident. coverage: what was checked, was empty, could not be asked.
    remedy: the kind of remedy, such as "rollback"; None if the cause is not known. confidence is calibrated;
    raw_confidence: what the evidence alone gave; None in a diagnosis of an earlier version. none_confidence,
    raw_none_confidence: the same for "no commit did it", whatever did. calibration: what they were calibrated by, and
    `sure` what it gave for the cause. unseen: evidence against it that nobody could see, nats.
    """

    status: str
    ranked: tuple[Ranked, ...]
    origin_key: str | None
    suspect: CommitScore | None
    commit_share: float
    confidence: float
    root_cause: Markup | None
    explanation: tuple[Markup, ...]
    no_change: bool = False
    coverage: Markup = NOTHING
    remedy: str | None = None
    chain: Chain | None = None
    raw_confidence: float | None = None
    none_confidence: float = 0.0
    raw_none_confidence: float = 0.0
    sure: Calibrated | None = None
    unseen: float = 0.0
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True, slots=True)
class FixPlan:
    """The proposed fix. action: "revert_pull_request", or None if there is none; `reason` explains the choice.

    says_what_to_do: the reason tells people what to do, whether or not Argux offers to do it.
    """

    action: str | None
    reason: str
    service: str | None = None
    version: str | None = None
    repository: str | None = None
    commit_shas: tuple[str, ...] = ()
    says_what_to_do: bool = False

    @property
    def what_to_do(self) -> str | None:
        """The remedy in words, whether people or a button of Argux carry it out; None where there is none."""
        return self.reason if self.says_what_to_do or self.action is not None else None


@dataclass(frozen=True, slots=True)
class DiagnosisOutcome:
    """The result of a diagnosis. status: concluded or inconclusive; every sentence of `explanation` cites evidence."""

    diagnosis_id: int
    status: str
    root_cause: Markup | None
    suspect_commit: str | None
    confidence: float
    explanation: tuple[Markup, ...]
    hypotheses: tuple[Ranked, ...]
    fix: FixPlan
    verdict: Verdict
