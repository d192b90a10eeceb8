"""Kill the web process under load. Every acknowledged event must be stored exactly once."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from bot.reception.scoping import senders_id
from tests.functional.stack import eventually
from tests.functional.web import Web

SENDERS = 4
EVENTS_A_BATCH = 50
KILLS = 3


class Sender(threading.Thread):
    """Sends batches and resends each one until it is acknowledged, as client libraries do."""

    def __init__(self, web: Web, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._web = web
        self._stop_sending = stop
        self.acknowledged: list[str] = []

    def run(self) -> None:
        headers = {"X-API-Key": self._web.key}
        with httpx.Client(base_url=self._web.url, headers=headers, timeout=60, trust_env=False) as client:
            for number in itertools.count():
                batch = [self._event(f"{self.name}-{number}-{n}") for n in range(EVENTS_A_BATCH)]
                while not self._taken(client, batch):
                    if self._stop_sending.wait(0.05):
                        return
                self.acknowledged += [str(event["event_id"]) for event in batch]
                if self._stop_sending.is_set():
                    return

    def _event(self, event_id: str) -> dict[str, str | float]:
        return {"event": "load", "event_id": event_id, "user_id": self.name, "timestamp": time.time()}

    def _taken(self, client: httpx.Client, batch: list[dict[str, str | float]]) -> bool:
        try:
            return client.post("/api/events", json=batch).status_code == 201
        except httpx.TransportError:
            return False


def test_every_acknowledged_event_survives_kill_9_and_is_stored_once(tmp_path: Path, sqlite_template: Path) -> None:
    web = Web(tmp_path, f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'argux.db')}")
    stop = threading.Event()
    senders = [Sender(web, f"sender-{n}", stop) for n in range(SENDERS)]
    try:
        web.start()
        for sender in senders:
            sender.start()
        for _ in range(KILLS):
            acknowledged = sum(len(sender.acknowledged) for sender in senders)

            def has_grown(before: int = acknowledged) -> bool:
                return sum(len(sender.acknowledged) for sender in senders) > before + 1_000

            eventually(has_grown, seconds=120, what="a thousand events more")
            web.kill()
            web.start()
        stop.set()
        for sender in senders:
            sender.join(timeout=60)
        web.stop()
        stored = Counter(senders_id(event.event_id) for event in web.store.recent_events(limit=1_000_000))
    finally:
        stop.set()
        web.close()
    wanted = {event_id for sender in senders for event_id in sender.acknowledged}
    assert len(wanted) > KILLS * 1_000
    assert wanted - stored.keys() == set()
    assert set(stored.values()) == {1}
