"""What is known of the parts of a system in trouble: their signs, and the graph around them."""

from __future__ import annotations

from dataclasses import dataclass

from detection.types import OrchestratorEvent, ServiceEdge, ServicePlace, SymptomKind

LOAD = frozenset(
    {
        SymptomKind.TRAFFIC,
        SymptomKind.QUERY_COUNT,
        SymptomKind.ROWS_READ,
        SymptomKind.RETRIES,
        SymptomKind.LOG_VOLUME,
    }
)
"""Kinds that show more work; whoever does it may be well."""

BYSTANDER = frozenset({SymptomKind.CANCELLED, SymptomKind.TRAFFIC_LOST, SymptomKind.CLIENT_ERRORS})
"""Kinds that show what others do: they hang up, stay away, or ask for what is not there."""

HARM = (frozenset(SymptomKind) - LOAD - BYSTANDER) | {SymptomKind.RETRIES, SymptomKind.QUERY_COUNT}
"""Kinds that show a part is not well, or asks others more than it should."""

OUTWARD = frozenset(
    {SymptomKind.LATENCY, SymptomKind.ERRORS, SymptomKind.TIMEOUTS, SymptomKind.RESULTS, SymptomKind.RETRIES}
)
"""Kinds that a failing dependency brings about in its callers: they say nothing of where it began."""

USAGE = (LOAD - {SymptomKind.RETRIES}) | {
    SymptomKind.CONNECTIONS,
    SymptomKind.SLOW_QUERIES,
    SymptomKind.MEMORY,
    SymptomKind.CPU,
    SymptomKind.DISK,
    SymptomKind.LOCKS,
    SymptomKind.THREADS,
}
"""Kinds of a part that only uses much: with no other kind, it does not suffer but holds what the others lack."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One observed departure or error group of one part: a service, a database, a node.

    earliest, latest: it began between these, seconds UTC. size: robust scores or a log ratio. text: the log line or the
    metric's name. blames: parts that the text names besides its own. source: "metric", "log", "event" or "trace".
    ended_at: when it was as usual again, if that is known.
    """

    part: str
    kind: SymptomKind
    earliest: float
    latest: float
    size: float
    text: str = ""
    blames: frozenset[str] = frozenset()
    source: str = ""
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Log lines of one part that say the same. usual_count: in as long a stretch before. first_seen: None if unknown.

    is_bad: by its severity or by who exported it.
    """

    part: str
    text: str
    count: float
    usual_count: float
    first_seen: float | None
    is_bad: bool


@dataclass(frozen=True, slots=True)
class TraceHop:
    """One span: `part` worked for `parent_part`. own_ms: without the time of its children; None if not known."""

    part: str
    parent_part: str | None
    started_at: float
    duration_ms: float
    own_ms: float | None = None
    is_error: bool = False
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Who depends on whom, where parts run, what the orchestrator reported, and sampled traces.

    heard: parts that tell of themselves, by a metric, a line or a span. measured: those of them whose own latency or
    errors are measured, so that no sign of theirs means that they are well. differing: parts of which something else is
    measured that is no longer what it was (`parts_that_differ`).
    """

    edges: tuple[ServiceEdge, ...] = ()
    places: tuple[ServicePlace, ...] = ()
    events: tuple[OrchestratorEvent, ...] = ()
    traces: tuple[tuple[TraceHop, ...], ...] = ()
    heard: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
