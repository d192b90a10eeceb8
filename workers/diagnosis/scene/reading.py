"""Read the scene of an incident from the stores. A source that fails is noted, and the others are still read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from detection.chain import LineGroup
from detection.chain.suspects import Suspect
from detection.symptoms import symptoms_of_text
from detection.types import Commit, Deploy, LogSignature, Metric, ProviderStatus
from storage import models
from storage.deploys import deploys_between, to_deploy
from storage.knowledge import known_incidents
from storage.surroundings.commits import commit_of, commits_between
from storage.surroundings.flags import flag_changes_between
from storage.surroundings.log_signatures import signatures_between
from storage.surroundings.orchestrator import events_between
from storage.surroundings.provider_statuses import statuses_between
from storage.surroundings.service_map import edges_known, places_known
from storage.telemetry.protocol import COARSE_SECONDS, LOG_TEMPLATE
from workers.diagnosis.changes import makes_something_grow
from workers.diagnosis.model import Characterisation, DiagnosisSources
from workers.diagnosis.scene.asking import Reader
from workers.diagnosis.scene.behaviour import read_suspects
from workers.diagnosis.scene.courses import daily_courses, endpoint_courses, metric_courses, without_sampled_traffic
from workers.diagnosis.scene.lines import line_groups, newest_bad_lines, when_lines_turned
from workers.diagnosis.scene.model import Scene
from workers.diagnosis.scene.traces import edges_of, hops_of
from workers.diagnosis.source_states import SERVICE_MAP, Source, SourceState
from workers.watching.status_feeds import feed_state

CHANGES_SECONDS = 24 * 3600.0
"""How long before the onset a change may have gone live."""

GROWING_SECONDS = 7 * 24 * 3600.0
"""The same for one whose diff shows that something grows: leaks take days."""

MOST_OLDER = 300
"""How many deploys before the last day are looked through for such a change, the latest of them."""

COURSE_SECONDS = 4 * 3600.0
"""How long before the onset the metrics are read, to know their usual course."""

EDGES_SECONDS = 7 * 24 * 3600.0
EVENTS_SECONDS = 2 * 3600.0
STATUS_SECONDS = 6 * 3600.0
KNOWN_SECONDS = 365 * 24 * 3600.0
"""How long what was learnt from an incident counts: systems change."""


def read_scene(described: Characterisation, sources: DiagnosisSources) -> Scene:
    """Return the scene of an incident. Raises what the database raises: nothing could be kept without it."""
    reader = Reader(sources)
    onset, until = described.onset_earliest, described.asked_at
    since = onset - COURSE_SECONDS
    telemetry = sources.telemetry
    week = onset - EDGES_SECONDS
    courses = reader.ask(
        "metrics",
        lambda: metric_courses(telemetry, since=since, until=until),
        ever=lambda: bool(telemetry.metric_names(limit=1)),
    )
    requests = reader.ask(
        "requests",
        lambda: endpoint_courses(telemetry, since=since, until=until),
        ever=lambda: bool(telemetry.endpoint_series(since=week, until=until, bucket_seconds=COARSE_SECONDS)),
    )
    counted = reader.stored(
        "log signatures",
        lambda session: signatures_between(session, _at(since), _at(until)),
        models.LogSignature,
    )
    traces = reader.ask("traces", lambda: telemetry.traces(since=onset - EVENTS_SECONDS, until=until))
    edges = (
        *reader.stored(
            SERVICE_MAP, lambda session: edges_known(session, _at(onset - EDGES_SECONDS)), models.ServiceEdge
        ),
        *edges_of(traces),
    )
    noticed, alerted_at = alerted(described), _alerted_at(described)
    turned = when_lines_turned(courses, edges, noticed, alerted_at=alerted_at, onset=onset)
    said: list[tuple[str, str]] = []

    def read_lines() -> Sequence[LineGroup]:
        said.extend(newest_bad_lines(telemetry, since=turned, until=until))
        return line_groups(telemetry, since=since, onset=turned, until=until)

    lines = reader.ask(
        "logs",
        read_lines,
        ever=lambda: bool(
            telemetry.log_series(since=week, until=until, bucket_seconds=COARSE_SECONDS, kind=LOG_TEMPLATE)
        ),
    )
    suspected: Sequence[Suspect] = ()
    if not noticed:
        # Nothing says where to look; where something does, the signs around it tell more than conduct does.
        suspected = reader.ask(
            "behaviour before",
            lambda: read_suspects(telemetry, courses, edges, since=since, onset=onset, until=until),
        )
    changes_since, growing_since = _at(onset - CHANGES_SECONDS), _at(onset - GROWING_SECONDS)
    deploys = reader.stored(
        "deploys", lambda session: _deploys(session, growing_since, changes_since, _at(until)), models.Deploy
    )
    return Scene(
        since=since,
        until=until,
        alerted=noticed,
        alerted_at=alerted_at,
        alert_texts=tuple(str(symptom.words or symptom.name) for symptom in described.symptoms),
        is_seen_by_argux=any(symptom.metric is not Metric.ALERT for symptom in described.symptoms),
        courses=(*courses, *without_sampled_traffic(requests, courses)),
        lines=(*lines, *(_group(signature) for signature in counted)),
        said=tuple(said),
        traces=hops_of(traces),
        edges=edges,
        places=tuple(
            reader.stored(
                "nodes", lambda session: places_known(session, _at(since), _at(until + 1)), models.ServicePlace
            )
        ),
        events=tuple(
            reader.stored(
                "orchestrator events",
                lambda session: events_between(session, _at(onset - EVENTS_SECONDS), _at(until)),
                models.OrchestratorEvent,
            )
        ),
        statuses=tuple(_statuses(reader, sources, _at(onset - STATUS_SECONDS), _at(until))),
        deploys=tuple(deploys),
        commits=tuple(
            reader.stored(
                "commits",
                lambda session: _commits(session, deploys, changes_since, _at(until)),
                models.Commit if sources.code_host is None else None,
            )
        ),
        flags=tuple(
            reader.stored(
                "flags", lambda session: flag_changes_between(session, changes_since, _at(until)), models.FlagChange
            )
        ),
        known=tuple(
            reader.stored(
                "earlier incidents",
                lambda session: known_incidents(session, since=_at(onset - KNOWN_SECONDS), but=described.incident_id),
            )
        ),
        daily=tuple(reader.ask("earlier days", lambda: daily_courses(telemetry, noticed, before=onset))),
        suspected=tuple(suspected),
        sources=tuple(reader.asked),
    )


def alerted(described: Characterisation) -> tuple[str, ...]:
    """Return the services whose symptoms were noticed, in the order of the symptoms, then the incident's own."""
    named = [symptom.service for symptom in described.symptoms if symptom.service]
    return tuple(dict.fromkeys([*named, *described.services]))


