"""Bodies that arrive slowly or stall: they time out, and do not block other senders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from bot.reception.gate import Limits
from bot.web.app import create_app
from workers.services import Services

EVENT = {"event": "page_view", "properties": {"user_id": "u1", "timestamp": "2026-02-07T12:00:00Z"}}
JSON = {"Content-Type": "application/json"}
SLOW = ["/capture/", "/2/httpapi", "/v1/batch", "/track"]


def open_client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://argux")


def rejected_count(app: FastAPI, door: str, reason: str) -> float:
    return float(app.state.metrics.rejected.labels(door, reason)._value.get())


class Trickle:
    """A body that starts and then waits for `go_on`."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b'{"a"'
        self.begun.set()
        await self.go_on.wait()
        yield b": 1}"


@asynccontextmanager
async def stalled_requests(client: httpx.AsyncClient, paths: list[str], headers: dict[str, str]) -> AsyncIterator[None]:
    """Keep requests open whose bodies have started, for the duration of the block."""
    bodies = [Trickle() for _ in paths]
    posts = [
        asyncio.create_task(client.post(path, content=body.chunks(), headers={**JSON, **headers}))
        for path, body in zip(paths, bodies, strict=True)
    ]
    await asyncio.gather(*(body.begun.wait() for body in bodies))
    yield
    for body in bodies:
        body.go_on.set()
    await asyncio.gather(*posts)


@pytest.mark.parametrize("key", ["none", "good"])
async def test_bodies_that_stall_do_not_block_a_recognised_sender(
    services: Services, sender: dict[str, str], key: str
) -> None:
    limits = Limits(requests_in_flight=1, strangers=8)
    keys = sender if key == "good" else {}
    async with open_client(create_app(services, limits=limits)) as client, stalled_requests(client, SLOW * 2, keys):
        assert (await client.post("/api/events", json=EVENT, headers=sender)).status_code == 201


async def test_unrecognised_senders_have_their_own_limits_of_requests_and_bytes(
    services: Services, sender: dict[str, str]
) -> None:
    for limits in (Limits(strangers=1), Limits(stranger_bytes=8)):
        app = create_app(services, limits=limits)
        async with open_client(app) as client:
            async with stalled_requests(client, ["/capture/"], {}):
                stranger = await client.post("/capture/", content=b"{       }", headers=JSON)
                known = await client.post("/capture/", json={**EVENT, "distinct_id": "u1"}, headers=sender)
            assert (stranger.status_code, stranger.headers["Retry-After"]) == (429, "1")
            assert (known.status_code, rejected_count(app, "posthog", "busy")) == (200, 1)
            after = await client.post("/capture/", content=b"{}", headers=JSON)
            assert after.status_code in (401, 422)


async def test_a_body_that_stalls_is_408_and_counted(services: Services, sender: dict[str, str]) -> None:
    app = create_app(services, limits=Limits(pause_seconds=0.05))
    async with open_client(app) as client:
        answer = await client.post("/api/events", content=Trickle().chunks(), headers={**JSON, **sender})
        assert (answer.status_code, answer.headers["Connection"]) == (408, "close")
        assert "may pause for 0.05 seconds" in answer.json()["error"]["message"]
        assert rejected_count(app, "events", "too_slow") == 1
        assert (await client.post("/v1/traces", content=Trickle().chunks(), headers={**JSON, **sender})).json()[
            "code"
        ] == 4


async def test_a_body_that_trickles_for_too_long_is_408(services: Services, sender: dict[str, str]) -> None:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield b" "

    limits = Limits(pause_seconds=5, reading_seconds=0.2)
    async with open_client(create_app(services, limits=limits)) as client:
        answer = await client.post("/api/events", content=drops(), headers={**JSON, **sender})
    assert answer.status_code == 408
    assert "take 0.2 in all" in answer.json()["error"]["message"]


async def test_a_slow_body_that_keeps_arriving_is_stored(services: Services, sender: dict[str, str]) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        body = json.dumps(EVENT).encode()
        for start in range(0, len(body), 20):
            await asyncio.sleep(0.5)
            yield body[start : start + 20]

    async with open_client(create_app(services, limits=Limits(pause_seconds=2.0))) as client:
        answer = await client.post("/api/events", content=slowly(), headers={**JSON, **sender})
    assert answer.status_code == 201
