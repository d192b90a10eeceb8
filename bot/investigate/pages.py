"""The alerts of an exported incident: which of them should have woken somebody.

Reads `pages.json` (the alerts), and beside it, each optional, `metrics.csv`, `patterns.json`, `deploys.json`,
`incidents_open.json`, `maintenance.json` and `service_map.json`. What cannot be read is told with its file and line;
the rest is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from bot.investigate.page_rows import change_of, firing_of, incident_of, pattern_of, window_of
from bot.investigate.reading.documents import items_of
from bot.investigate.reading.problems import Problems
from bot.investigate.reading.surroundings import read_service_map
from bot.investigate.reading.telemetry import read_metrics
from detection.triage import Context, Decision, Firing, Judgement, LogPattern, triage
from detection.types import Floats
from integrations.inbound.reading.records import FieldError

T = TypeVar("T")
Row = Mapping[str, object]
Samples = Mapping[tuple[str, str], tuple[Floats, Floats]]
"""Times (seconds UTC) and values by service and metric, in time order."""


@dataclass(frozen=True, slots=True)
class TriageAnswer:
    """decisions: "page" or "suppress", by page id. reasons: one line each. joins: what it is part of."""

    decisions: dict[str, str]
    reasons: dict[str, str]
    joins: dict[str, str]
    judgements: tuple[Judgement, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """What a folder holds. now: the latest time in it, seconds UTC. unreadable: ids of alerts that cannot be judged."""

    firings: tuple[Firing, ...]
    context: Context
    now: float
    unreadable: tuple[str, ...]
    problems: tuple[str, ...]


def read_pages(folder: Path) -> Pages:
    """Read the alerts of a folder and what surrounds them."""
    problems = Problems()
    found = {name: _rows(folder / f"{name}.json", inside, problems) for name, inside in _FILES}
    patterns = dict(_converted("patterns.json", found["patterns"], pattern_of, problems))
    samples = _samples(folder / "metrics.csv", problems)
    pages, unreadable = _firings(found["pages"], patterns, samples, problems)
    # A maintenance entry is a plan; it is no deploy that explains a change, and no incident that somebody is on.
    windows = [
        window
        for name in ("deploys", "incidents_open", "maintenance")
        for window in _converted(f"{name}.json", _planned(found[name]), window_of, problems)
    ]
    changes = [
        change
        for name in ("deploys", "flags")
        for change in _converted(f"{name}.json", _done(found[name]), change_of, problems)
    ]
    known = _converted("incidents_open.json", _done(found["incidents_open"]), incident_of, problems)
    service_map = folder / "service_map.json"
    edges, _ = read_service_map(service_map, problems) if service_map.is_file() else ([], [])
    context = Context(changes=tuple(changes), incidents=tuple(known), windows=tuple(windows), edges=tuple(edges))
    latest = [*(one.fired_at for one in pages), *(float(times.max()) for times, _ in samples.values() if times.size)]
    return Pages(tuple(pages), context, max(latest, default=0.0), unreadable, problems.told())


_FILES = (
    ("pages", ("pages", "alerts")),
    ("patterns", ("patterns", "signatures")),
    ("deploys", ("deploys",)),
    ("flags", ("changes", "flags")),
    ("incidents_open", ("incidents",)),
    ("maintenance", ("windows",)),
)
"""The files of a folder of alerts, and the names under which each may hold its list."""


def _rows(path: Path, inside: Iterable[str], problems: Problems) -> list[tuple[str, Row]]:
    return list(items_of(path, problems, *inside)) if path.is_file() else []


def _planned(rows: Iterable[tuple[str, Row]]) -> list[tuple[str, Row]]:
    return [(place, row) for place, row in rows if "window_end" in row]


def _done(rows: Iterable[tuple[str, Row]]) -> list[tuple[str, Row]]:
    return [(place, row) for place, row in rows if "window_end" not in row]


def _converted(file: str, rows: Iterable[tuple[str, Row]], convert: Callable[[Row], T], problems: Problems) -> list[T]:
    """Convert rows; what cannot be converted is a problem and left out."""
    found = []
    for place, row in rows:
        try:
            found.append(convert(row))
        except FieldError as error:
            problems.add(file, place, f"{error.field} {error.message}")
    return found


def _samples(path: Path, problems: Problems) -> dict[tuple[str, str], tuple[Floats, Floats]]:
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for point in read_metrics(path, problems) if path.is_file() else []:
        series.setdefault((point.service, point.name), []).append((point.happened_at, point.value))
    return {
        key: (np.array([at for at, _ in points]), np.array([value for _, value in points]))
        for key, points in ((key, sorted(points)) for key, points in series.items())
    }


def _firings(
    rows: Iterable[tuple[str, Row]], patterns: Mapping[str, LogPattern], samples: Samples, problems: Problems
) -> tuple[list[Firing], tuple[str, ...]]:
    """Return the alerts that can be read, and the ids of the others."""
    firings, unreadable = [], []
    for place, row in rows:
        tell = partial(problems.add, "pages.json", place)
        try:
            firings.append(firing_of(row, patterns, samples, tell))
        except FieldError as error:
            tell(f"{error.field} {error.message}")
            if row.get("id"):
                unreadable.append(str(row["id"]))
    return firings, tuple(unreadable)


def triage_folder(folder: Path) -> TriageAnswer:
    """Decide about each alert of a folder, by the same rules as the running Argux."""
    pages = read_pages(folder)
    judgements = triage(pages.firings, pages.context, pages.now)
    # In doubt people are told: what cannot be judged is paged.
    doubtful = dict.fromkeys(pages.unreadable, "page")
    told = {one.firing_id: "page" if one.decision is Decision.WAKE else "suppress" for one in judgements}
    return TriageAnswer(
        decisions=doubtful | told,
        reasons=dict.fromkeys(doubtful, "It cannot be read.") | {one.firing_id: one.reason for one in judgements},
        joins={one.firing_id: one.joins for one in judgements if one.joins is not None},
        judgements=judgements,
        problems=pages.problems,
    )