def _alerted_at(described: Characterisation) -> float:
    return min((symptom.onset_at for symptom in described.symptoms), default=described.onset_latest)


def _at(moment: float) -> datetime:
    return datetime.fromtimestamp(max(moment, 0.0), UTC)


def _deploys(session: Session, growing_since: datetime, since: datetime, until: datetime) -> list[Deploy]:
    """Return the deploys of this time, and those before it whose commit makes something grow."""
    older = [to_deploy(row) for row in deploys_between(session, None, growing_since, since)][-MOST_OLDER:]
    named = ((deploy, commit_of(session, deploy.commit_sha.lower())) for deploy in older)
    growing = [deploy for deploy, commit in named if commit is not None and makes_something_grow([commit])]
    return [*growing, *(to_deploy(row) for row in deploys_between(session, None, since, until))]


def _commits(session: Session, deploys: Sequence[Deploy], since: datetime, until: datetime) -> list[Commit]:
    """Return the commits of this time, and those that its deploys name: they may have been made long before."""
    recent = commits_between(session, since, until)
    named = {deploy.commit_sha.lower() for deploy in deploys}
    missing = sorted(sha for sha in named if not any(commit.sha.startswith(sha) for commit in recent))
    older = {commit.sha: commit for sha in missing if (commit := commit_of(session, sha)) is not None}
    return [*older.values(), *recent]


def _statuses(reader: Reader, sources: DiagnosisSources, since: datetime, until: datetime) -> Sequence[ProviderStatus]:
    """Return what status pages say, and note those that cannot be read."""
    found = reader.stored(
        "status feeds",
        lambda session: statuses_between(session, since, until),
        None if sources.status_feeds else models.ProviderStatus,
    )
    with sources.sessions.begin() as session:
        states = [feed_state(session, provider) for provider in sources.status_feeds]
    reader.asked += [
        Source(f"the status page of {state.provider}", SourceState.FAILED, error=state.reason)
        for state in states
        if state.failures
    ]
    return found


def _group(signature: LogSignature) -> LineGroup:
    return LineGroup(
        part=signature.service,
        text=signature.text,
        count=signature.count,
        usual_count=signature.usual_count or 0.0,
        first_seen=signature.first_seen_at,
        is_bad=bool(symptoms_of_text(signature.text)) if signature.is_bad is None else signature.is_bad,
    )
