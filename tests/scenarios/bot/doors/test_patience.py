"""How long senders wait while the database is locked or every thread is busy."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from bot.errors import UnavailableError
from bot.reception.receive import STORING_THREADS, Reception
from bot.web.app import create_app
from storage.database.patience import Patience
from workers.services import Services

PATIENCE = 2.0
AT_MOST = 16.0
"""Seconds. If each group of four waited in turn for its own timeout, forty senders would take 20 s and more."""


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.reception.receive.PATIENCE_SECONDS", PATIENCE)


@contextmanager
def locked_database(services: Services) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(services.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


def event(number: int) -> dict[str, object]:
    return {"event": "view", "user_id": f"u{number}", "timestamp": 1_770_465_600}


async def send_all(
    services: Services, bodies: list[object], key: dict[str, str]
) -> list[tuple[int, str | None, float]]:
    """Send requests in parallel; return (status, Retry-After, seconds) of each."""
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://argux", timeout=20) as client:
        assert (await client.post("/api/events", json=[], headers=key)).status_code < 500

        async def send(body: object) -> tuple[int, str | None, float]:
            began = time.monotonic()
            answer = await client.post("/api/events", json=body, headers=key)
            return answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - began

        return await asyncio.gather(*(send(body) for body in bodies))


@pytest.mark.parametrize("size", [1, 30])
async def test_while_the_database_is_locked_every_queued_request_is_answered_in_time(
    services: Services, sender: dict[str, str], size: int
) -> None:
    bodies: list[object] = [[event(number * size + place) for place in range(size)] for number in range(40)]
    with locked_database(services):
        found = await send_all(services, bodies, sender)
    assert {(status, again) for status, again, _ in found} == {(503, "1")}
    assert max(seconds for *_, seconds in found) < AT_MOST


async def test_a_lock_that_is_released_in_time_causes_no_error(
    services: Services, sender: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.reception.receive.PATIENCE_SECONDS", 60.0)
    with locked_database(services) as other:
        waiting = asyncio.create_task(send_all(services, [event(1), [event(n) for n in range(2, 32)]], sender))
        await asyncio.sleep(0.3)
        other.rollback()
        assert [status for status, *_ in await waiting] == [201, 201]
    assert sum(found.count for found in services.telemetry.event_types()) == 31


async def test_a_request_that_gets_no_thread_is_refused_in_time(services: Services) -> None:
    reception: Reception = create_app(services).state.reception
    go_on = threading.Event()
    working = [asyncio.create_task(reception.in_thread(partial(go_on.wait, 60))) for _ in range(STORING_THREADS)]
    await asyncio.sleep(0.01)
    with pytest.raises(UnavailableError, match="send it again in 1 second"):
        await reception.in_thread(lambda: None)
    go_on.set()
    assert await asyncio.gather(*working) == [True] * STORING_THREADS
    assert await reception.in_thread(lambda: "stored") == "stored"


async def test_waiting_for_a_thread_and_for_the_database_count_together(services: Services) -> None:
    reception: Reception = create_app(services).state.reception
    patience, go_on = Patience(60.0), threading.Event()
    busy = [
        asyncio.create_task(reception.in_thread(partial(go_on.wait, 60), Patience(60.0)))
        for _ in range(STORING_THREADS)
    ]
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(reception.in_thread(lambda: time.sleep(0.05), patience))
    # Release the threads only after the request has waited for one, however late it started.
    await asyncio.sleep(1.0)
    go_on.set()
    await waiting
    assert patience.left < 59.9
    await asyncio.gather(*busy)
