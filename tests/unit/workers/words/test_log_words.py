from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from detection.types import Finding, Metric, Severity, Subject
from tests.finding_details import LOG
from workers.words.findings import finding_sentence, severity_of, subject_text, value_text
from workers.words.logs import readable


def finding(detector: str, observed: float = 1.2, expected: float = 0.1, **details: Any) -> Finding:
    kind = "log_pattern" if detector == "log_pattern" else "log_template"
    return Finding(
        detector=detector, metric=Metric.LOG_RATE, subject=Subject(kind, "memory", service="shop"),
        observed=observed, expected=expected, expected_low=0.0, expected_high=0.2, sample_size=12, score=9.0,
        p_value=0.0, window_start=0.0, window_end=600.0, onset_at=300.0, details=dataclasses.replace(LOG, **details),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            finding("log_new_template"),
            "“Charge for … failed” is new in shop: 12 lines in 10 min, none in 7 days",
        ),
        (
            finding("log_new_template", baseline_hours=26.0, past_incident_lines=3),
            "“Charge for … failed” is back in shop: 12 lines in 10 min, before only in past incidents",
        ),
        (
            finding("log_template_rate", 12.0, 1.5, baseline_lines=900),
            "“Charge for … failed” is logged 12.0 a minute in shop, normally 1.5 a minute",
        ),
        (
            finding("log_pattern", baseline_hours=5.0),
            "Pattern “memory” in shop: 12 lines in 10 min, none in 5 h before",
        ),
        (
            finding("log_pattern", 12.0, 1.5, baseline_lines=900),
            "Pattern “memory” in shop: 12 lines in 10 min, normally 1.5 a minute",
        ),
        (
            finding("log_pattern", baseline_hours=0.2),
            "Pattern “memory” in shop: 12 lines in 10 min, the first of their kind",
        ),
        (
            dataclasses.replace(finding("log_new_template"), sample_size=1),
            "“Charge for … failed” is new in shop: 1 line in 10 min, none in 7 days",
        ),
    ],
)
def test_the_sentence_of_a_finding_about_logs(found: Finding, sentence: str) -> None:
    assert finding_sentence(found) == sentence


def test_a_finding_without_details_still_has_a_sentence() -> None:
    bare = dataclasses.replace(finding("other"), details=None)
    assert value_text(Metric.LOG_RATE, bare.observed) in finding_sentence(bare)
    assert subject_text(bare) == "memory"


@pytest.mark.parametrize(
    ("found", "severity"),
    [
        (finding("log_new_template"), Severity.SEV3),
        (finding("log_new_template", severity="fatal"), Severity.SEV2),
        (finding("log_new_template", severity="warn"), Severity.SEV4),
        (finding("log_template_rate", 12.0, 1.5), Severity.SEV4),
        (finding("log_template_rate", 30.0, 1.5), Severity.SEV3),
        (finding("log_template_rate", 30.0, 1.5, severity="info"), Severity.SEV4),
        (finding("log_pattern", pattern_severity=Severity.SEV1), Severity.SEV1),
    ],
)
def test_the_severity_comes_from_the_log_level_or_from_the_author_of_the_pattern(
    found: Finding, severity: Severity
) -> None:
    assert severity_of(found) is severity


def test_untrusted_text_becomes_one_safe_short_line() -> None:
    assert readable("a\n\tb\x00 `c` *d* <*>", 80) == r"a b\x00 `c` *d* …"
    assert readable("word " * 50, 20) == "word word word word…"
