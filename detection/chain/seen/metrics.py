"""Signs from metrics: which of them left their usual course in the direction that is worse."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detection.chain.observed import Sign
from detection.statistics.departure_scales import Least
from detection.statistics.departures import Departure, departed_when, departure
from detection.symptoms import MetricMeaning, Worse, metric_meaning
from detection.symptoms.metric_names import split_words
from detection.types import Floats, SymptomKind

_PERCENT = frozenset({"pct", "percent", "percentage"})
_TIME = frozenset({"ms", "milliseconds", "seconds", "millis"})
_AGES = frozenset({"uptime", "total", "timestamp", "epoch", "age", "interval", "since"})
_LEAST_OF_RESOURCES = 0.05
_LEAST_OF_FAILURES = 0.01
_RESOURCES = frozenset(
    {
        SymptomKind.CPU,
        SymptomKind.MEMORY,
        SymptomKind.DISK,
        SymptomKind.CONNECTIONS,
        SymptomKind.THREADS,
        SymptomKind.FILE_HANDLES,
        SymptomKind.CACHE_MISSES,
    }
)
_OVER_BEFORE_SECONDS = 600.0
_MUCH_TRAFFIC = 1.4
_ANOTHER_LEVEL = 4.0
_LEAST_STAY = 2


def signs_of_metrics(
    series: Iterable[tuple[str, str, Floats, Floats]], *, until: float | None = None, alerted_at: float | None = None
) -> tuple[Sign, ...]:
    """Return a sign for each series (part, metric's name, times, values) that got worse.

    until: later samples are left out. alerted_at: what was over well before it is no sign of this incident.
    """
    signs = (_sign(part, name, times, values, until, alerted_at) for part, name, times, values in series)
    return tuple(sign for sign in signs if sign is not None)


def _sign(
    part: str, name: str, times: Floats, values: Floats, until: float | None, alerted_at: float | None
) -> Sign | None:
    meaning = _meaning(name)
    if meaning.kind is None or meaning.is_limit or meaning.is_countdown:
        return None
    found = metric_departure(name, times, values, until=until)
    if found is None or _is_over(found, alerted_at):
        return None
    kind = meaning.kind
    if kind is SymptomKind.TRAFFIC:
        if not _is_much(found):
            return None
        kind = SymptomKind.TRAFFIC if found.direction > 0 else SymptomKind.TRAFFIC_LOST
    return Sign(part, kind, found.earliest, found.latest, found.size, name, source="metric", ended_at=found.ended_at)


def parts_that_differ(series: Iterable[tuple[str, str, Floats, Floats]]) -> frozenset[str]:
    """Return the parts with a metric whose name says nothing, and that is now a multiple or a fraction of what it was.

    Or it is a switch that was turned. That is no sign of trouble by itself, but who has one cannot be said to be as
    ever.
    """
    return frozenset(
        part
        for part, name, times, values in series
        if _meaning(name).kind is None
        and (_is_turned(values) or _is_another_level(metric_departure(name, times, values)))
    )


def _is_another_level(found: Departure | None) -> bool:
    if found is None:
        return False
    low, high = sorted((abs(found.before), abs(found.after)))
    return low * _ANOTHER_LEVEL <= high


def _is_turned(values: Floats) -> bool:
    """Whether the values are those of a switch, 0 or 1, that was turned once and stayed so."""
    known = values[np.isfinite(values)]
    turns = np.flatnonzero(np.diff(known))
    is_switch = bool(np.isin(known, (0.0, 1.0)).all())
    return is_switch and len(turns) == 1 and _LEAST_STAY <= turns[0] + 1 <= len(known) - _LEAST_STAY


def _meaning(name: str) -> MetricMeaning:
    """Whatever else a name says, what is counted in units of time is worse when it takes longer."""
    meaning = metric_meaning(name)
    if meaning.kind is None and split_words(name) & _TIME and not split_words(name) & _AGES:
        return MetricMeaning(SymptomKind.LATENCY, Worse.UP)
    return meaning


def metric_departure(name: str, times: Floats, values: Floats, *, until: float | None = None) -> Departure | None:
    """Return how a metric got worse, with what its name says: the direction, the unit, how much matters.

    Percentages are read as shares, and counters that only rise as what they rise by; before and after are in that unit.
    """
    moments, levels, worse, least = _read(name, times, values)
    return departure(moments, levels, worse=worse, until=until, least=least)


def metric_departed_when(name: str, times: Floats, values: Floats, change_at: float, within_seconds: float) -> float:
    """Return how well a change explains when this metric got worse: `departed_when`, with what its name says."""
    moments, levels, worse, least = _read(name, times, values)
    return departed_when(moments, levels, change_at, within_seconds, worse=worse, least=least)


def _read(name: str, times: Floats, values: Floats) -> tuple[Floats, Floats, int, Least]:
    """Return times, values in their natural unit, the direction that is worse, and the least change that matters."""
    meaning = _meaning(name)
    words = split_words(name)
    levels = np.asarray(values, dtype=np.float64)
    moments = np.asarray(times, dtype=np.float64)
    if words & _PERCENT:
        levels = levels / 100
    if "total" in words and len(levels) > 2 and bool(np.all(np.diff(levels) >= 0)):
        moments, levels = moments[1:], np.diff(levels)
    return moments, levels, meaning.worse.value, _least(meaning, levels, bool(words & _PERCENT))


def _least(meaning: MetricMeaning, levels: Floats, is_percent: bool) -> Least:
    finite = levels[np.isfinite(levels)]
    if not len(finite):
        return Least()
    guess = Least.of(finite)
    if not (is_percent or guess.is_share):
        return guess
    absolute = _LEAST_OF_RESOURCES if meaning.kind in _RESOURCES else _LEAST_OF_FAILURES
    return Least(absolute=absolute, is_share=float(np.max(finite)) <= 1.0)


def _is_much(found: Departure) -> bool:
    """Whether traffic changed so much that it means something: crowds come and go by a quarter all day."""
    low, high = sorted((abs(found.before), abs(found.after)))
    return high >= _MUCH_TRAFFIC * low


def _is_over(found: Departure, alerted_at: float | None) -> bool:
    return found.ended_at is not None and alerted_at is not None and found.ended_at < alerted_at - _OVER_BEFORE_SECONDS
