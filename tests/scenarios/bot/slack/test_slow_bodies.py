"""Slack's door: a body that drips, stalls, ends early or is too large takes nothing from the next click."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from bot.reception.gate import Limits
from bot.slack.app import create_slack_app
from bot.slack.http import LIMITS, slack_route
from tests.scenarios.bot.conftest import SIGNING_SECRET
from tests.scenarios.bot.doors.test_slow_bodies import Trickle
from tests.scenarios.bot.slack.test_slack_door import Sign, click_form, outbox_jobs
from workers.services import Services

QUICK = replace(LIMITS, pause_seconds=0.05, reading_seconds=0.2)


def client_of(services: Services, limits: Limits) -> httpx.AsyncClient:
    route = slack_route(create_slack_app(services), ThreadPoolExecutor(1), SIGNING_SECRET, limits=limits)
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=[route])), base_url="http://argux")


async def test_a_body_that_stalls_is_408_and_the_next_click_is_taken(services: Services, signed: Sign) -> None:
    async with client_of(services, QUICK) as client:
        stalled = await client.post("/slack/events", content=Trickle().chunks())
        assert (stalled.status_code, stalled.headers["Connection"]) == (408, "close")
        body, headers = signed(click_form())
        assert (await client.post("/slack/events", content=body, headers=headers)).status_code == 200
    assert len(outbox_jobs(services)) == 1


async def test_a_signed_body_that_comes_drop_by_drop_is_408(services: Services, signed: Sign) -> None:
    body, headers = signed(click_form())
    go_on = asyncio.Event()

    async def drops() -> AsyncIterator[bytes]:
        for place in range(len(body)):
            yield body[place : place + 1]
            if place == 20:
                await go_on.wait()

    limits = replace(LIMITS, pause_seconds=60.0, reading_seconds=0.2)
    async with client_of(services, limits) as client:
        answer = await client.post("/slack/events", content=drops(), headers=headers)
    assert answer.status_code == 408
    assert outbox_jobs(services) == []


async def test_strangers_that_stall_keep_no_signed_click_out_until_the_gate_is_full(
    services: Services, signed: Sign
) -> None:
    body, headers = signed(click_form())
    async with client_of(services, replace(LIMITS, strangers=2)) as client:
        for full, status in ((1, 200), (2, 429)):
            stalled = [Trickle() for _ in range(full)]
            posts = [asyncio.create_task(client.post("/slack/events", content=one.chunks())) for one in stalled]
            await asyncio.gather(*(one.begun.wait() for one in stalled))
            answer = await client.post("/slack/events", content=body, headers=headers)
            assert answer.status_code == status
            for one in stalled:
                one.go_on.set()
            assert {one.status_code for one in await asyncio.gather(*posts)} == {401}
        assert json.loads(answer.content)["error"]["message"]
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_413_and_is_not_read_to_its_end(services: Services, declared: bool) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"a" * 100_000

    headers = {"Content-Length": "99999999"} if declared else {}
    async with client_of(services, LIMITS) as client:
        answer = await client.post("/slack/events", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent <= 12


@pytest.mark.parametrize("length", ["x", "-1", "9" * 5000, "1e3", "\u0663", ""])
async def test_an_odd_length_is_no_500(services: Services, signed: Sign, length: str) -> None:
    body, headers = signed(click_form())
    async with client_of(services, LIMITS) as client:
        sent = [(name.encode(), value.encode()) for name, value in {**headers, "Content-Length": length}.items()]
        answer = await client.post("/slack/events", content=body, headers=sent)
    assert answer.status_code in (200, 400, 413)
