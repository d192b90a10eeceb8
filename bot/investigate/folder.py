"""Read an exported incident: a folder with an alert, telemetry, changes and surroundings, each file optional."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from bot.investigate.reading.alert import read_alert
from bot.investigate.reading.changes import read_commits, read_deploys, read_flags
from bot.investigate.reading.problems import Problems
from bot.investigate.reading.surroundings import read_events, read_service_map, read_signatures, read_status_feed
from bot.investigate.reading.telemetry import last_moment, read_logs, read_metrics, read_spans
from bot.investigate.reading.unread import tell_unread
from detection.types import (
    AlertChange,
    Commit,
    Deploy,
    FlagChange,
    LogRecord,
    LogSignature,
    MetricPoint,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
    Span,
)

Read = TypeVar("Read")

FILES = {
    "logs": ("logs.ndjson", "logs.jsonl"),
    "metrics": ("metrics.csv",),
    "traces": ("traces.json",),
    "commits": ("context/commits.json", "commits.json"),
    "deploys": ("context/deploys.json", "deploys.json"),
    "flags": ("context/flags.json", "flags.json"),
    "service_map": ("service_map.json", "context/service_map.json"),
    "events": ("events.json", "context/events.json"),
    "status_feed": ("status_feed.json", "context/status_feed.json"),
    "patterns": ("patterns.json",),
}
"""The name of each source and where its file may lie in the folder; the first that is there is read."""

_BESIDE = ("alert.json", "truth.json", "argux-export.json", "pages.json", "incidents_open.json", "maintenance.json")
_KNOWN = (*_BESIDE, *(name for names in FILES.values() for name in names))

LATER_SECONDS = 60.0


@dataclass(slots=True)
class Exported:
    """What a folder holds. until: the time of the investigation, seconds UTC: just after the newest record."""

    alert: AlertChange | None = None
    logs: list[LogRecord] = field(default_factory=list)
    points: list[MetricPoint] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    deploys: list[Deploy] = field(default_factory=list)
    flags: list[FlagChange] = field(default_factory=list)
    edges: list[ServiceEdge] = field(default_factory=list)
    places: list[ServicePlace] = field(default_factory=list)
    events: list[OrchestratorEvent] = field(default_factory=list)
    statuses: list[ProviderStatus] = field(default_factory=list)
    signatures: list[LogSignature] = field(default_factory=list)
    until: float = 0.0
    problems: Problems = field(default_factory=Problems)


def read_folder(folder: Path, *, without: frozenset[str] = frozenset()) -> Exported:
    """Read every file of the folder but those of the sources in `without`. What is broken is told in `problems`."""
    found = Exported()

    tell_unread(folder, [*_BESIDE, *(_name(folder, source) or "" for source in FILES)], _KNOWN, found.problems)

    def read(source: str, reader: Callable[[Path, Problems], list[Read]]) -> list[Read]:
        path = _path(folder, source, without)
        return reader(path, found.problems) if path is not None else []

    alert = folder / "alert.json"
    found.alert = read_alert(alert, found.problems) if os.path.lexists(alert) else None
    found.logs = read("logs", read_logs)
    found.points = read("metrics", read_metrics)
    found.spans = read("traces", read_spans)
    found.commits = read("commits", read_commits)
    found.deploys = read("deploys", read_deploys)
    found.flags = read("flags", read_flags)
    found.events = read("events", read_events)
    found.statuses = read("status_feed", read_status_feed)
    service_map = _path(folder, "service_map", without)
    if service_map is not None:
        found.edges, found.places = read_service_map(service_map, found.problems)
    found.until = _until(found)
    # The map of an export is how things were at the time of the incident.
    found.edges = [replace(edge, seen_at=found.until) for edge in found.edges]
    found.places = [replace(place, seen_at=found.until) for place in found.places]
    since = found.alert.happened_at if found.alert else found.until
    found.signatures = read(
        "patterns", lambda path, problems: read_signatures(path, problems, since=since, until=found.until)
    )
    return found


def _path(folder: Path, source: str, without: frozenset[str]) -> Path | None:
    name = _name(folder, source) if source not in without else None
    return folder / name if name is not None else None


def _name(folder: Path, source: str) -> str | None:
    """Return where the file of a source lies; a link that leads nowhere counts, so that it is told."""
    return next((name for name in FILES[source] if os.path.lexists(folder / name)), None)


def _until(found: Exported) -> float:
    newest = [last_moment(found.logs, found.points)]
    newest += [span.started_at for span in found.spans] + [event.happened_at for event in found.events]
    newest += [deploy.deployed_at for deploy in found.deploys] if not any(newest) else []
    newest += [found.alert.happened_at] if found.alert else []
    return max((moment for moment in newest if moment is not None), default=0.0) + LATER_SECONDS
