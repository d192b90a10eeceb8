"""Alertmanager, as far as Argux hears of it: notifications by the test's clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bot.doors.alert_storage import alert_appender
from integrations.inbound.monitoring.alertmanager import read_alertmanager
from tests.scenarios.workers.worker import Clock
from workers.services import Services


class Alertmanager:
    """Sends notifications as Alertmanager does, by the test's clock."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock = services, clock
        self.began: dict[str, str] = {}

    def _iso(self) -> str:
        return datetime.fromtimestamp(self.clock().timestamp(), UTC).isoformat().replace("+00:00", "Z")

    def alert(self, name: str, status: str, **labels: str) -> dict[str, Any]:
        key = f"{name}{sorted(labels.items())}"
        if status == "firing":
            self.began.setdefault(key, self._iso())
        body = {
            "status": status,
            "labels": {"alertname": name, "service": "shop", "severity": "critical", **labels},
            "annotations": {"summary": f"{name} it is"},
            "startsAt": self.began[key],
            "endsAt": self._iso() if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": key,
        }
        if status == "resolved":
            del self.began[key]
        return body

    def send(self, *alerts: dict[str, Any]) -> None:
        body = json.dumps({"version": "4", "groupKey": "{}:{}", "receiver": "argux", "alerts": alerts}).encode()
        parsed = read_alertmanager(body, now=self.clock().timestamp())
        assert not parsed.rejections
        alert_appender(self.services)(self.services.telemetry, parsed.records)
