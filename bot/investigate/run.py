"""Investigate an exported incident: fill a throw-away store, open the incident, and run production's five steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot.investigate.answer import Investigation
from bot.investigate.folder import Exported, read_folder
from bot.investigate.garbage import uncollected
from bot.investigate.pages import triage_folder
from bot.investigate.throwaway import Workshop, workshop
from bot.investigate.verdict import answer_of
from detection.types import AlertChange
from storage import incidents
from storage.alerts import record_alerts, severity_of_word
from storage.deploys import record_deploy
from storage.surroundings.commits import record_commits
from storage.surroundings.flags import record_flag_changes
from storage.surroundings.log_signatures import record_signatures
from storage.surroundings.orchestrator import record_events
from storage.surroundings.provider_statuses import record_statuses
from storage.surroundings.service_map import record_edges, record_places
from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis import pipeline
from workers.diagnosis.job import sources_of
from workers.lifecycle.record_findings import record_findings
from workers.services import Services
from workers.troubles import Troubles
from workers.watching import alerts
from workers.watching.watch import Tick

_Record = TypeVar("_Record")

PAGES = "pages.json"
"""The alerts of a folder that asks who is to be woken."""

SLICE_SECONDS = 3600.0
MOST_SLICES = 24
"""Telemetry is stored by the hour; that of more than a day in longer stretches."""

SETTLED_AFTER_SECONDS = 600.0
"""Nothing more comes into the store of an export, so its records need not settle before they are rolled up."""


NO_ALERT = "There is no alert.json that can be read (nor a pages.json), so there is no incident to investigate."
NO_COMMITS = "context/commits.json holds none of them"
ASK_AGAIN = "Add them with their diffs, and investigate the folder again."
NOT_OPENED = "The alert in alert.json opens no incident."


def investigate(
    folder: Path, *, without: frozenset[str] = frozenset(), within: Workshop | None = None
) -> Investigation:
    """Return what Argux says about the incident in a folder.

    without: sources to leave out, as named in `folder.FILES`. within: a workshop that several investigations share.
    """
    began = time.monotonic()
    with uncollected():
        found = _triaged(folder) if (folder / PAGES).exists() else _diagnosed(folder, without, within)
    return replace(found, case=folder.name, seconds=time.monotonic() - began)


def _diagnosed(folder: Path, without: frozenset[str], within: Workshop | None) -> Investigation:
    """Return what Argux says about the incident in a folder."""
    found = read_folder(folder, without=without)
    problems = found.problems.told()
    empty = Investigation(case=folder.name, problems=problems)
    if found.alert is None:
        return replace(empty, coverage=NO_ALERT)
    shared = nullcontext(within) if within is not None else workshop()
    with shared as shop, shop.services(now=found.until) as services:
        fill(services, found)
        incident_id = open_incident(services, found.alert)
        if incident_id is None:
            return replace(empty, coverage=NOT_OPENED)
        sources = replace(sources_of(services), no_code_host=NO_COMMITS, ask_again=ASK_AGAIN)
        outcome = pipeline.run(incident_id, sources)
        answer = answer_of(services, outcome)
    return replace(answer, problems=problems)


def _triaged(folder: Path) -> Investigation:
    """Return what Argux decides about each of the alerts of a folder."""
    decided = triage_folder(folder)
    return Investigation(
        case=folder.name,
        decisions=dict(decided.decisions),
        reasons=dict(decided.reasons),
        problems=decided.problems,
    )


def fill(services: Services, found: Exported) -> None:
    """Put what a folder holds into the stores, and roll it up."""
    now = services.clock()
    _stream(services.telemetry, found)
    with services.sessions.begin() as session:
        for deploy in sorted(found.deploys, key=lambda deploy: deploy.deployed_at):
            record_deploy(
                session,
                service=deploy.service,
                version=deploy.version,
                commit_sha=deploy.commit_sha,
                repository=deploy.repository,
                deployed_at=datetime.fromtimestamp(deploy.deployed_at, UTC),
                deployed_by=deploy.deployed_by,
                now=now,
            )
        record_commits(session, found.commits, now=now)
        record_flag_changes(session, found.flags, now=now)
        record_edges(session, found.edges, now=now)
        record_places(session, found.places, now=now)
        record_events(session, found.events, now=now)
        record_statuses(session, found.statuses, now=now)
        record_signatures(session, found.signatures, now=now)


def _stream(telemetry: TelemetryStore, found: Exported) -> None:
    """Store and roll up the telemetry hour by hour, as production does while it comes in.

    All at once, only the last hours before `found.until` would be rolled up by the minute, and an incident in the
    middle of a long export would have no usual course before it.
    """
    moments = [
        *(record.happened_at for record in found.logs),
        *(point.happened_at for point in found.points),
        *(span.started_at for span in found.spans),
    ]
    step = max(SLICE_SECONDS, (found.until - min(moments, default=found.until)) / MOST_SLICES)
    logs = _by_stretch(found.logs, lambda record: record.happened_at, found.until, step)
    points = _by_stretch(found.points, lambda point: point.happened_at, found.until, step)
    spans = _by_stretch(found.spans, lambda span: span.started_at, found.until, step)
    for stretch in sorted({*logs, *points, *spans}, reverse=True):
        telemetry.append_logs(logs.get(stretch, []))
        telemetry.append_metric_points(points.get(stretch, []))
        telemetry.append_spans(spans.get(stretch, []))
        while any(astuple(telemetry.roll_up((), now=found.until - step * stretch + SETTLED_AFTER_SECONDS))):
            pass


def _by_stretch(
    records: Sequence[_Record], moment_of: Callable[[_Record], float], until: float, step: float
) -> dict[int, list[_Record]]:
    """Return the records by the stretch of `step` seconds before `until` that they lie in, 0 for the last one."""
    found: dict[int, list[_Record]] = {}
    for record in records:
        found.setdefault(int(max(until - moment_of(record), 0.0) // step), []).append(record)
    return found


def open_incident(services: Services, alert: AlertChange) -> int | None:
    """Record the alert, open its incident as a tick does, and return the incident's id; None if none was opened."""
    now = services.clock()
    if severity_of_word(alert.severity) is None:
        # Somebody asks about it, so it needs attention, whatever its sender thought.
        alert = replace(alert, severity=None)
    with services.sessions.begin() as session:
        record_alerts(session, [alert], now=now)
    troubles = Troubles()
    record_findings(services, alerts.findings(services, Tick(now, (), ())), troubles, now)
    troubles.raise_all()
    with services.readers() as session:
        opened: Sequence[int] = [incident.id for incident in incidents.active_incidents(session)]
    return opened[0] if opened else None
