"""A metric's history with its alarms, as a Vega-Lite specification."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detection.statistics.baselines import Mask
from detection.types import Floats, JsonValue
from integrations.charts import HEIGHT, MEASURED, ONSET, USUAL, WIDTH

DRAWN = 1500
"""Points of the line; of a longer history each stretch gives its lowest and its highest, so that no spike is lost."""


@dataclass(frozen=True, slots=True)
class Course:
    """What the chart shows, all (n,): what was measured, within what it is usual, and where an alarm began.

    low and high are NaN where nothing was known yet.
    """

    times: Floats
    values: Floats
    low: Floats
    high: Floats
    fired: Mask


def chart_of(course: Course, title: str) -> dict[str, JsonValue]:
    """The measured line, the usual range in grey and a dot for each alarm; times in UTC, data inline."""
    alarms = int(course.fired.sum())
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "padding": 16,
        "title": {
            "text": title,
            "subtitle": f"line: measured · grey: usual · {alarms} alarm{'' if alarms == 1 else 's'} · times in UTC",
            "anchor": "start",
            "limit": WIDTH,
            "fontSize": 24,
            "subtitleFontSize": 17,
            "subtitleColor": "#444444",
            "offset": 14,
        },
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
        "layer": [_band(course), _line(course), *_alarms(course)],
        "config": {
            "font": "sans-serif",
            "axis": {"labelFontSize": 18, "gridColor": "#E5E5E5"},
            "view": {"stroke": None},
        },
    }


def _band(course: Course) -> dict[str, JsonValue]:
    known = np.flatnonzero(np.isfinite(course.low))
    shown = known[:: max(len(known) * 2 // DRAWN, 1)]
    rows: list[JsonValue] = [
        {
            "at": _milliseconds(course.times[place]),
            "low": float(course.low[place]),
            "high": float(course.high[place]),
        }
        for place in shown
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "area", "color": USUAL, "opacity": 0.22},
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }


def _line(course: Course) -> dict[str, JsonValue]:
    rows: list[JsonValue] = [
        {"at": _milliseconds(course.times[place]), "value": float(course.values[place])}
        for place in drawn_places(course.values)
    ]
    return {"data": {"values": rows}, "mark": {"type": "line", "color": MEASURED, "strokeWidth": 1.5}}


def _alarms(course: Course) -> list[JsonValue]:
    """Dots where the detector fired, with a rule each so that one on the line's edge is still seen."""
    rows: list[JsonValue] = [
        {"at": _milliseconds(course.times[place]), "value": float(course.values[place])}
        for place in np.flatnonzero(course.fired)
    ]
    x: dict[str, JsonValue] = {"field": "at", "type": "temporal"}
    whole: dict[str, JsonValue] = {"x": x, "y": {"value": 0}, "y2": {"value": HEIGHT}}
    rule: dict[str, JsonValue] = {"type": "rule", "color": ONSET, "strokeDash": [4, 4], "opacity": 0.6}
    dot: dict[str, JsonValue] = {"type": "point", "color": ONSET, "filled": True, "size": 110, "opacity": 1}
    return [
        {"data": {"values": rows}, "mark": rule, "encoding": whole},
        {"data": {"values": rows}, "mark": dot},
    ]


def drawn_places(values: Floats) -> list[int]:
    """Which points to draw: all, or the lowest and the highest of each of equal stretches, in order of time."""
    if len(values) <= DRAWN:
        return list(range(len(values)))
    edges = np.linspace(0, len(values), DRAWN // 2 + 1).astype(int)
    extremes = {
        int(start + pick(values[start:stop])) for start, stop in pairwise(edges) for pick in (np.argmin, np.argmax)
    }
    return sorted(extremes)


def _milliseconds(time: float) -> int:
    return round(float(time) * 1000)
