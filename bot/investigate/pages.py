"""The alerts of an exported incident: which of them should have woken somebody.

Reads `pages.json` (the alerts), and beside it, each optional, `metrics.csv`, `patterns.json`, `deploys.json`,
`incidents_open.json`, `maintenance.json` and `service_map.json`. What cannot be read is told with its file and line;
the rest is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.investigate.page_files import Problem, Reading, RowError
from bot.investigate.page_rows import change_of, edge_of, firing_of, incident_of, pattern_of, window_of
from detection.triage import Context, Decision, Firing, Judgement, LogPattern, triage
from detection.types import Floats


@dataclass(frozen=True, slots=True)
class TriageAnswer:
    """decisions: "page" or "suppress", by page id. reasons: one line each. joins: what it is part of."""

    decisions: dict[str, str]
    reasons: dict[str, str]
    joins: dict[str, str]
    judgements: tuple[Judgement, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """What a folder holds. now: the latest time in it, seconds UTC. unreadable: ids of alerts that cannot be judged."""

    firings: tuple[Firing, ...]
    context: Context
    now: float
    unreadable: tuple[str, ...]
    problems: tuple[Problem, ...]


def read_pages(folder: Path) -> Pages:
    """Read the alerts of a folder and what surrounds them."""
    reading = Reading(folder)
    patterns = dict(reading.each("patterns.json", pattern_of, inside="patterns"))
    samples = reading.samples("metrics.csv")
    pages, unreadable = _read_firings(reading, patterns, samples)
    deploys = reading.rows("deploys.json", inside="deploys")
    flags = reading.rows("flags.json", inside="flags")
    known = reading.rows("incidents_open.json", inside="incidents")
    announced = [*deploys, *known, *reading.rows("maintenance.json", inside="windows")]
    # A maintenance entry is a plan; it is no deploy that explains a change, and no incident that somebody is on.
    windows = reading.convert([row for row in announced if "window_end" in row.value], window_of)
    context = Context(
        changes=tuple(reading.convert([row for row in (*deploys, *flags) if "window_end" not in row.value], change_of)),
        incidents=tuple(reading.convert([row for row in known if "window_end" not in row.value], incident_of)),
        windows=tuple(windows),
        edges=tuple(reading.each("service_map.json", edge_of, inside="edges")),
    )
    latest = [*(one.fired_at for one in pages), *(float(times.max()) for times, _ in samples.values() if times.size)]
    return Pages(tuple(pages), context, max(latest, default=0.0), unreadable, tuple(reading.problems))


def _read_firings(
    reading: Reading, patterns: Mapping[str, LogPattern], samples: Mapping[tuple[str, str], tuple[Floats, Floats]]
) -> tuple[list[Firing], tuple[str, ...]]:
    """Return the alerts that can be read, and the ids of the others."""
    firings, unreadable = [], []
    for row in reading.rows("pages.json", inside="pages"):
        try:
            firings.append(firing_of(row.value, patterns, samples, partial(reading.tell, row)))
        except RowError as error:
            reading.tell(row, str(error))
            if row.value.get("id"):
                unreadable.append(str(row.value["id"]))
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
