"""Sums a funnel's hourly rollups into days, and over all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition, FunnelSeries, Integers


class StepCount(BaseModel):
    """How many users got at least as far as this step."""

    name: str
    users: int
    share_of_entries: float | None = Field(description="0 to 1; null without entries.")


class Conversion(BaseModel):
    """What became of the users who entered."""

    entries: int
    conversions: int
    conversion_rate: float | None = Field(description="0 to 1; null without entries.")
    median_seconds_to_convert: float | None = Field(
        description="Interpolated within a histogram whose buckets are 27 % apart; null without conversions."
    )
    steps: list[StepCount]


class DayConversion(Conversion):
    """One day, in the team's time zone."""

    date: date


class FunnelMetrics(BaseModel):
    """How a funnel converts."""

    funnel_id: int
    name: str
    timezone: str
    overall: Conversion
    days: list[DayConversion]


def median_seconds(converted_by_delay: Integers) -> float | None:
    """The median of a time-to-convert histogram, or None where nobody converted.

    converted_by_delay: (len(DELAY_EDGES_SECONDS) + 1,) counts. Linear within the bucket; a median in the open last
    bucket is given as that bucket's lower edge.
    """
    total = int(converted_by_delay.sum())
    if total == 0:
        return None
    cumulative = np.cumsum(converted_by_delay)
    bucket = int(np.searchsorted(cumulative, total / 2))
    if bucket == len(DELAY_EDGES_SECONDS):
        return float(DELAY_EDGES_SECONDS[-1])
    low = float(DELAY_EDGES_SECONDS[bucket - 1]) if bucket else 0.0
    high = float(DELAY_EDGES_SECONDS[bucket])
    before = int(cumulative[bucket - 1]) if bucket else 0
    return round(low + (high - low) * (total / 2 - before) / int(converted_by_delay[bucket]), 3)


def _conversion(funnel: FunnelDefinition, series: FunnelSeries | None, chosen: NDArray[np.bool_]) -> Conversion:
    """Sum the chosen buckets; chosen: (n,) over the series' buckets."""
    if series is None:
        entries, reached = 0, [0] * len(funnel.steps)
        median = None
    else:
        entries = int(series.entries[chosen].sum())
        reached = [int(users) for users in series.reached[chosen].sum(axis=0)]
        median = median_seconds(series.converted_by_delay[chosen].sum(axis=0))
    return Conversion(
        entries=entries,
        conversions=reached[-1],
        conversion_rate=reached[-1] / entries if entries else None,
        median_seconds_to_convert=median,
        steps=[
            StepCount(name=step.name, users=users, share_of_entries=users / entries if entries else None)
            for step, users in zip(funnel.steps, reached, strict=True)
        ],
    )


def measure(
    funnel: FunnelDefinition, series: FunnelSeries | None, *, dates: Sequence[date], timezone: ZoneInfo
) -> FunnelMetrics:
    """Sum everyone's hourly series (None where there is none) over each of `dates` and over all of them."""
    starts = np.empty(0) if series is None else series.bucket_starts
    bucket_dates = np.array([datetime.fromtimestamp(float(start), timezone).date() for start in starts], dtype=object)
    days = [DayConversion(date=day, **_conversion(funnel, series, bucket_dates == day).model_dump()) for day in dates]
    everything = np.isin(bucket_dates, np.array(dates, dtype=object))
    return FunnelMetrics(
        funnel_id=funnel.funnel_id,
        name=funnel.name,
        timezone=str(timezone),
        overall=_conversion(funnel, series, everything),
        days=days,
    )
