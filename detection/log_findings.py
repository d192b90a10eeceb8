"""What the logs say that they did not: new templates, templates heard far more than usual, named patterns firing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from detection.changepoints import Onset, mean_onset
from detection.log_rates import LineCounts, NormalCounts, line_counts, normal_counts
from detection.proportions import benjamini_hochberg
from detection.types import Finding, Floats, LogSeries, Metric, Subject

TEMPLATE, PATTERN = "log_template", "log_pattern"
NEW_DETECTOR, JUMP_DETECTOR, PATTERN_DETECTOR = "log_new_template", "log_template_rate", "log_pattern"

_HIGHEST_SCORE = 38.0
"""Beyond this many standard deviations the tail of the normal is nothing in a double."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """When log lines are a finding.

    The last `window_seconds` are held against windows as long of the `baseline_days` before. A template is new when it
    was not heard in them, has `minimum_new_lines` and is of a severity that begins with one of `new_severities`; it has
    jumped with `minimum_lines` and `minimum_ratio` times what is usual. A service heard of for less than
    `minimum_baseline_hours` gives no findings about templates: every one would be new. Its patterns fire all the
    same. significance bounds the p-value after the correction for the number of templates; it is small because a week
    holds 60,000 ticks. ingestion_lag_seconds is how long a line may take from its moment to the rollups.
    """

    window_seconds: float = 600.0
    baseline_days: int = 7
    minimum_baseline_hours: float = 24.0
    minimum_new_lines: int = 5
    minimum_pattern_lines: int = 3
    minimum_lines: int = 20
    minimum_ratio: float = 3.0
    new_severities: tuple[str, ...] = ("warn", "err", "crit", "fatal", "alert", "emerg", "panic")
    significance: float = 1e-4
    ingestion_lag_seconds: float = 5.0
    bucket_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """All series at the end of one window; the arrays are (series,)."""

    series: Sequence[LogSeries]
    lines: LineCounts
    normal: NormalCounts
    counts: Floats
    p_values: Floats
    options: LogOptions

    @property
    def was_heard(self) -> Floats:
        """Lines of each series in the past windows."""
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
    excluded: Sequence[tuple[float, float]] = (),
) -> list[Finding]:
    """Return what the logs say more of than they did: a finding for each series, the most surprising first.

    series: of the last `baseline_days` and the window; buckets may be of any width that divides `window_seconds`, and
    one in the future of the last bucket's start plus `ingestion_lag_seconds` is not read. excluded: (begin, end) in
    seconds of past incidents. The false discovery rate is held across all series of the tick.
    """
    if not series:
        return []
    until = np.floor((now - options.ingestion_lag_seconds) / options.bucket_seconds) * options.bucket_seconds
    reading = _read(series, float(until), options, excluded)
    is_pattern = np.array([one.kind == PATTERN for one in series])
    surprising = reading.p_values <= options.significance
    jumped = surprising & _is_more(reading, options)
    new = surprising & (reading.was_heard == 0) & (reading.counts >= options.minimum_new_lines) & reading.has_baseline
    new &= ~is_pattern & np.array([_is_grave(one.severity, options) for one in series])
    first = (reading.was_heard == 0) & (reading.counts >= options.minimum_pattern_lines)
    fires = is_pattern & (jumped | first)
    jumped &= ~is_pattern & reading.has_baseline & ~new & (reading.was_heard > 0)
    found = [
        _finding(reading, int(row), detector)
        for detector, rows in ((NEW_DETECTOR, new), (JUMP_DETECTOR, jumped), (PATTERN_DETECTOR, fires))
        for row in np.flatnonzero(rows)
    ]
    return sorted(found, key=lambda one: (one.p_value, -one.score))


def _read(
    series: Sequence[LogSeries], until: float, options: LogOptions, excluded: Sequence[tuple[float, float]]
) -> _Reading:
    windows = round(options.baseline_days * 86_400 / options.window_seconds) + 1
    lines = line_counts(series, until=until, window_seconds=options.window_seconds, windows=windows, excluded=excluded)
    normal, counts = normal_counts(lines), lines.counts[:, 0]
    return _Reading(series, lines, normal, counts, benjamini_hochberg(normal.upper_tail(counts)), options)


def _is_more(reading: _Reading, options: LogOptions) -> NDArray[np.bool_]:
    enough = (reading.counts >= options.minimum_lines) & (reading.counts > reading.normal.peak)
    return np.asarray(enough & (reading.counts >= options.minimum_ratio * reading.normal.mean))


def _is_grave(severity: str, options: LogOptions) -> bool:
    return severity.strip().lower().startswith(options.new_severities)


def _finding(reading: _Reading, row: int, detector: str) -> Finding:
    one, lines, normal = reading.series[row], reading.lines, reading.normal
    minutes = lines.window_seconds / 60
    low, high = normal.range()
    tail = float(normal.upper_tail(reading.counts)[row])
    began = _onset(reading, row)
    return Finding(
        detector=detector,
        metric=Metric.LOG_RATE,
        subject=Subject(one.kind, one.name, service=one.service),
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
        details={
            "onset_low": began.low,
            "onset_high": began.high,
            "bucket_seconds": reading.options.bucket_seconds,
            "text": one.text,
            "severity": one.severity,
            "line_count": int(reading.counts[row]),
            "baseline_lines": int(reading.was_heard[row]),
            "baseline_hours": float(normal.windows[row]) * lines.window_seconds / 3600,
        },
    )


def _onset(reading: _Reading, row: int) -> Onset:
    """Since when: among the buckets of the last two windows, so that a change just before this one is seen whole."""
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
