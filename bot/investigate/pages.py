"""The alerts of an exported incident: which of them should have woken somebody.

Reads `pages.json` (the alerts), and beside it, each optional, `metrics.csv`, `patterns.json`, `deploys.json`,
`incidents_open.json`, `maintenance.json` and `service_map.json`. What cannot be read is told with its file and line;
the rest is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.investigate.page_files import Problem, Reading
from bot.investigate.page_rows import change_of, edge_of, firing_of, incident_of, pattern_of, window_of
from detection.triage import Context, Decision, Firing, Judgement, triage


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
    """What a folder holds. now: the latest time in it, seconds UTC."""

    firings: tuple[Firing, ...]
    context: Context
    now: float
    problems: tuple[Problem, ...]


def read_pages(folder: Path) -> Pages:
    """Read the alerts of a folder and what surrounds them."""
    reading = Reading(folder)
    patterns = dict(reading.each("patterns.json", pattern_of, inside="patterns"))
    samples = reading.samples("metrics.csv")
    pages = reading.each("pages.json", lambda page: firing_of(page, patterns, samples), inside="pages")
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
    return Pages(tuple(pages), context, max(latest, default=0.0), tuple(reading.problems))


def triage_folder(folder: Path) -> TriageAnswer:
    """Decide about each alert of a folder, by the same rules as the running Argux."""
    pages = read_pages(folder)
    judgements = triage(pages.firings, pages.context, pages.now)
    return TriageAnswer(
        decisions={one.firing_id: "page" if one.decision is Decision.WAKE else "suppress" for one in judgements},
        reasons={one.firing_id: one.reason for one in judgements},
        joins={one.firing_id: one.joins for one in judgements if one.joins is not None},
        judgements=judgements,
        problems=pages.problems,
    )
