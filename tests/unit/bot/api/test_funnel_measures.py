"""Sum a funnel's hourly rollups into days, and compute quantiles of the time to convert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bot.api.signals.funnel_metrics import measure, seconds_to_convert
from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition, FunnelSeries, FunnelStep

FUNNEL = FunnelDefinition(1, "Signup", (FunnelStep("view", "view"), FunnelStep("done", "done")), 1800.0, 7)


def counts(**users: int) -> np.ndarray:
    """Return a histogram of the time to convert, given as b3=5 for five users in bucket 3."""
    histogram = np.zeros(len(DELAY_EDGES_SECONDS) + 1, dtype=np.int64)
    for bucket, number in users.items():
        histogram[int(bucket.removeprefix("b"))] = number
    return histogram


ANY_TIME = float(DELAY_EDGES_SECONDS[-1])


def test_without_conversions_there_is_no_median() -> None:
    assert seconds_to_convert(counts(), 0.5, ANY_TIME) is None


def test_a_median_lies_within_the_bucket_of_the_middle_user() -> None:
    median = seconds_to_convert(counts(b3=1, b10=5, b20=2), 0.5, ANY_TIME)

    assert median is not None
    assert DELAY_EDGES_SECONDS[9] < median < DELAY_EDGES_SECONDS[10]


def test_the_first_bucket_begins_at_zero_and_the_last_has_no_end() -> None:
    assert seconds_to_convert(counts(b0=2), 0.5, ANY_TIME) == pytest.approx(float(DELAY_EDGES_SECONDS[0]) / 2)
    assert seconds_to_convert(counts(b48=3), 0.5, ANY_TIME) == float(DELAY_EDGES_SECONDS[-1])


def test_nine_of_ten_conversions_lie_below_the_ninetieth_percentile() -> None:
    ninetieth = seconds_to_convert(counts(b3=90, b20=10), 0.9, ANY_TIME)

    assert ninetieth == pytest.approx(float(DELAY_EDGES_SECONDS[3]))


def test_no_quantile_is_longer_than_the_window() -> None:
    window = 600.0
    bucket = int(np.searchsorted(DELAY_EDGES_SECONDS, window))
    low = float(DELAY_EDGES_SECONDS[bucket - 1])
    assert low < window < DELAY_EDGES_SECONDS[bucket]

    assert seconds_to_convert(counts(**{f"b{bucket}": 10}), 0.9, window) == pytest.approx(low + 0.9 * (window - low))
    assert seconds_to_convert(counts(b48=3), 0.5, window) == window


def test_the_funnels_window_bounds_its_time_to_convert() -> None:
    day = datetime(2026, 2, 6, 10, tzinfo=UTC)
    slow = replace(series((day, 20, 10)), converted_by_delay=np.array([counts(b27=10)]))

    shown = measure(
        replace(FUNNEL, window_seconds=600.0), [slow], dates=[day.date()], timezone=ZoneInfo("UTC"), fewest=1
    )

    assert DELAY_EDGES_SECONDS[26] < 600.0 < DELAY_EDGES_SECONDS[27]
    assert shown.overall.p90_seconds_to_convert is not None
    assert shown.overall.p90_seconds_to_convert < 600.0


def series(*hours: tuple[datetime, int, int]) -> FunnelSeries:
    """Return hourly rollups, given as (start of the hour, entries, conversions)."""
    return FunnelSeries(
        funnel_id=1,
        dimension=None,
        value=None,
        bucket_starts=np.array([start.timestamp() for start, _, _ in hours]),
        entries=np.array([entries for _, entries, _ in hours]),
        reached=np.array([[entries, done] for _, entries, done in hours]),
        converted_by_delay=np.array([counts(b5=done) for _, _, done in hours]),
    )


def test_an_hour_belongs_to_the_day_it_has_in_the_teams_time_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    late = series((datetime(2026, 2, 6, 22, tzinfo=UTC), 10, 4), (datetime(2026, 2, 6, 23, tzinfo=UTC), 20, 5))

    metrics = measure(FUNNEL, [late], dates=[date(2026, 2, 6), date(2026, 2, 7)], timezone=berlin, fewest=1)

    assert [(day.entries, day.conversions) for day in metrics.days] == [(10, 4), (20, 5)]
    assert (metrics.overall.entries, metrics.overall.conversion_rate) == (30, 0.3)


def test_hours_of_other_days_do_not_count() -> None:
    early = series((datetime(2026, 2, 1, tzinfo=UTC), 10, 4))

    metrics = measure(FUNNEL, [early], dates=[date(2026, 2, 2)], timezone=ZoneInfo("UTC"), fewest=1)

    assert (metrics.overall.entries, metrics.overall.median_seconds_to_convert) == (0, None)


def test_a_dimension_is_listed_by_value_and_marks_values_with_too_few_entries() -> None:
    day = datetime(2026, 2, 6, 10, tzinfo=UTC)
    parts = [
        replace(series((day, entries, 10)), dimension=dimension, value=value)
        for dimension, value, entries in (
            (None, None, 500),
            ("country", "FR", 99),
            ("country", "DE", 401),
            ("os", "x", 9),
        )
    ]

    metrics = measure(
        FUNNEL, parts, dates=[date(2026, 2, 6)], timezone=ZoneInfo("UTC"), fewest=100, dimension="country"
    )

    assert [(one.value, one.state, one.entries) for one in metrics.segments] == [
        ("DE", "ok", 401),
        ("FR", "insufficient_data", 99),
    ]
    assert (metrics.overall.state, metrics.overall.steps[1].share_of_previous) == ("ok", 0.02)
