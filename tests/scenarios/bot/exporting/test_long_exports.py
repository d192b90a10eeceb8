"""An export of many hours is stored as production stores it, hour by hour, so its beginning is there by the minute."""

from __future__ import annotations

from bot.investigate.folder import Exported
from bot.investigate.run import fill
from bot.investigate.throwaway import workshop
from detection.types import LogRecord, MetricPoint
from storage.telemetry.protocol import FINE_LOG_SECONDS, FINE_METRIC_SECONDS, LOG_TEMPLATE

BEGAN = 1_780_000_000.0 - 1_780_000_000.0 % 3600
HOURS = 7


def export() -> Exported:
    """Return a sample and a line a minute, over hours."""
    minutes = range(HOURS * 60)
    return Exported(
        points=[
            MetricPoint(
                point_id=f"p{minute}",
                name="queue_depth",
                service="worker",
                happened_at=BEGAN + 60.0 * minute,
                value=5.0,
                attributes={},
            )
            for minute in minutes
        ],
        logs=[LogRecord(f"l{minute}", "worker", None, BEGAN + 60.0 * minute, "INFO", "job done") for minute in minutes],
        until=BEGAN + HOURS * 3600.0,
    )


def test_the_first_hours_of_a_long_export_are_there_by_the_minute() -> None:
    found = export()
    with workshop() as shop, shop.services(now=found.until) as services:
        fill(services, found)
        (series,) = services.telemetry.metric_series(
            since=BEGAN, until=found.until, bucket_seconds=FINE_METRIC_SECONDS, series=None
        )
        (lines,) = services.telemetry.log_series(
            since=BEGAN, until=found.until, bucket_seconds=FINE_LOG_SECONDS, kind=LOG_TEMPLATE
        )

    assert len(series.bucket_starts) == HOURS * 60
    assert int(lines.line_count.sum()) == HOURS * 60
