"""Sum the hourly rollups of a funnel: per day, per segment, and over the whole time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition, FunnelSeries, Integers

TIME_TO_CONVERT = "Interpolated within a histogram whose buckets are 27 % apart; null without conversions."


class CellState(StrEnum):
    """Whether so few entered that the shares beside it say little."""

    OK = "ok"
    INSUFFICIENT_DATA = "insufficient_data"


class StepCount(BaseModel):
    """How many users got at least as far as this step."""

    name: str
    users: int
    share_of_entries: float | None = Field(description="0 to 1; null without entries.")
    share_of_previous: float | None = Field(description="Of those who reached the step before; 1 for the first.")


class Conversion(BaseModel):
    """What became of the users who entered."""

    state: CellState = Field(description="insufficient_data: fewer entries than MIN_SAMPLE_SIZE.")
    entries: int
    conversions: int
    conversion_rate: float | None = Field(description="0 to 1; null without entries.")
    median_seconds_to_convert: float | None = Field(description=TIME_TO_CONVERT)
    p90_seconds_to_convert: float | None = Field(description=TIME_TO_CONVERT)
    steps: list[StepCount]


class DayConversion(Conversion):
    """One day, in the team's time zone."""

    date: date


class SegmentConversion(Conversion):
    """The users with one value of the dimension asked for, over all the days."""

    value: str


class FunnelMetrics(BaseModel):
    """How a funnel converts."""

    funnel_id: int
    name: str
    timezone: str
    overall: Conversion
    days: list[DayConversion]
    dimension: str | None = Field(None, description="The dimension asked for.")
    segments: list[SegmentConversion] = Field(
        default=[], description='By value of that dimension, the most entries first; rare values together are "other".'
    )


def seconds_to_convert(converted_by_delay: Integers, share: float, longest: float) -> float | None:
    """Return the quantile `share` of the time to convert, in seconds, or None without conversions.

    converted_by_delay: (len(DELAY_EDGES_SECONDS) + 1,) counts. longest: an upper bound of the time to convert, in
    seconds. Interpolates linearly within a bucket, which `longest` may cut short. In the open last bucket it is the
    bucket's lower edge.
    """
    total = int(converted_by_delay.sum())
    if total == 0:
        return None
    cumulative = np.cumsum(converted_by_delay)
    bucket = int(np.searchsorted(cumulative, total * share - 1e-9))
    if bucket == len(DELAY_EDGES_SECONDS):
        return min(float(DELAY_EDGES_SECONDS[-1]), longest)
    low = min(float(DELAY_EDGES_SECONDS[bucket - 1]) if bucket else 0.0, longest)
    high = min(float(DELAY_EDGES_SECONDS[bucket]), longest)
    before = int(cumulative[bucket - 1]) if bucket else 0
    return round(low + (high - low) * (total * share - before) / int(converted_by_delay[bucket]), 3)


def measure(
    funnel: FunnelDefinition,
    series: Sequence[FunnelSeries],
    *,
    dates: Sequence[date],
    timezone: ZoneInfo,
    fewest: int,
    dimension: str | None = None,
) -> FunnelMetrics:
    """Sum the hourly series of all users per date and over all dates, and those of one dimension's segments.

    fewest: the number of entries below which a rate is marked as insufficient data.
    """
    all_users = next((found for found in series if found.dimension is None), None)
    by_date = _dates(all_users, timezone)
    days = [
        DayConversion(date=day, **_conversion(funnel, all_users, by_date == day, fewest).model_dump()) for day in dates
    ]
    segments = [
        SegmentConversion(
            value=found.value or "",
            **_conversion(funnel, found, _is_on_dates(found, dates, timezone), fewest).model_dump(),
        )
        for found in series
        if dimension is not None and found.dimension == dimension
    ]
    return FunnelMetrics(
        funnel_id=funnel.funnel_id,
        name=funnel.name,
        timezone=str(timezone),
        overall=_conversion(funnel, all_users, _is_on_dates(all_users, dates, timezone), fewest),
        days=days,
        dimension=dimension,
        segments=sorted(
            (segment for segment in segments if segment.entries), key=lambda segment: (-segment.entries, segment.value)
        ),
    )


def _conversion(
    funnel: FunnelDefinition, series: FunnelSeries | None, chosen: NDArray[np.bool_], fewest: int
) -> Conversion:
    """Sum the chosen buckets of a series. chosen: (n,), one per bucket of the series."""
    entries, reached = 0, [0] * len(funnel.steps)
    delays: Integers = np.zeros(len(DELAY_EDGES_SECONDS) + 1, dtype=np.int64)
    if series is not None:
        entries = int(series.entries[chosen].sum())
        reached = [int(users) for users in series.reached[chosen].sum(axis=0)]
        delays = series.converted_by_delay[chosen].sum(axis=0)
    before = [entries, *reached]
    return Conversion(
        state=CellState.OK if entries >= fewest else CellState.INSUFFICIENT_DATA,
        entries=entries,
        conversions=reached[-1],
        conversion_rate=_share(reached[-1], entries),
        median_seconds_to_convert=seconds_to_convert(delays, 0.5, funnel.window_seconds),
        p90_seconds_to_convert=seconds_to_convert(delays, 0.9, funnel.window_seconds),
        steps=[
            StepCount(
                name=step.name,
                users=users,
                share_of_entries=_share(users, entries),
                share_of_previous=_share(users, previous),
            )
            for step, users, previous in zip(funnel.steps, reached, before, strict=False)
        ],
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _dates(series: FunnelSeries | None, timezone: ZoneInfo) -> NDArray[np.object_]:
    """Return the local date on which each bucket begins, (n,)."""
    starts = np.empty(0) if series is None else series.bucket_starts
    return np.array([datetime.fromtimestamp(float(start), timezone).date() for start in starts], dtype=object)


def _is_on_dates(series: FunnelSeries | None, dates: Sequence[date], timezone: ZoneInfo) -> NDArray[np.bool_]:
    return np.isin(_dates(series, timezone), np.array(dates, dtype=object))
