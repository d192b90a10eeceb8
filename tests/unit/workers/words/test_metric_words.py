from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, ForecastDetails, LevelDetails, Metric, Severity, Subject
from tests.finding_details import ALERT, FORECAST, LEVEL
from workers.rules.metric_limits import measures_used_space
from workers.words.findings import finding_sentence, incident_title, severity_of
from workers.words.metrics import number_text, recovery_text

NOW, HOUR = 1_770_465_600.0, 3600.0


def finding(observed: float, expected: float, **details: Any) -> Finding:
    return metric_finding(observed, expected, replace(LEVEL, **details))


def alert(firing: int, **details: Any) -> Finding:
    name = str(details.pop("title", "Down"))
    return Finding(
        "alert", Metric.ALERT, Subject("alert", name, service="shop"), firing, 0, 0, 0,
        firing, 9.0, 0.0, NOW - 300, NOW, NOW - 300, replace(ALERT, **details),
    )  # fmt: skip


def forecast(observed: float, limit: float, hours: tuple[float | None, ...], **details: Any) -> Finding:
    early, middle, late = (None if hour is None else NOW + hour * HOUR for hour in hours)
    crossing = replace(FORECAST, limit=limit, crossing_earliest=early, crossing_at=middle, crossing_latest=late)
    return metric_finding(observed, limit, replace(crossing, **details))


def metric_finding(observed: float, expected: float, details: LevelDetails | ForecastDetails) -> Finding:
    return Finding(
        "metric_level", Metric.CUSTOM, Subject("metric", "queue.depth", service="shop"), observed, expected, expected,
        expected, 5, 9.0, 0.0, NOW - 300, NOW, NOW - 300, details,
    )  # fmt: skip


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
        (alert(1, summary="it\nis down"), "Down is firing: it is down"),
        (alert(3), "Down is firing in 3 places"),
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
    assert severity_of(alert(1, severity=Severity.SEV2)) is Severity.SEV2


def test_the_title_of_a_long_alert_is_cut_to_its_column() -> None:
    assert len(incident_title([alert(1, title="n" * 200, summary="s" * 9000)])) <= 300


def recovery(state: RecoveryState, metric: Metric = Metric.CUSTOM, after: float | None = 141) -> Recovery:
    return Recovery(state, metric, 140, 300, after, 1.0, 5, 100, 180)


def test_the_sentence_of_a_recovery() -> None:
    one = finding(300, 140)
    assert recovery_text(one, recovery(RecoveryState.RECOVERED)) == (
        "queue.depth: 140 before, 300 during, 141 now (usual again)."
    )
    missing = recovery_text(one, recovery(RecoveryState.INSUFFICIENT_DATA, after=None))
    assert missing == "queue.depth: 140 before, 300 during, not measured now (not seen long enough to tell)."
    down = alert(1)
    assert recovery_text(down, recovery(RecoveryState.RECOVERED, Metric.ALERT)) == "Down no longer fires."
    assert recovery_text(down, recovery(RecoveryState.STILL_BROKEN, Metric.ALERT)) == "Down still fires."
    on_its_way = recovery_text(forecast(400, 500, (2, 3, 5)), recovery(RecoveryState.RECOVERED))
    assert on_its_way == "queue.depth is no longer on its way there: 300 then, 141 now, its limit is 140."


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [("", True), ("device=sda1, state=used", True), ("system.memory.state=used", True), ("state=free", False),
     ("device=a, system.filesystem.state=reserved, mode=rw", False)],
)  # fmt: skip
def test_only_series_of_used_space_can_be_full(attributes: str, expected: bool) -> None:
    assert measures_used_space(attributes) is expected
