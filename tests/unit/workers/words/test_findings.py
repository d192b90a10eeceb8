from __future__ import annotations

import dataclasses

import pytest

from detection.types import Finding, FindingDetails, Metric, RiseReading, Severity, Subject
from tests.finding_details import DRIFT, RISE
from workers.words.findings import (
    duration_text,
    finding_sentence,
    incident_title,
    is_notice,
    notice_text,
    severity_of,
    value_text,
)


def finding(
    metric: Metric, observed: float, expected: float, *, kind: str = "endpoint", name: str = "POST /checkout",
    dimension: str | None = None, value: str | None = None,
) -> Finding:  # fmt: skip
    return Finding(
        detector="test", metric=metric, subject=Subject(kind, name, dimension=dimension, value=value),
        observed=observed, expected=expected, expected_low=expected, expected_high=expected, sample_size=100,
        score=5.0, p_value=0.0, window_start=0.0, window_end=30.0, onset_at=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_has_a_sentence_with_both_values(metric: Metric) -> None:
    sentence = finding_sentence(finding(metric, 0.5, 0.25))
    assert value_text(metric, 0.5) in sentence
    assert value_text(metric, 0.25) in sentence


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_has_a_severity(metric: Metric) -> None:
    assert severity_of(finding(metric, 5.0, 1.0)) in Severity


def test_the_sentence_names_the_segment() -> None:
    found = finding(Metric.CONVERSION_RATE, 0.2, 0.4, name="Purchase", dimension="country", value="DE")
    assert finding_sentence(found) == "Purchase conversion for country DE is 20.0 %, normally 40.0 %"


@pytest.mark.parametrize(
    ("kind", "observed", "details", "sentence"),
    [
        ("funnel_rise", 0.5, RISE, "Purchase conversion is up at 50.0 %, normally 40.0 %"),
        ("funnel_drift", 0.35, DRIFT, "Purchase conversion has slipped over 40 h to 35.0 %, normally 40.0 %"),
        (
            "funnel_drift_up",
            0.45,
            dataclasses.replace(DRIFT, hours=9),
            "Purchase conversion has crept up over 9 h to 45.0 %, normally 40.0 %",
        ),
        (
            "funnel_rise",
            0.8,
            dataclasses.replace(RISE, reading=RiseReading.ENTRIES_MISSING, usual_entries=400.0),
            "Purchase conversion seems to be 80.0 %, normally 40.0 %",
        ),
    ],
)
def test_rises_and_drifts_have_their_own_verbs_and_a_notice(
    kind: str, observed: float, details: FindingDetails, sentence: str
) -> None:
    found = finding(Metric.CONVERSION_RATE, observed, 0.4, kind=kind, name="Purchase")
    found = dataclasses.replace(found, details=details)
    assert finding_sentence(found) == sentence
    assert notice_text(found)


def test_a_rise_is_a_notice_of_sev4_a_drift_is_graded_by_size_and_an_outage_is_no_notice() -> None:
    rise = finding(Metric.CONVERSION_RATE, 0.9, 0.4, kind="funnel_rise")
    assert severity_of(rise) is Severity.SEV4
    assert severity_of(finding(Metric.CONVERSION_RATE, 0.35, 0.4, kind="funnel_drift")) is Severity.SEV3
    assert is_notice(rise)
    assert not is_notice(finding(Metric.CONVERSION_RATE, 0.2, 0.4, kind="funnel"))
    assert not is_notice(finding(Metric.LATENCY_P95, 900.0, 100.0))


def test_losing_half_of_the_conversions_is_sev1() -> None:
    assert severity_of(finding(Metric.CONVERSION_RATE, 0.2, 0.4)) is Severity.SEV1
    assert severity_of(finding(Metric.CONVERSION_RATE, 0.27, 0.4)) is Severity.SEV2
    assert severity_of(finding(Metric.CONVERSION_RATE, 0.35, 0.4)) is Severity.SEV3


def test_the_title_is_the_worst_finding_and_among_equals_the_one_that_users_notice() -> None:
    slow = finding(Metric.LATENCY_P95, 1000.0, 50.0)
    queries = dataclasses.replace(slow, metric=Metric.QUERY_COUNT, observed=120.0, expected=4.0)
    assert incident_title([queries, slow]) == "POST /checkout is slow: p95 1,000 ms, normally 50 ms"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (42, "42 s"),
        (89.6, "2 min"),
        (720, "12 min"),
        (11_100, "3 h 5 min"),
        (3590, "1 h"),
        (-7200, "2 h"),
        (200_000, "2 days"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
