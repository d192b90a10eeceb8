"""Charts as Vega-Lite specifications: one specification for the dashboard, and its PNG for chat and mail.

The input is plain data, none of Argux's tables. Charts must be readable on a phone and by people who cannot tell
colours apart: the palette is by Okabe and Ito, and each line also has its own dash pattern or label.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

from detection.types import JsonValue, Metric
from integrations.errors import RetryableError

WIDTH = 720
HEIGHT = 320
SCALE = 2.0
RENDER_SECONDS = 20
MEASURED = "#0072B2"
USUAL = "#666666"
ONSET = "#D55E00"
DEPLOY = "#7B3294"
FIX = "#00735C"
LABEL_HEIGHT = 24
DEPLOYS_SHOWN = 4
DAY_SECONDS = 86_400
SECONDS_FROM_MS = 2_000.0


@dataclass(frozen=True, slots=True)
class Point:
    """A measurement: `at` in seconds UTC, `value` in the metric's own unit, None if nothing was measured."""

    at: float
    value: float | None


@dataclass(frozen=True, slots=True)
class BandPoint:
    """The expected value at a time, with its lower and upper bound."""

    at: float
    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at a time, such as a deploy ("deploy v42")."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A metric over time. Values are in the metric's own unit, such as a rate from 0 to 1 or milliseconds."""

    title: str
    metric: Metric
    points: Sequence[Point]
    band: Sequence[BandPoint] = ()
    onset_at: float | None = None
    deploys: Sequence[Marker] = ()
    fix_live_at: float | None = None
    timezone: str = "UTC"
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class _Unit:
    """How a metric's values are shown: the axis title, the divisor and the number format."""

    name: str
    divisor: float
    number_format: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A vertical line with a label."""

    at: float
    label: str
    colour: str
    dash: tuple[int, ...]


def chart_spec(chart: Chart) -> dict[str, JsonValue]:
    """Return the chart as a Vega-Lite 5 specification with inline data and times in the chart's time zone."""
    unit = _unit(chart)
    zone = _clock(chart)
    layers: list[JsonValue] = [
        *_band(chart.band, unit, zone),
        _line(chart.points, unit, zone),
        *_rules(chart, zone),
    ]
    return {
        **chart_frame(chart.title, _subtitle(chart), title_limit=WIDTH + 60),
        "encoding": {"x": _time_axis(chart), "y": _value_axis(unit)},
        "layer": layers,
        "config": {
            "font": "sans-serif",
            "axis": {"labelFontSize": 18, "titleFontSize": 18, "titleFontWeight": "normal", "gridColor": "#E5E5E5"},
            "view": {"stroke": None},
        },
    }


