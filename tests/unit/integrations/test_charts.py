from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from detection.types import Metric
from integrations.charts import BandPoint, Chart, Marker, Point, chart_spec, render_png

NOON = 1_770_465_600.0  # 2026-02-07T12:00:00Z


@pytest.fixture(autouse=True)
def wait_long_for_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the render timeout, so that a busy machine does not make the tests fail."""
    monkeypatch.setattr("integrations.charts.RENDER_SECONDS", 100)


def chart(**changes: Any) -> Chart:
    given: dict[str, Any] = {
        "title": "POST /checkout is slow",
        "metric": Metric.LATENCY_P95,
        "points": [Point(NOON + 60 * minute, 200.0 if minute < 20 else 900.0) for minute in range(30)],
        "band": [BandPoint(NOON + 60 * minute, 150.0, 200.0, 250.0) for minute in range(30)],
        "onset_at": NOON + 1200,
        "deploys": [Marker(NOON + 1140, "deploy v42")],
    }
    return Chart(**{**given, **changes})


def words(spec: dict[str, Any]) -> list[str]:
    return [
        row["label"] for layer in spec["layer"] if layer["mark"]["type"] == "text" for row in layer["data"]["values"]
    ]


def line(spec: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    values: list[dict[str, Any]] = lines[-1]["data"]["values"]
    return values


def test_a_chart_is_drawn_at_twice_its_size() -> None:
    png = render_png(chart_spec(chart()))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert 1440 <= width <= 1800
    assert 640 <= height <= 1200


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_and_an_empty_series_can_be_drawn(metric: Metric) -> None:
    empty = chart(metric=metric, points=[], band=[], onset_at=None, deploys=[])
    assert render_png(chart_spec(empty)).startswith(b"\x89PNG")


def test_the_axis_names_the_unit() -> None:
    def unit(**changes: Any) -> str:
        spec: dict[str, Any] = chart_spec(chart(**changes))
        title: str = spec["encoding"]["y"]["axis"]["title"]
        return title

    assert unit() == "p95 latency (ms)"
    assert unit(points=[Point(NOON, 4200.0)]) == "p95 latency (s)"
    assert unit(metric=Metric.CONVERSION_RATE) == "conversion rate"
    assert unit(metric=Metric.QUERY_COUNT) == "queries per request"


def test_times_are_shown_in_the_teams_time_zone_across_a_daylight_saving_change() -> None:
    before, after = 1_774_742_400.0, 1_774_749_600.0  # 00:00Z and 02:00Z on the night of 29 March 2026
    spec: dict[str, Any] = chart_spec(
        chart(points=[Point(before, 1.0), Point(after, 1.0)], timezone="Europe/Berlin", deploys=[], onset_at=None)
    )
    shown = [row["at"] / 1000 for row in line(spec)]
    assert shown == [before + 3600, after + 7200]
    assert "Europe/Berlin" in spec["title"]["subtitle"]


@pytest.mark.parametrize(
    ("zone", "change", "after", "name"),
    [
        ("Europe/Berlin", 1_792_890_000.0, 3600, "CET"),
        ("America/St_Johns", 1_793_507_400.0, -3.5 * 3600, "NST"),
        ("Australia/Lord_Howe", 1_775_314_800.0, 10.5 * 3600, "+1030"),
    ],
)
def test_no_line_runs_back_when_the_clocks_do(zone: str, change: float, after: float, name: str) -> None:
    moments = [change + 600 * step for step in range(-12, 13)]
    spec: dict[str, Any] = chart_spec(
        chart(points=[Point(at, 1.0) for at in moments], band=[], timezone=zone, deploys=[], onset_at=None)
    )
    assert [row["at"] / 1000 for row in line(spec)] == [at + after for at in moments]
    assert spec["title"]["subtitle"].endswith(f"times in {zone} ({name}: the clocks went back)")


def test_a_chart_with_a_subtitle_of_its_own_says_whose_clock_it_shows_too() -> None:
    spec: Any = chart_spec(chart(subtitle="dashed: its limit", timezone="Asia/Tokyo"))

    assert spec["title"]["subtitle"] == "dashed: its limit · times in Asia/Tokyo"


def test_a_gap_in_the_measurements_is_a_gap_in_the_line() -> None:
    spec = chart_spec(chart(points=[Point(NOON, 1.0), Point(NOON + 60, None), Point(NOON + 120, 2.0)]))
    assert [row["value"] for row in line(spec)] == [1.0, None, 2.0]


def test_the_onset_the_deploys_and_the_fix_are_labelled() -> None:
    assert set(words(chart_spec(chart(fix_live_at=NOON + 1500)))) == {"deploy v42", "trouble begins", "fix live"}


def test_a_deploy_outside_the_time_range_is_left_out() -> None:
    assert words(chart_spec(chart(deploys=[Marker(NOON - 86_400, "long ago")]))) == ["trouble begins"]


def test_a_deploy_is_shown_even_if_the_line_has_no_points() -> None:
    assert "deploy v42" in words(chart_spec(chart(points=[])))


def test_no_two_labels_are_at_the_same_height() -> None:
    deploys = [Marker(NOON + 1130 + second, f"deploy {second}") for second in range(10)]
    spec: dict[str, Any] = chart_spec(chart(deploys=deploys))
    heights = [layer["encoding"]["y"]["value"] for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    assert len(set(heights)) == len(heights) == 5


def test_a_spec_is_plain_json_that_fetches_nothing() -> None:
    text = json.dumps(chart_spec(chart()), allow_nan=False)
    assert '"url"' not in text
