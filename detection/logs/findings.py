"""Findings about logs: new templates, templates far more frequent than usual, and named patterns that fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from detection.logs.rates import LineCounts, NormalCounts, line_counts, normal_counts
from detection.statistics.changepoints import Onset, mean_onset
from detection.statistics.proportions import benjamini_hochberg
from detection.types import Finding, Floats, LogDetails, LogSeries, Metric, Subject, TimeSpans

TEMPLATE, PATTERN = "log_template", "log_pattern"
NEW_DETECTOR, JUMP_DETECTOR, PATTERN_DETECTOR = "log_new_template", "log_template_rate", "log_pattern"

_HIGHEST_SCORE = 38.0
"""Beyond this many standard deviations the tail of the normal distribution underflows a double."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """When log lines make a finding.

    The last `window_seconds` are compared with the windows of the same length in the `baseline_days` before.

    New template: it had no line in the baseline and now has `minimum_new_lines` of a severity that begins with one of
    `grave`, or `minimum_lines` of a warning. Information lines never count as new.

    Jump: at least `minimum_lines`, at least `minimum_ratio` times the usual count, and above the peak of the baseline
    (its few highest windows excepted). Information and warning lines follow the traffic and come in harmless storms,
    so they need `minimum_plain_lines`, `minimum_plain_ratio` times the usual count and more than
    `minimum_plain_peak_ratio` times the highest count of the baseline.

    A service with less than `minimum_baseline_hours` of history gives no findings about templates, because every one
    would be new; its named patterns still fire. significance bounds the p-value after the correction for the number of
    templates; it is small because a week has 60,000 ticks. ingestion_lag_seconds is the longest time a line may take
    to reach the rollups.
    """

    window_seconds: float = 600.0
    baseline_days: int = 7
    minimum_baseline_hours: float = 24.0
    minimum_new_lines: int = 5
    minimum_pattern_lines: int = 3
    minimum_lines: int = 20
    minimum_ratio: float = 3.0
    minimum_plain_lines: int = 100
    minimum_plain_ratio: float = 10.0
    minimum_plain_peak_ratio: float = 2.0
    grave: tuple[str, ...] = ("err", "crit", "fatal", "alert", "emerg", "panic")
    significance: float = 1e-4
    ingestion_lag_seconds: float = 5.0
    bucket_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """All series with their counts, baselines and p-values in the judged window; the arrays are (series,)."""

    series: Sequence[LogSeries]
    lines: LineCounts
    normal: NormalCounts
    counts: Floats
    p_values: Floats
    excluded: Sequence[TimeSpans]
    options: LogOptions

    @property
    def lines_before(self) -> Floats:
        """The lines of each series in the baseline windows."""
        return np.asarray((self.lines.counts * self.lines.known)[:, 1:].sum(axis=1))

    @property
    def has_baseline(self) -> NDArray[np.bool_]:
        hours = self.normal.windows * self.lines.window_seconds / 3600
        return np.asarray(hours >= self.options.minimum_baseline_hours)


def log_findings(
    series: Sequence[LogSeries],
    *,
    now: float,
    options: LogOptions,
    excluded: Mapping[str, TimeSpans] | None = None,
    heard_since: Mapping[str, float] | None = None,
    tests: int = 0,
) -> list[Finding]:
    """Return the findings about new, jumped and firing series, the most surprising first.

    series: over the last `baseline_days` and the window; bucket widths must divide `window_seconds`; buckets from
    `window_end` on are not read. excluded: by fingerprint, the (begin, end) in seconds of past incidents; one of them
    may be ongoing. heard_since: since when each service is known, where the given series do not show it. tests: the
    number of series of the tick, where only those that may give a finding are passed; the false discovery rate is
    controlled across all of them.
    """
    if not series:
        return []
    spans = [(excluded or {}).get(_fingerprint(one), ()) for one in series]
    lines = line_counts(
        series,
        until=window_end(now, options),
        window_seconds=options.window_seconds,
        windows=baseline_windows(options) + 1,
        excluded=spans,
        heard_since=heard_since,
    )
    reading = _read(series, lines, spans, options, tests)
    is_pattern = _are_patterns(reading)
    surprising = reading.p_values <= options.significance
    jumped = surprising & _has_jumped(reading, options)
    unheard = reading.lines_before == 0
    new = surprising & unheard & _has_enough_new_lines(reading, options) & reading.has_baseline & ~is_pattern
    first = unheard & (reading.counts >= options.minimum_pattern_lines)
    fires = is_pattern & (jumped | first)
    jumped &= ~is_pattern & reading.has_baseline & ~new & (reading.lines_before > 0)
    found = [
        _finding(reading, int(row), detector)
        for detector, rows in ((NEW_DETECTOR, new), (JUMP_DETECTOR, jumped), (PATTERN_DETECTOR, fires))
        for row in np.flatnonzero(rows)
    ]
    return sorted(found, key=lambda one: (one.p_value, -one.score))


def window_end(now: float, options: LogOptions) -> float:
    """Return where the window judged at `now` ends: the end of the last bucket whose lines have all arrived."""
    return float(np.floor((now - options.ingestion_lag_seconds) / options.bucket_seconds) * options.bucket_seconds)


def baseline_windows(options: LogOptions) -> int:
    """Return the number of baseline windows that the last window is compared with."""
    return round(options.baseline_days * 86_400 / options.window_seconds)


def _read(
    series: Sequence[LogSeries], lines: LineCounts, excluded: Sequence[TimeSpans], options: LogOptions, tests: int
) -> _Reading:
    normal, counts = normal_counts(lines), lines.counts[:, 0]
    others = np.ones(max(tests - len(series), 0))
    p_values = benjamini_hochberg(np.concatenate([normal.upper_tail(counts), others]))[: len(series)]
    return _Reading(series, lines, normal, counts, p_values, excluded, options)


def _has_enough_new_lines(reading: _Reading, options: LogOptions) -> NDArray[np.bool_]:
    """Whether a series has enough lines for its severity to be reported as new."""
    enough = np.where(_grave(reading), options.minimum_new_lines, options.minimum_lines)
    return np.asarray((_grave(reading) | _warns(reading)) & (reading.counts >= enough))


def _has_jumped(reading: _Reading, options: LogOptions) -> NDArray[np.bool_]:
    matters = _grave(reading) | _are_patterns(reading)
    enough = reading.counts >= np.where(matters, options.minimum_lines, options.minimum_plain_lines)
    ratio = np.where(matters, options.minimum_ratio, options.minimum_plain_ratio)
    above_peak = reading.counts > np.where(
        matters, reading.normal.peak, options.minimum_plain_peak_ratio * reading.normal.highest
    )
    return np.asarray(enough & above_peak & (reading.counts >= ratio * reading.normal.mean))


def _grave(reading: _Reading) -> NDArray[np.bool_]:
    return np.array([one.severity.strip().lower().startswith(reading.options.grave) for one in reading.series])


def _warns(reading: _Reading) -> NDArray[np.bool_]:
    return np.array([one.severity.strip().lower().startswith("warn") for one in reading.series])


def _are_patterns(reading: _Reading) -> NDArray[np.bool_]:
    return np.array([one.kind == PATTERN for one in reading.series])


def _finding(reading: _Reading, row: int, detector: str) -> Finding:
    one, lines, normal = reading.series[row], reading.lines, reading.normal
    minutes = lines.window_seconds / 60
    low, high = normal.range()
    tail = float(normal.upper_tail(reading.counts)[row])
    began = _onset(reading, row)
    return Finding(
        detector=detector,
        metric=Metric.LOG_RATE,
        subject=_subject(one),
        observed=float(reading.counts[row]) / minutes,
        expected=float(normal.mean[row]) / minutes,
        expected_low=float(low[row]) / minutes,
        expected_high=float(high[row]) / minutes,
        sample_size=int(reading.counts[row]),
        score=min(-float(ndtri(tail)), _HIGHEST_SCORE) if tail > 0 else _HIGHEST_SCORE,
        p_value=float(reading.p_values[row]),
        window_start=lines.until - lines.window_seconds,
        window_end=lines.until,
        onset_at=began.at,
        details=LogDetails(
            onset_low=began.low,
            onset_high=began.high,
            bucket_seconds=reading.options.bucket_seconds,
            text=one.text,
            sample=one.sample,
            severity=one.severity,
            window_minutes=minutes,
            line_count=int(reading.counts[row]),
            baseline_lines=int(reading.lines_before[row]),
            baseline_hours=float(normal.windows[row]) * lines.window_seconds / 3600,
            past_incident_lines=_past_incident_lines(reading, row),
        ),
    )


def _onset(reading: _Reading, row: int) -> Onset:
    """Estimate the onset from the buckets of the last two windows, so that it may lie before the judged window."""
    one, lines, width = reading.series[row], reading.lines, reading.options.bucket_seconds
    buckets = round(2 * lines.window_seconds / width)
    starts = lines.until - width * np.arange(buckets, 0, -1, dtype=np.float64)
    places = np.floor((one.bucket_starts - starts[0]) / width + 1e-9).astype(np.int64)
    held = (places >= 0) & (places < buckets)
    counts = np.bincount(places[held], weights=one.line_count[held], minlength=buckets).astype(np.float64)
    usual = float(reading.normal.mean[row]) * width / lines.window_seconds
    broken = float(reading.counts[row]) * width / lines.window_seconds
    spread = float(np.sqrt((usual + broken) / 2))
    return mean_onset(starts, counts, np.ones(buckets), normal=usual, broken=broken, deviation=spread)


def _past_incident_lines(reading: _Reading, row: int) -> int:
    """Count the lines during past incidents: they are no part of the baseline, but the template is not unknown."""
    one, lines = reading.series[row], reading.lines
    before = lines.until - lines.window_seconds
    over = [(begin, end) for begin, end in reading.excluded[row] if end <= before]
    inside = np.zeros(len(one.bucket_starts), dtype=bool)
    for begin, end in over:
        inside |= (one.bucket_starts >= begin) & (one.bucket_starts < end)
    return int(one.line_count[inside].sum())


def _subject(one: LogSeries) -> Subject:
    return Subject(one.kind, one.name, service=one.service)


def _fingerprint(one: LogSeries) -> str:
    return f"{Metric.LOG_RATE}:{_subject(one).key()}"
