from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.logs.findings import LogOptions, log_findings
from detection.logs.rates import line_counts, normal_counts
from detection.types import Finding, LogDetails, LogSeries, Metric
from tests.finding_details import details_as

NOW = 1_770_465_605.0  # Saturday 2026-02-07 12:00:05 UTC
UNTIL = NOW - 5
MINUTE, DAY = 60.0, 86_400.0
OPTIONS = LogOptions()


def minutes(days: float = 7.1) -> np.ndarray:
    return np.arange(UNTIL - days * DAY, UNTIL, MINUTE)


def log_series(
    starts: np.ndarray,
    counts: np.ndarray,
    *,
    name: str = "a1",
    kind: str = "log_template",
    severity: str = "error",
    service: str = "shop",
) -> LogSeries:
    kept = counts > 0
    return LogSeries(kind, name, service, f"text of {name}", severity, starts[kept], counts[kept])


def steady(per_minute: float, *, seed: int = 0, last_minutes: int = 0, times: float = 1.0, **names: str) -> LogSeries:
    starts = minutes()
    rate = np.full(len(starts), per_minute)
    if last_minutes:
        rate[-last_minutes:] *= times
    return log_series(starts, np.random.default_rng(seed).poisson(rate), **names)


def lines_at(moments: list[float], **names: str) -> LogSeries:
    return log_series(np.array(moments), np.ones(len(moments), dtype=np.int64), **names)


def found(*series: LogSeries, options: LogOptions = OPTIONS) -> list[Finding]:
    return log_findings(series, now=NOW, options=options)


def test_a_template_that_jumps_is_found_with_its_rates_and_onset() -> None:
    (finding,) = found(steady(5.0, last_minutes=6, times=10.0), steady(5.0, seed=1, name="b2"))
    assert (finding.detector, finding.metric) == ("log_template_rate", Metric.LOG_RATE)
    assert (finding.subject.kind, finding.subject.name, finding.subject.service) == ("log_template", "a1", "shop")
    assert finding.expected == pytest.approx(5.0, rel=0.1)
    assert finding.expected_low < finding.expected < finding.expected_high < finding.observed
    assert finding.observed == pytest.approx(32.0, rel=0.15)
    assert finding.onset_at == pytest.approx(UNTIL - 6 * MINUTE, abs=MINUTE)
    assert finding.p_value < 1e-4


def test_a_new_error_template_is_found() -> None:
    (finding,) = found(steady(5.0), lines_at([UNTIL - 200 + 30 * i for i in range(6)], name="new"))
    assert (finding.detector, finding.subject.name, finding.sample_size) == ("log_new_template", "new", 6)
    assert details_as(LogDetails, finding).text == "text of new"
    assert UNTIL - 300 <= finding.onset_at <= UNTIL - 140


def test_a_new_template_with_too_few_lines_for_its_severity_is_no_finding() -> None:
    moments = [UNTIL - 200 + 30 * i for i in range(6)]
    assert not found(steady(5.0), lines_at(moments, name="new", severity="info"))
    assert not found(steady(5.0), lines_at(moments[:4], name="new"))
    assert not found(steady(5.0), lines_at(moments, name="new", severity="warn"))


def test_a_new_warning_template_is_found_only_with_enough_lines() -> None:
    (finding,) = found(steady(5.0), lines_at([UNTIL - 300 + 10 * i for i in range(20)], name="new", severity="warn"))
    assert finding.detector == "log_new_template"


def test_information_lines_must_jump_far_beyond_any_earlier_storm() -> None:
    starts = minutes()
    storms = np.where(starts % (2 * DAY) < 300, 40, 1)
    doubled = np.where(starts >= UNTIL - 600, 35, storms)
    flooded = np.where(starts >= UNTIL - 600, 100, storms)
    assert not found(log_series(starts, doubled, severity="info"))
    assert len(found(log_series(starts, doubled, severity="error"))) == 1
    assert len(found(log_series(starts, flooded, severity="info"))) == 1


def test_a_template_with_lines_some_days_ago_is_not_new() -> None:
    moments = [UNTIL - 3 * DAY, *(UNTIL - 200 + 30 * i for i in range(6))]
    assert not found(steady(5.0), lines_at(moments, name="old"))