def chart_frame(title: str, subtitle: str, *, title_limit: int) -> dict[str, JsonValue]:
    """Return the size, background and title of a specification, alike in all charts; title_limit: in pixels."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "padding": 16,
        "title": {
            "text": title,
            "subtitle": subtitle,
            "anchor": "start",
            "limit": title_limit,
            "fontSize": 24,
            "subtitleFontSize": 17,
            "subtitleColor": "#444444",
            "offset": 14,
        },
    }


def render_png(spec: dict[str, JsonValue]) -> bytes:
    """Draw a specification as a PNG at twice its size, in a separate process (see integrations.chart_renderer).

    Raises RetryableError if drawing fails or takes longer than RENDER_SECONDS.
    """
    command = [sys.executable, "-m", "integrations.chart_renderer", str(SCALE)]
    try:
        drawn = subprocess.run(  # noqa: S603 - our own module
            command, input=json.dumps(spec).encode(), capture_output=True, check=True, timeout=RENDER_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        tail = (error.stderr or b"").decode(errors="replace")[-300:]
        raise RetryableError("Chart", f"it could not be drawn: {tail or error}") from error
    return drawn.stdout


def _unit(chart: Chart) -> _Unit:
    if chart.metric is Metric.CONVERSION_RATE:
        return _Unit("conversion rate", 1.0, ".0%")
    if chart.metric is Metric.QUERY_COUNT:
        return _Unit("queries per request", 1.0, ",.0f")
    if chart.metric is Metric.ERROR_RATE:
        return _Unit("error rate", 1.0, ".0%")
    if chart.metric is Metric.REQUEST_RATE:
        return _Unit("requests a minute", 1.0, ",.0f")
    if chart.metric is Metric.CUSTOM:
        return _Unit("value", 1.0, "~s")
    if chart.metric is Metric.LOG_RATE:
        return _Unit("lines a minute", 1.0, ",.0f")
    highest = max((point.value for point in chart.points if point.value is not None), default=0.0)
    if highest >= SECONDS_FROM_MS:
        return _Unit("p95 latency (s)", 1000.0, ".1f")
    return _Unit("p95 latency (ms)", 1.0, ",.0f")


def _subtitle(chart: Chart) -> str:
    """Return what the lines mean, and whose clock the times are by: a picture cannot show each reader their own."""
    clock = _clock(chart)
    winter = "" if isinstance(clock, ZoneInfo) else f" ({clock.tzname(None)}: the clocks went back)"
    return f"{chart.subtitle or _legend(chart)} · times in {chart.timezone}{winter}"


def _clock(chart: Chart) -> tzinfo:
    """Return the chart's zone, or the time that it has at the chart's end if its clocks go back within the chart.

    Otherwise the line would run back by an hour and cross itself.
    """
    zone = ZoneInfo(chart.timezone)
    first, last = (datetime.fromtimestamp(at, zone) for at in _time_range(chart))
    before, after = first.utcoffset(), last.utcoffset()
    if before is None or after is None or after >= before:
        return zone
    return timezone(after, last.tzname() or chart.timezone)


def _legend(chart: Chart) -> str:
    """Return one line that explains how to read the chart."""
    parts = ["line: measured"]
    if chart.band:
        parts.append("grey: usual for this hour")
    return " · ".join(parts)


def _wall_clock(at: float, zone: tzinfo) -> float:
    """Shift a time so that a UTC axis shows the zone's local time. Vega knows only UTC and the viewer's zone."""
    local = datetime.fromtimestamp(at, zone).replace(tzinfo=UTC)
    return round(local.timestamp() * 1000)


def _time_axis(chart: Chart) -> dict[str, JsonValue]:
    first, last = _time_range(chart)
    return {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {
            "title": None,
            "format": "%a %H:%M" if last - first > DAY_SECONDS else "%H:%M",
            "tickCount": 6,
            "labelOverlap": True,
        },
    }


def _value_axis(unit: _Unit) -> dict[str, JsonValue]:
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": unit.name, "format": unit.number_format, "tickCount": 5},
    }


def _band(band: Sequence[BandPoint], unit: _Unit, zone: tzinfo) -> list[JsonValue]:
    """Return the expected range as a grey area, with the expected value as a dashed line."""
    if not band:
        return []
    rows: list[JsonValue] = [
        {
            "at": _wall_clock(point.at, zone),
            "value": point.expected / unit.divisor,
            "low": point.low / unit.divisor,
            "high": point.high / unit.divisor,
        }
        for point in band
    ]
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "color": USUAL, "opacity": 0.22},
            "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
        },
        {"data": {"values": rows}, "mark": {"type": "line", "color": USUAL, "strokeDash": [6, 4], "strokeWidth": 2}},
    ]


def _line(points: Sequence[Point], unit: _Unit, zone: tzinfo) -> dict[str, JsonValue]:
    rows: list[JsonValue] = [
        {
            "at": _wall_clock(point.at, zone),
            "value": None if point.value is None else point.value / unit.divisor,
        }
        for point in points
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "line", "color": MEASURED, "strokeWidth": 3.5, "strokeJoin": "round"},
    }


def _marked_events(chart: Chart) -> list[_Rule]:
    """Return the rules for the events in the time range, in the order of their labels from top to bottom.

    In the right half a label is left of its rule, in the left half it is right of it. In this order no rule crosses
    another rule's label.
    """
    first, last = _time_range(chart)
    deploys = [_Rule(deploy.at, deploy.label, DEPLOY, (2, 4)) for deploy in chart.deploys if first <= deploy.at <= last]
    rules = deploys[-DEPLOYS_SHOWN:]
    if chart.onset_at is not None:
        rules.append(_Rule(chart.onset_at, "trouble begins", ONSET, (1, 0)))
    if chart.fix_live_at is not None:
        rules.append(_Rule(chart.fix_live_at, "fix live", FIX, (10, 4)))
    middle = (first + last) / 2
    late = sorted((rule for rule in rules if rule.at > middle), key=lambda rule: -rule.at)
    early = sorted((rule for rule in rules if rule.at <= middle), key=lambda rule: rule.at)
    return [*late, *early]


def _time_range(chart: Chart) -> tuple[float, float]:
    """Return the first and the last time of the chart."""
    moments = [chart.onset_at, chart.fix_live_at, *(point.at for point in chart.points), *(at.at for at in chart.band)]
    times = [moment for moment in moments if moment is not None]
    return (min(times), max(times)) if times else (0.0, 0.0)


def _rules(chart: Chart, zone: tzinfo) -> Iterable[JsonValue]:
    """Yield vertical lines for deploys, the onset and the fix. The labels are above the plot and hide no data."""
    rules = _marked_events(chart)
    first, last = _time_range(chart)
    for place, rule in enumerate(rules):
        data: dict[str, JsonValue] = {"values": [{"at": _wall_clock(rule.at, zone), "label": rule.label}]}
        x: dict[str, JsonValue] = {"field": "at", "type": "temporal"}
        label_at: JsonValue = -12 - LABEL_HEIGHT * (len(rules) - 1 - place)
        late = rule.at > (first + last) / 2
        yield {
            "data": data,
            "mark": {"type": "rule", "color": rule.colour, "strokeWidth": 3, "strokeDash": list(rule.dash)},
            "encoding": {"x": x, "y": {"value": label_at}, "y2": {"value": HEIGHT}},
        }
        yield {
            "data": data,
            "mark": {
                "type": "text",
                "color": rule.colour,
                "fontSize": 18,
                "fontWeight": "bold",
                "align": "right" if late else "left",
                "dx": -8 if late else 8,
            },
            "encoding": {"x": x, "y": {"value": label_at}, "text": {"field": "label"}},
        }
