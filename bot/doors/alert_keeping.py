"""What the doors of alerts do with them: the alert itself, its log record and its numbers, all before the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detection.types import LogRecord
from integrations.inbound.monitoring.alerts import Alert, to_change, to_points, to_record
from storage.alerts import record_alerts
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.services import Services


def keeping_alerts(services: Services) -> Callable[[TelemetryStore, Sequence[Alert | LogRecord]], Appended]:
    """How a door appends. Each part recognises what it has already, so that a delivery cut short is sent again."""

    def keep(store: TelemetryStore, records: Sequence[Alert | LogRecord]) -> Appended:
        now = services.clock()
        alerts = [record for record in records if isinstance(record, Alert)]
        changes = [change for change in map(to_change, alerts) if change is not None]
        if changes:
            with services.sessions.begin() as session:
                record_alerts(session, changes, now=now)
        points = [point for alert in alerts for point in to_points(alert, now=now.timestamp())]
        if points:
            store.append_metric_points(points)
        return store.append_logs([to_record(record) if isinstance(record, Alert) else record for record in records])

    return keep