def test_a_service_without_history_gives_no_findings_about_templates() -> None:
    starts = np.arange(UNTIL - 3 * 3600, UNTIL, MINUTE)
    assert not found(log_series(starts, np.full(len(starts), 3), service="young"))


def test_a_named_pattern_fires_for_a_service_without_history() -> None:
    (finding,) = found(lines_at([UNTIL - 90, UNTIL - 60, UNTIL - 30], kind="log_pattern", name="memory"))
    assert (finding.detector, finding.subject.kind) == ("log_pattern", "log_pattern")


def test_a_named_pattern_that_always_matches_fires_only_when_it_jumps() -> None:
    chronic = steady(4.0, kind="log_pattern", name="connection")
    worse = steady(4.0, kind="log_pattern", name="connection", last_minutes=5, times=10.0)
    assert not found(chronic)
    assert [one.detector for one in found(worse)] == ["log_pattern"]


def test_lines_that_come_every_day_at_this_time_are_no_finding() -> None:
    starts = minutes()
    nightly = ((starts - UNTIL) % DAY) >= DAY - 600
    counts = np.where(nightly, 60, 1)
    assert not found(log_series(starts, counts))


def test_the_same_number_of_lines_at_another_time_of_day_is_a_finding() -> None:
    starts = minutes()
    counts = np.where(starts >= UNTIL - 600, 60, 1)
    assert len(found(log_series(starts, counts))) == 1


def test_an_excluded_past_incident_does_not_hide_the_next_one() -> None:
    starts = minutes()
    incident = (UNTIL - 2 * DAY, UNTIL - 2 * DAY + 3600)
    during = (starts >= incident[0]) & (starts < incident[1])
    counts = np.where(during | (starts >= UNTIL - 600), 50, 2)
    series = [log_series(starts, counts)]
    assert not log_findings(series, now=NOW, options=OPTIONS)
    (finding,) = log_findings(series, now=NOW, options=OPTIONS, excluded={"log_rate:log_template:shop:a1": [incident]})
    assert details_as(LogDetails, finding).past_incident_lines == 60 * 50


def test_a_day_of_bursty_templates_gives_hardly_any_findings() -> None:
    random, starts = np.random.default_rng(7), np.arange(UNTIL - 8 * DAY, UNTIL, MINUTE)
    quarrels = [
        log_series(
            starts, random.poisson(10 ** random.uniform(-2, 1.3) * random.gamma(0.5, 2.0, len(starts))), name=f"t{i}"
        )
        for i in range(40)
    ]
    false_alarms = 0
    for tick in range(48):
        now = NOW - DAY + tick * 1800
        seen = [_until(one, now - 5) for one in quarrels]
        false_alarms += len(log_findings(seen, now=now, options=OPTIONS))
    assert false_alarms <= 1


def _until(one: LogSeries, moment: float) -> LogSeries:
    kept = one.bucket_starts < moment
    return replace(one, bucket_starts=one.bucket_starts[kept], line_count=one.line_count[kept])


def test_two_templates_of_one_service_have_different_fingerprints() -> None:
    jumps = [steady(5.0, seed=i, last_minutes=8, times=10.0, name=f"t{i}") for i in range(2)]
    assert len({one.fingerprint for one in found(*jumps)}) == 2


def test_no_series_give_no_findings() -> None:
    assert found() == []
    assert found(log_series(np.array([]), np.array([], dtype=np.int64))) == []


def test_the_tail_and_range_are_those_of_the_negative_binomial() -> None:
    random = np.random.default_rng(3)
    starts = np.arange(UNTIL - 8 * DAY, UNTIL, 600.0)
    series = [log_series(starts, random.negative_binomial(2, 2 / 32, len(starts)), name=f"t{i}") for i in range(60)]
    normal = normal_counts(line_counts(series, until=UNTIL, window_seconds=600.0, windows=1009))
    drawn = random.negative_binomial(2, 2 / 32, 60)
    assert np.mean(normal.mean) == pytest.approx(30.0, rel=0.05)
    assert np.mean(normal.upper_tail(np.full(60, 96.0))) == pytest.approx(0.0143, abs=0.006)
    low, high = normal.range()
    assert np.mean((drawn >= low) & (drawn <= high)) > 0.85
