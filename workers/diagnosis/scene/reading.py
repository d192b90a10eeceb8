"""Read the scene of an incident from the stores. A source that fails is noted, and the others are still read."""

from __future__ import annotations

from collections.abc import Sequence

from detection.chain import LineGroup
from detection.chain.suspects import Suspect
from detection.symptoms import symptoms_of_text
from detection.types import LogSignature, Metric
from storage import models
from storage.knowledge import known_incidents
from storage.surroundings.log_signatures import signatures_between
from storage.surroundings.service_map import edges_known
from storage.telemetry.protocol import COARSE_SECONDS, LOG_TEMPLATE
from workers.diagnosis.model import Characterisation, DiagnosisSources
from workers.diagnosis.scene.asking import Reader, utc
from workers.diagnosis.scene.behaviour import read_suspects
from workers.diagnosis.scene.courses import daily_courses, endpoint_courses, metric_courses, without_sampled_traffic
from workers.diagnosis.scene.lines import line_groups, newest_bad_lines, when_lines_turned
from workers.diagnosis.scene.live_changes import read_changes
from workers.diagnosis.scene.model import Course, Scene
from workers.diagnosis.scene.surroundings import EVENTS_SECONDS, read_surroundings
from workers.diagnosis.scene.traces import edges_of, hops_of
from workers.diagnosis.source_states import SERVICE_MAP

COURSE_SECONDS = 4 * 3600.0
"""How long before the onset the metrics are read, to know their usual course."""

EDGES_SECONDS = 7 * 24 * 3600.0
KNOWN_SECONDS = 365 * 24 * 3600.0
"""How long what was learnt from an incident counts: systems change."""


def read_scene(described: Characterisation, sources: DiagnosisSources) -> Scene:
    """Return the scene of an incident. Raises what the database raises: nothing could be kept without it."""
    reader = Reader(sources)
    onset, until = described.onset_earliest, described.asked_at
    since = onset - COURSE_SECONDS
    telemetry = sources.telemetry
    courses, requests = _courses(reader, since=since, onset=onset, until=until)
    counted = reader.stored(
        "log signatures",
        lambda session: signatures_between(session, utc(since), utc(until)),
        models.LogSignature,
    )
    traces = reader.ask("traces", lambda: telemetry.traces(since=onset - EVENTS_SECONDS, until=until))
    known_edges = reader.stored(
        SERVICE_MAP, lambda session: edges_known(session, utc(onset - EDGES_SECONDS)), models.ServiceEdge
    )
    edges = (*known_edges, *edges_of(traces))
    noticed, alerted_at = alerted(described), _alerted_at(described)
    turned = when_lines_turned(courses, edges, noticed, alerted_at=alerted_at, onset=onset)
    lines, said = _lines(reader, since=since, onset=onset, turned=turned, until=until)
    suspected: Sequence[Suspect] = ()
    if not noticed:
        # Nothing says where to look; where something does, the signs around it tell more than conduct does.
        suspected = reader.ask(
            "behaviour before",
            lambda: read_suspects(telemetry, courses, edges, since=since, onset=onset, until=until),
        )
    surroundings = read_surroundings(reader, since=since, onset=onset, until=until)
    changes = read_changes(reader, onset=onset, until=until)
    known = reader.stored(
        "earlier incidents",
        lambda session: known_incidents(session, since=utc(onset - KNOWN_SECONDS), but=described.incident_id),
    )
    daily = reader.ask("earlier days", lambda: daily_courses(telemetry, noticed, before=onset))
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
        places=surroundings.places,
        events=surroundings.events,
        statuses=surroundings.statuses,
        deploys=changes.deploys,
        commits=changes.commits,
        flags=changes.flags,
        known=tuple(known),
        daily=tuple(daily),
        suspected=tuple(suspected),
        sources=tuple(reader.asked),
    )


def _courses(reader: Reader, *, since: float, onset: float, until: float) -> tuple[Sequence[Course], Sequence[Course]]:
    """Return the courses of the metrics, and those of the requests."""
    telemetry = reader.sources.telemetry
    measured = reader.ask(
        "metrics",
        lambda: metric_courses(telemetry, since=since, until=until),
        ever=lambda: bool(telemetry.metric_names(limit=1)),
    )
    week = onset - EDGES_SECONDS
    requests = reader.ask(
        "requests",
        lambda: endpoint_courses(telemetry, since=since, until=until),
        ever=lambda: bool(telemetry.endpoint_series(since=week, until=until, bucket_seconds=COARSE_SECONDS)),
    )
    return measured, requests


def _lines(
    reader: Reader, *, since: float, onset: float, turned: float, until: float
) -> tuple[Sequence[LineGroup], list[tuple[str, str]]]:
    """Return the log lines in groups, before and since they turned, and what the newest bad ones say."""
    telemetry, week = reader.sources.telemetry, onset - EDGES_SECONDS
    said: list[tuple[str, str]] = []

    def read() -> Sequence[LineGroup]:
        said.extend(newest_bad_lines(telemetry, since=turned, until=until))
        return line_groups(telemetry, since=since, onset=turned, until=until)

    groups = reader.ask(
        "logs",
        read,
        ever=lambda: bool(
            telemetry.log_series(since=week, until=until, bucket_seconds=COARSE_SECONDS, kind=LOG_TEMPLATE)
        ),
    )
    return groups, said


def alerted(described: Characterisation) -> tuple[str, ...]:
    """Return the services whose symptoms were noticed, in the order of the symptoms, then the incident's own."""
    named = [symptom.service for symptom in described.symptoms if symptom.service]
    return tuple(dict.fromkeys([*named, *described.services]))


def _alerted_at(described: Characterisation) -> float:
    return min((symptom.onset_at for symptom in described.symptoms), default=described.onset_latest)


def _group(signature: LogSignature) -> LineGroup:
    return LineGroup(
        part=signature.service,
        text=signature.text,
        count=signature.count,
        usual_count=signature.usual_count or 0.0,
        first_seen=signature.first_seen_at,
        is_bad=bool(symptoms_of_text(signature.text)) if signature.is_bad is None else signature.is_bad,
    )
