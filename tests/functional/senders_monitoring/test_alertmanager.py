"""Debian's Alertmanager, configured as in docs/connecting.md."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from detection.types import LogRecord
from tests.functional.senders_monitoring.conftest import missing
from tests.functional.stack import eventually
from tests.functional.web import Web
from tests.ports import free_port

CONFIGURATION = """
route:
  receiver: argux
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1m
receivers:
  - name: argux
    webhook_configs:
      - url: {url}/alertmanager/webhook
        send_resolved: true
        http_config:
          authorization:
            credentials: {key}
"""


@pytest.fixture
def alertmanager(web: Web, tmp_path: Path) -> Iterator[str]:
    """Start Alertmanager and return its URL."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        missing("Alertmanager", "apt-get install prometheus-alertmanager")
    configuration = tmp_path / "alertmanager.yml"
    configuration.write_text(CONFIGURATION.format(url=web.url, key=web.key))
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        f"--config.file={configuration}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([str(binary), *arguments], stdout=log, stderr=log)
    try:
        eventually(lambda: _is_ready(address, process, tmp_path), seconds=60, what="Alertmanager")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_ready(address: str, process: subprocess.Popen[bytes], directory: Path) -> bool:
    assert process.poll() is None, (directory / "log").read_text()
    try:
        return httpx.get(f"http://{address}/-/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False


def post_alert(alertmanager: str, starts_at: datetime, ends_at: datetime | None = None) -> None:
    alert = {
        "labels": {"alertname": "RefundsFail", "service": "shop", "severity": "critical"},
        "annotations": {"summary": "5 % of requests fail"},
        "startsAt": starts_at.isoformat(),
        "generatorURL": "http://prometheus.example/graph",
    } | ({"endsAt": ends_at.isoformat()} if ends_at else {})
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[alert], trust_env=False, timeout=60).raise_for_status()


def test_a_firing_and_a_resolved_alert_are_stored_once_each(web: Web, alertmanager: str) -> None:
    started_at = datetime.now(UTC) - timedelta(minutes=1)

    before = accepted(web)
    post_alert(alertmanager, started_at)
    [firing] = eventually(lambda: stored(web, 1), seconds=60, what="the alert")
    post_alert(alertmanager, started_at, datetime.now(UTC) - timedelta(milliseconds=100))
    firing_again, resolved = eventually(lambda: stored(web, 2), seconds=60, what="its end")

    assert firing == firing_again
    assert (firing.service, firing.severity) == ("shop", "FATAL")
    assert firing.body == "RefundsFail is firing: 5 % of requests fail"
    assert abs(firing.happened_at - started_at.timestamp()) < 1e-3
    assert (resolved.severity, resolved.attributes["status"]) == ("INFO", "resolved")
    assert resolved.attributes["alert"] == "RefundsFail"
    # The metrics are updated shortly after the records are stored.
    eventually(lambda: accepted(web) >= before + 2, seconds=60, what="both to be counted")


def stored(web: Web, count: int) -> list[LogRecord] | None:
    found = [record for record in web.logs() if record.attributes.get("alert") == "RefundsFail"]
    return found if len(found) >= count else None


def accepted(web: Web) -> float:
    """How many alerts the door has counted; other senders use the same process."""
    found = re.search(r'^argux_ingest_accepted_total\{door="alertmanager"\} (\S+)', web.metrics(), re.MULTILINE)
    return float(found[1]) if found else 0.0
