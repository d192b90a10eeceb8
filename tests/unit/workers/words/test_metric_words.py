from __future__ import annotations

from typing import Any

import pytest

from detection.types import Finding, JsonValue, Metric, Severity, Subject
from detection.verification import Recovery, RecoveryState
from workers.rules.metric_limits import counts_what_is_used
from workers.words.findings import finding_sentence, incident_title, severity_of
from workers.words.metrics import number_text, recovery_text

NOW, HOUR = 1_770_465_600.0, 3600.0


def finding(
    observed: float, expected: float, measured: Metric = Metric.CUSTOM, count: int = 5, **details: JsonValue
) -> Finding:
    name = str(details.pop("title", "queue.depth"))
    kind = "alert" if measured is Metric.ALERT else "metric"
    base: dict[str, JsonValue] = {"metric": name, "attributes": "", "is_rate": False}
    return Finding(
        "metric_level", measured, Subject(kind, name, service="shop"), observed, expected, expected, expected,
        count, 9.0, 0.0, NOW - 300, NOW, NOW - 300, base | details,
    )  # fmt: skip


def forecast(observed: float, limit: float, hours: tuple[float | None, ...], **details: Any) -> Finding:
    early, middle, late = (None if hour is None else NOW + hour * HOUR for hour in hours)
    crossing = {"crossing_earliest": early, "crossing_at": middle, "crossing_latest": late}
    return finding(observed, limit, **({"limit": limit, "above": True, "probability": 0.92} | crossing | details))


DISK = {"metric": "system.filesystem.utilization", "attributes": "device=sda1"}


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (finding(300, 140), "queue.depth is 300, normally 140"),
        (finding(12.34, 4.1, is_rate=True), "queue.depth is 12.34 a second, normally 4.1 a second"),
        (forecast(0.94, 1.0, (2, 3, 5), **DISK),
         "disk (device=sda1) full in 3 h (2 h to 5 h, 92 % sure); it is at 94 %"),
        (forecast(0.94, 1.0, (0.4, 0.7, 1), **DISK),
         "disk (device=sda1) full in 42 min (24 min to 60 min, 92 % sure); it is at 94 %"),
        (forecast(400, 500, (3, 4, None)), "queue.depth reaches 500 in 4 h (3 h or more, 92 % sure); it is at 400"),
        (forecast(9, 5, (3, 3, 3), above=False), "queue.depth falls to 5 in 3 h (92 % sure); it is at 9"),
        (forecast(512, 500, (0, 0, 0)), "queue.depth is 512, over its limit of 500"),
        (forecast(4, 5, (0, 0, 0), above=False), "queue.depth is 4, under its limit of 5"),
        (finding(1, 0, Metric.ALERT, title="Down", summary="it\nis down", count=1), "Down is firing: it is down"),
        (finding(3, 0, Metric.ALERT, title="Down", count=3), "Down is firing in 3 places"),
    ],
)  # fmt: skip
def test_the_sentence_of_a_finding_about_a_metric_or_an_alert(one: Finding, sentence: str) -> None:
    assert finding_sentence(one) == sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.03125, "0.03125"), (42.5, "42.5"), (1204.4, "1,204"), (3.14e6, "3.14 million"), (-2e9, "-2 billion"), (0, "0")],
)
def test_numbers_are_rounded_to_the_digits_that_people_need(value: float, text: str) -> None:
    assert number_text(value) == text


def test_the_severity_depends_on_how_soon_a_limit_is_reached_or_on_the_monitor() -> None:
    assert severity_of(finding(300, 140)) is Severity.SEV4
    assert severity_of(forecast(400, 500, (2, 3, 5))) is Severity.SEV3
    assert severity_of(forecast(400, 500, (0.1, 0.5, 1))) is Severity.SEV2
    assert severity_of(finding(1, 0, Metric.ALERT, severity="sev2")) is Severity.SEV2


def test_the_title_of_a_long_alert_is_cut_to_its_column() -> None:
    assert len(incident_title([finding(1, 0, Metric.ALERT, title="n" * 200, summary="s" * 9000)])) <= 300


def recovery(state: RecoveryState, metric: Metric = Metric.CUSTOM, after: float | None = 141) -> Recovery:
    return Recovery(state, metric, 140, 300, after, 1.0, 5, 100, 180)


def test_the_sentence_of_a_recovery() -> None:
    one = finding(300, 140)
    assert recovery_text(one, recovery(RecoveryState.RECOVERED)) == (
        "queue.depth: 140 before, 300 during, 141 now (usual again)."
    )
    missing = recovery_text(one, recovery(RecoveryState.INSUFFICIENT_DATA, after=None))
    assert missing == "queue.depth: 140 before, 300 during, not measured now (not seen long enough to tell)."
    alert = finding(1, 0, Metric.ALERT, title="Down")
    assert recovery_text(alert, recovery(RecoveryState.RECOVERED, Metric.ALERT)) == "Down no longer fires."
    assert recovery_text(alert, recovery(RecoveryState.STILL_BROKEN, Metric.ALERT)) == "Down still fires."
    on_its_way = recovery_text(forecast(400, 500, (2, 3, 5)), recovery(RecoveryState.RECOVERED))
    assert on_its_way == "queue.depth is no longer on its way there: 300 then, 141 now, its limit is 140."


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [("", True), ("device=sda1, state=used", True), ("system.memory.state=used", True), ("state=free", False),
     ("device=a, system.filesystem.state=reserved, mode=rw", False)],
)  # fmt: skip
def test_only_series_of_used_space_can_be_full(attributes: str, expected: bool) -> None:
    assert counts_what_is_used(attributes) is expected
