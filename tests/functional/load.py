"""A whole Argux under a steady load of events: how long a fault takes to become an incident."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.functional.stack import FUNNEL, Stack, eventually, posted

WITHIN_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Load:
    """Posts per second, and events per post."""

    posts_a_second: float
    events_a_post: int = 1

    @property
    def name(self) -> str:
        if not self.posts_a_second:
            return "quiet"
        events = self.posts_a_second * self.events_a_post
        return f"{events:g} events/s" + (f" in batches of {self.events_a_post}" if self.events_a_post > 1 else "")


QUIET = Load(0)


@contextmanager
def sending(stack: Stack, key: str, load: Load) -> Iterator[dict[str, Any]]:
    """Send during the block. Afterwards the dictionary says how many posts were sent and refused."""
    counts: dict[str, Any] = {}
    if not load.posts_a_second:
        yield counts
        return
    port = str(stack.api.base_url.port)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.functional.paced_sender",
            port, key, str(load.posts_a_second), str(load.events_a_post),
        ],
        stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield counts
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=60)
        counts |= json.loads(printed)


def define_funnel(stack: Stack) -> None:
    posted(stack.api, "/api/funnels", json=FUNNEL)


def alert_notification(name: str, service: str) -> dict[str, Any]:
    """Return what Alertmanager sends when an alert of the service begins to fire."""
    alert = {
        "status": "firing",
        "labels": {"alertname": name, "service": service, "severity": "critical"},
        "annotations": {"summary": "too many errors"},
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": name,
    }
    return {"version": "4", "groupKey": name, "receiver": "argux", "status": "firing", "alerts": [alert]}


def seconds_until_an_alert_is_an_incident(stack: Stack, name: str) -> float:
    """Fire an alert about a service of its own; return how long its incident takes."""
    began = time.monotonic()
    posted(stack.api, "/alertmanager/webhook", json=alert_notification(name, f"{name}-service"))
    eventually(
        lambda: any(str(one["title"]).startswith(name) for one in stack.incidents()),
        seconds=WITHIN_SECONDS,
        what=f"the incident of {name}",
    )
    return time.monotonic() - began


def lag_seconds(stack: Stack) -> dict[str, float]:
    answer: dict[str, Any] = stack.api.get("/api/status").raise_for_status().json()
    return dict(answer["lag_seconds"])
