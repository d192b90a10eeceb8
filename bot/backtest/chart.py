"""Build the chart of a history with its alarms, as a Vega-Lite specification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bot.backtest.shown_zone import ShownZone
from detection.statistics.baselines import Mask
from detection.types import Floats, JsonValue
from integrations.charts import HEIGHT, MEASURED, ONSET, USUAL, WIDTH, chart_frame

_UTC = ShownZone()

MOST_POINTS = 1500
"""The most points of the line. A longer history is drawn by the minimum and maximum of equal parts, to keep spikes."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """The data of the chart, (n,) each: measured values, the usual range, and where an alarm began.

    low, high: the usual range, NaN where it was not known yet.
    """

    times: Floats
    values: Floats
    low: Floats
    high: Floats
    fired: Mask


def chart_specification(chart_data: ChartData, title: str, zone: ShownZone = _UTC) -> dict[str, JsonValue]:
    """Return the specification: measured line, usual range in grey, a dot per alarm. Times in `zone`, data inline."""
    ahead = np.array([zone.offset(time) for time in chart_data.times.tolist()])
    drawn = replace(chart_data, times=chart_data.times + ahead)
    alarms = int(chart_data.fired.sum())
    subtitle = f"line: measured · grey: usual · {alarms} alarm{'' if alarms == 1 else 's'} · times in {zone.name}"
    return {
        **chart_frame(title, subtitle, title_limit=WIDTH),
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "scale": {"type": "utc"},
                "axis": {"title": None, "tickCount": 6, "labelOverlap": True},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"zero": False, "nice": True},
                "axis": {"title": None, "tickCount": 5},
            },
        },
        "layer": [_range_layer(drawn), _line_layer(drawn), *_alarm_layers(drawn)],
        "config": {
            "font": "sans-serif",
            "axis": {"labelFontSize": 18, "gridColor": "#E5E5E5"},
            "view": {"stroke": None},
        },
    }


def _range_layer(chart_data: ChartData) -> dict[str, JsonValue]:
    known = np.flatnonzero(np.isfinite(chart_data.low))
    shown = known[:: max(len(known) * 2 // MOST_POINTS, 1)]
    rows: list[JsonValue] = [
        {
            "at": _milliseconds(chart_data.times[index]),
            "low": float(chart_data.low[index]),
            "high": float(chart_data.high[index]),
        }
        for index in shown
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "area", "color": USUAL, "opacity": 0.22},
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }


def _line_layer(chart_data: ChartData) -> dict[str, JsonValue]:
    rows: list[JsonValue] = [
        {"at": _milliseconds(chart_data.times[index]), "value": float(chart_data.values[index])}
        for index in drawn_indices(chart_data.values)
    ]
    return {"data": {"values": rows}, "mark": {"type": "line", "color": MEASURED, "strokeWidth": 1.5}}


def _alarm_layers(chart_data: ChartData) -> list[JsonValue]:
    """Return a dot per alarm, and a vertical rule so that a dot at the edge of the line is still visible."""
    rows: list[JsonValue] = [
        {"at": _milliseconds(chart_data.times[index]), "value": float(chart_data.values[index])}
        for index in np.flatnonzero(chart_data.fired)
    ]
    x: dict[str, JsonValue] = {"field": "at", "type": "temporal"}
    whole: dict[str, JsonValue] = {"x": x, "y": {"value": 0}, "y2": {"value": HEIGHT}}
    rule: dict[str, JsonValue] = {"type": "rule", "color": ONSET, "strokeDash": [4, 4], "opacity": 0.6}
    dot: dict[str, JsonValue] = {"type": "point", "color": ONSET, "filled": True, "size": 110, "opacity": 1}
    return [
        {"data": {"values": rows}, "mark": rule, "encoding": whole},
        {"data": {"values": rows}, "mark": dot},
    ]


def drawn_indices(values: Floats) -> list[int]:
    """Return the indices of the points to draw: all, or the minimum and maximum of equal parts, in order of time."""
    if len(values) <= MOST_POINTS:
        return list(range(len(values)))
    edges = np.linspace(0, len(values), MOST_POINTS // 2 + 1).astype(int)
    extremes = {
        int(start + pick(values[start:stop])) for start, stop in pairwise(edges) for pick in (np.argmin, np.argmax)
    }
    return sorted(extremes)


def _milliseconds(time: float) -> int:
    return round(float(time) * 1000)
