"""Build the chart of a calibration, as a Vega-Lite specification: the curve, and how often answers were right."""

from __future__ import annotations

from bot.calibration import ScopeReport
from detection.types import JsonValue
from integrations.charts import MEASURED, ONSET, USUAL, WIDTH, chart_frame


def calibration_chart(report: ScopeReport) -> dict[str, JsonValue]:
    """Return the specification: the curve as a line, a dot with its 95 % interval for each bin, and the diagonal."""
    counted = f"{report.outcomes:,} outcome{'' if report.outcomes == 1 else 's'}"
    subtitle = f"line: what is said ({report.curve.method}) · dots: share right, 95 % interval · {counted}"
    return {
        **chart_frame("How sure, and how often right", subtitle, title_limit=WIDTH),
        "encoding": {"x": _axis("raw", "confidence by the evidence alone"), "y": _axis("said", "said, and right")},
        "layer": [_diagonal(), _curve(report), *_bins(report)],
        "config": {
            "font": "sans-serif",
            "axis": {"labelFontSize": 18, "titleFontSize": 18, "titleFontWeight": "normal", "gridColor": "#E5E5E5"},
            "view": {"stroke": None},
        },
    }


def _axis(field: str, title: str) -> dict[str, JsonValue]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": title, "format": ".0%", "tickCount": 5},
    }


def _diagonal() -> dict[str, JsonValue]:
    values: list[JsonValue] = [{"raw": 0, "said": 0}, {"raw": 1, "said": 1}]
    return {"data": {"values": values}, "mark": {"type": "line", "color": USUAL, "strokeDash": [6, 4]}}


def _curve(report: ScopeReport) -> dict[str, JsonValue]:
    values: list[JsonValue] = [{"raw": raw, "said": said} for raw, said in report.curve.points]
    return {"data": {"values": values}, "mark": {"type": "line", "color": MEASURED, "strokeWidth": 3.5}}


def _bins(report: ScopeReport) -> list[JsonValue]:
    values: list[JsonValue] = [
        {"raw": one.mean_probability, "said": one.share_right, "low": one.low, "high": one.high}
        for one in report.raw_bins
    ]
    if not values:
        return []
    data: dict[str, JsonValue] = {"values": values}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": ONSET, "strokeWidth": 2},
            "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
        },
        {"data": data, "mark": {"type": "point", "color": ONSET, "filled": True, "size": 110, "opacity": 1}},
    ]
