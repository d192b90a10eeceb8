"""Store alerts that monitoring systems send: the alert, its metric points and its log record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.reception.scoping import within
from detection.types import LogRecord
from integrations.inbound.monitoring.alerts import Alert, to_change, to_points, to_record
from storage.alerts import record_alerts
from storage.telemetry.protocol import Appended, TelemetryStore
from storage.telemetry.rows.keys import mapping_without_keys, text_without_keys
from workers.services import Services


def alert_appender(services: Services) -> Callable[[TelemetryStore, Sequence[Alert | LogRecord]], Appended]:
    """Return the `append` function of an alert door.

    Each of the three writes is idempotent, so a delivery that fails halfway can be sent again.
    """

    def append(store: TelemetryStore, records: Sequence[Alert | LogRecord]) -> Appended:
        now = services.clock()
        records = [_without_keys(record) if isinstance(record, Alert) else record for record in records]
        alerts = [record for record in records if isinstance(record, Alert)]
        changes = [change for change in map(to_change, alerts) if change is not None]
        if changes:
            with services.sessions.begin() as session:
                record_alerts(session, changes, now=now)
        points = [point for alert in alerts for point in to_points(alert, now=now.timestamp())]
        if points:
            store.append_metric_points(points)
        return store.append_logs([_log_record(record) for record in records])

    return append


def _without_keys(alert: Alert) -> Alert:
    """Return the alert without keys in what is stored of it: its template may put anything into the words."""
    return replace(
        alert,
        name=text_without_keys(alert.name),
        key=text_without_keys(alert.key),
        summary=text_without_keys(alert.summary),
        details=mapping_without_keys(alert.details),
        together=text_without_keys(alert.together) if alert.together else alert.together,
    )


def _log_record(record: Alert | LogRecord) -> LogRecord:
    if isinstance(record, LogRecord):
        return record
    made = to_record(record)
    return within(made, record.application) if record.application else made
