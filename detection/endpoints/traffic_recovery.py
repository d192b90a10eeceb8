"""Whether an endpoint's request rate has recovered from a fall or a surge."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from detection.endpoints.intervals import gathered_intervals
from detection.endpoints.normal import settled_hours
from detection.endpoints.screening import hours_in_brief
from detection.endpoints.traffic import has_fallen, has_surged, traffic_range, widths
from detection.options import EndpointOptions
from detection.recovery import Recovery, RecoveryState, regained_share
from detection.types import EndpointSeries, Finding, TimeSpans

FEWEST_INTERVALS = 3
"""The fewest intervals since the fix with which a metric of an endpoint is judged."""

_MINUTE = 60.0


def traffic_recovery(
    finding: Finding,
    fine: EndpointSeries | None,
    coarse: EndpointSeries,
    *,
    since: float,
    now: float,
    options: EndpointOptions,
    excluded: TimeSpans,
) -> Recovery:
    """Test the request rate since `since` against the rate expected now.

    fine: the endpoint's fine buckets from the onset to now, None if it was not called at all: its rate is then 0.
    coarse: its hourly buckets from before the onset. excluded: earlier times in which it was broken.
    Both directions are tested: silence after a surge is no recovery, nor is a surge after silence.
    """
    past = hours_in_brief([coarse], now, options)
    known = settled_hours(past.starts, finding.onset_at, excluded)[None]
    rates = traffic_range(past.requests, known, past.starts, at=now, options=options)
    usual, low, high = (
        float(now_usual[0]) * _MINUTE if np.isfinite(now_usual[0]) else at_onset
        for now_usual, at_onset in (
            (rates.usual, finding.expected),
            (rates.low, finding.expected_low),
            (rates.high, finding.expected_high),
        )
    )
    fell = finding.observed < finding.expected
    counts = gathered_intervals(
        [fine if fine is not None else _never_called(coarse)],
        since=since,
        until=now - options.ingestion_lag_seconds,
        interval_seconds=options.interval_seconds,
    ).requests[0]
    expected = (low if fell else high) * options.interval_seconds / _MINUTE
    width = int(widths(np.array([expected]), options)[0])
    taken = counts[-FEWEST_INTERVALS * width :] if width else counts[:0]
    state, after = RecoveryState.INSUFFICIENT_DATA, None
    if len(taken) and len(taken) == FEWEST_INTERVALS * width:
        after = float(taken.mean()) * _MINUTE / options.interval_seconds
        least, most = (rate * options.interval_seconds / _MINUTE * len(taken) for rate in (low, high))
        count = taken.sum()
        is_off = has_fallen(count, np.asarray(least), options) or has_surged(count, np.asarray(most), options)
        state = RecoveryState.STILL_BROKEN if is_off else RecoveryState.RECOVERED
    return Recovery(
        state=state,
        metric=finding.metric,
        before=usual,
        during=finding.observed,
        after=after,
        recovered_share=regained_share(usual, finding.observed, after),
        sample_size=int(taken.sum()),
        normal_low=low,
        normal_high=high,
    )


def _never_called(series: EndpointSeries) -> EndpointSeries:
    """Return the same endpoint without any buckets."""
    names = (field.name for field in fields(series) if field.name not in ("service", "endpoint"))
    return replace(series, **{name: getattr(series, name)[:0] for name in names})
