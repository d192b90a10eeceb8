"""The log lines around an incident, by template: how many came, how many usually come, and since when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from detection.chain import LineGroup
from detection.chain.signs import signs_of_metrics
from detection.types import LogSeries, ServiceEdge
from storage.telemetry.protocol import FINE_LOG_SECONDS, LOG_TEMPLATE, TelemetryStore
from workers.diagnosis.scene.model import Course

BAD_SEVERITIES = frozenset(("WARN", "ERROR", "FATAL"))
MOST_GROUPS = 2_000
MOST_WORD_FOR_WORD = 500
LEAST_BEFORE_SECONDS = 600.0
"""How much of the time before must be left to say what is usual."""


def when_lines_turned(
    courses: Sequence[Course],
    edges: Iterable[ServiceEdge],
    alerted: Collection[str],
    *,
    alerted_at: float,
    onset: float,
) -> float:
    """Return since when lines are held against what is usual: when the alerted parts or their neighbours got worse.

    An alert fires well after it began: what has failed for a quarter of an hour by then would pass for usual.
    """
    near = {*alerted}
    near |= {name for edge in edges if {edge.caller, edge.callee} & near for name in (edge.caller, edge.callee)}
    series = [(item.part, item.name, item.times, item.values) for item in courses if item.part in near]
    turned = min((sign.earliest for sign in signs_of_metrics(series, alerted_at=alerted_at)), default=onset)
    known_since = min((float(item.times[0]) for item in courses if len(item.times)), default=onset)
    return min(onset, max(turned, known_since + LEAST_BEFORE_SECONDS))


def line_groups(telemetry: TelemetryStore, *, since: float, onset: float, until: float) -> list[LineGroup]:
    """Return one group per service and template with a line since the onset.

    usual_count: what the rate before the onset makes of the time since; first_seen: the first minute since the onset in
    which the template came clearly oftener than before, or at all where it is new.
    """
    series = telemetry.log_series(since=since, until=until, bucket_seconds=FINE_LOG_SECONDS, kind=LOG_TEMPLATE)
    groups = [group for item in series if (group := _group(item, since, onset, until)) is not None]
    return sorted(groups, key=lambda group: -group.count)[:MOST_GROUPS]


def newest_bad_lines(telemetry: TelemetryStore, *, since: float, until: float) -> list[tuple[str, str]]:
    """Return (part, text) of the newest lines that speak of trouble: a group shows only one of its own."""
    found = telemetry.log_samples(since=since, until=until, minimum_severity="WARN", limit=MOST_WORD_FOR_WORD)
    return [(record.service, record.body) for record in found]


def _group(series: LogSeries, since: float, onset: float, until: float) -> LineGroup | None:
    during = series.bucket_starts >= onset - FINE_LOG_SECONDS
    count = int(series.line_count[during].sum())
    if not count:
        return None
    before = float(series.line_count[~during].sum())
    heard = series.bucket_starts[~during]
    # A template that has come since less than the whole time before is judged by the time it has.
    span = max(onset - (max(since, float(heard[0])) if len(heard) else since), FINE_LOG_SECONDS)
    per_second = before / span
    often = series.line_count[during] > max(3 * per_second * FINE_LOG_SECONDS, 0.5)
    starts = series.bucket_starts[during]
    first = float(starts[int(np.argmax(often))]) if often.any() else None
    return LineGroup(
        part=series.service,
        text=series.sample or series.text,
        count=count,
        usual_count=per_second * max(until - onset, FINE_LOG_SECONDS),
        first_seen=first,
        is_bad=series.severity.upper() in BAD_SEVERITIES,
    )
