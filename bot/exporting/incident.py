"""Gather everything that belongs to one incident: what a diagnosis of it reads, with the same bounds of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from detection.types import Commit, Finding, IncidentStatus, LogRecord, Severity, Span
from storage import incidents
from storage.models import Incident
from workers.diagnosis.causes.candidates import same_sha
from workers.diagnosis.checks.commits import read_commits
from workers.diagnosis.job import sources_of
from workers.diagnosis.model import DiagnosisSources
from workers.diagnosis.scene.model import Scene
from workers.diagnosis.scene.reading import read_scene
from workers.diagnosis.scene.surroundings import EVENTS_SECONDS
from workers.diagnosis.source_states import SourceState
from workers.diagnosis.steps.characterise import characterise
from workers.services import Services
from workers.words.findings import severity_of

LONGEST = timedelta(hours=6)
"""How much of an incident is exported at most, from its onset on: what comes later tells nothing about the cause."""

LOGS_BEFORE_SECONDS = 1800.0
LOG_SLICES = 16
ERRORS_A_SLICE = 120
LINES_A_SLICE = 60
"""The lines are a sample of LOG_SLICES equal parts of the time, so that neither its begin nor its end is missing."""

DEPLOYS_ASKED = 20
"""Of how many deploys, the latest first, the code host is asked for the commits."""

_OTHERS_LISTED = 200


@dataclass(frozen=True, slots=True)
class Noticed:
    """The finding that tells the incident best: the worst of it. noticed_at: seconds UTC."""

    finding: Finding
    noticed_at: float


@dataclass(frozen=True, slots=True)
class OtherIncident:
    """Another incident that was open at the time. opened_at: seconds UTC."""

    incident_id: int
    title: str
    service: str | None
    metric: str
    status: IncidentStatus
    severity: Severity
    owner: str | None
    opened_at: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of one incident, as plain data. missing: what could not be read, in words."""

    incident_id: int
    title: str
    service: str | None
    severity: Severity
    onset_at: float
    findings: tuple[Noticed, ...]
    scene: Scene
    logs: tuple[LogRecord, ...]
    traces: tuple[tuple[Span, ...], ...]
    commits: tuple[Commit, ...]
    others: tuple[OtherIncident, ...]
    missing: tuple[str, ...] = ()


def gather(services: Services, incident_id: int) -> Gathered:
    """Read an incident and what surrounds it. Raises NotFoundError if there is no such incident."""
    now = services.clock()
    with services.readers() as session:
        incident = incidents.shown_incident(session, incident_id)
        noticed = _noticed(incident)
        onset_at, title, service, severity = incident.onset_at, incident.title, incident.service, incident.severity
        until = min(incident.closed_at or now, now, onset_at + LONGEST)
        others = tuple(
            _other(other)
            for other in incidents.list_incidents(session, limit=_OTHERS_LISTED)
            if other.id != incident_id and _was_open(other, onset_at, until)
        )
    sources = sources_of(services)
    described = characterise(
        incident_id,
        [item.finding for item in noticed],
        service=service,
        onset_at=onset_at.timestamp(),
        now=until.timestamp(),
        telemetry=services.telemetry,
    )
    scene = read_scene(described, sources)
    commits, unread = _commits(scene, sources)
    return Gathered(
        incident_id=incident_id,
        title=title,
        service=service,
        severity=Severity(severity),
        onset_at=onset_at.timestamp(),
        findings=noticed,
        scene=scene,
        logs=_log_sample(services, described.onset_earliest - LOGS_BEFORE_SECONDS, scene.until),
        traces=tuple(
            tuple(spans)
            for spans in services.telemetry.traces(since=described.onset_earliest - EVENTS_SECONDS, until=scene.until)
        ),
        commits=commits,
        others=others,
        missing=(*_not_asked(scene), *unread),
    )


def _noticed(incident: Incident) -> tuple[Noticed, ...]:
    """Return the findings, the worst first: by severity, then by how far off they are."""
    found = [Noticed(incidents.to_finding(row), row.first_seen_at.timestamp()) for row in incident.findings]
    return tuple(sorted(found, key=lambda item: (severity_of(item.finding), -item.finding.score, item.noticed_at)))


def _was_open(other: Incident, since: datetime, until: datetime) -> bool:
    return other.opened_at <= until and (other.closed_at is None or other.closed_at >= since)


def _other(other: Incident) -> OtherIncident:
    return OtherIncident(
        incident_id=other.id,
        title=other.title,
        service=other.service,
        metric=other.findings[0].metric if other.findings else "",
        status=IncidentStatus(other.status),
        severity=Severity(other.severity),
        owner=other.acknowledged_by,
        opened_at=other.opened_at.timestamp(),
    )


def _log_sample(services: Services, since: float, until: float) -> tuple[LogRecord, ...]:
    """Return a bounded sample of lines, oldest first: of each part of the time errors first, then ordinary lines."""
    width = max(until - since, 1.0) / LOG_SLICES
    found: dict[str, LogRecord] = {}
    for number in range(LOG_SLICES):
        start, end = since + number * width, since + (number + 1) * width
        for minimum, limit in (("ERROR", ERRORS_A_SLICE), (None, LINES_A_SLICE)):
            lines = services.telemetry.log_samples(since=start, until=end, minimum_severity=minimum, limit=limit)
            found |= {line.record_id: line for line in lines}
    return tuple(sorted(found.values(), key=lambda line: (line.happened_at, line.record_id)))


def _commits(scene: Scene, sources: DiagnosisSources) -> tuple[tuple[Commit, ...], list[str]]:
    """Return the stored commits and those that the code host has of the deploys; and what it could not be asked."""
    found = {(commit.repository, commit.sha): commit for commit in scene.commits}
    missing: list[str] = []
    for deploy in sorted(scene.deploys, key=lambda deploy: -deploy.deployed_at)[:DEPLOYS_ASKED]:
        if not deploy.commit_sha:
            continue
        if sources.code_host is None:
            if sources.no_code_host and not any(same_sha(sha, deploy.commit_sha) for _, sha in found):
                missing.append(f"the commits of {deploy.service} {deploy.version}: {sources.no_code_host}")
            continue
        read = read_commits(deploy, sources)
        if read.error is not None:
            missing.append(f"the commits of {deploy.service} {deploy.version}: {read.error}")
        if read.is_away:
            break
        for commit in read.commits:
            told = replace(commit, service=commit.service or deploy.service, repository=deploy.repository)
            found[told.repository, told.sha] = _fuller(found.get((told.repository, told.sha)), told)
    return tuple(sorted(found.values(), key=lambda commit: (commit.committed_at, commit.sha))), missing


def _fuller(known: Commit | None, told: Commit) -> Commit:
    """Return the one of two reports of a commit that holds the diffs."""
    return known if known is not None and any(file.patch for file in known.files) else told


def _not_asked(scene: Scene) -> Sequence[str]:
    return [f"{item.name}: {item.error}" for item in scene.sources if item.state is SourceState.FAILED]


def moment(seconds: float) -> str:
    """Return a time as the files of an export write it: ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
