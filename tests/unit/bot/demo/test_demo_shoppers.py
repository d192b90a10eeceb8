"""Simulated shoppers complete the funnel, give up when it is slow, and retry lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from random import Random

import httpx
import pytest

from bot.demo.behaviour import STEPS, Shopper, Step
from bot.demo.shoppers import Shoppers

Answer = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]

KNOWN = {"user_id": "u1", "order_id": 7}


def shopper(patience_seconds: float = 60.0) -> Shopper:
    """A shopper who intends to take every step, without pauses."""
    return Shopper("DE", "mobile", "card", patience_seconds, STEPS, (0.0,) * len(STEPS))


@pytest.fixture
def shoppers() -> Shoppers:
    return Shoppers("http://shop", ["SKU-1"], Random(1), per_second=200)


async def walk(shoppers: Shoppers, visitor: Shopper, answer: Answer) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://shop") as client:
        await shoppers.visit(client, visitor)


async def test_a_shopper_served_at_once_completes_every_step(shoppers: Shoppers) -> None:
    asked: list[tuple[str, bytes]] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.content))
        return httpx.Response(200, json=KNOWN)

    await walk(shoppers, shopper(), answer)
    assert [path for path, _ in asked] == list(STEPS)
    assert b'"payment_method":"card"' in asked[2][1]
    assert asked[3][1] == b'{"order_id":7}'
    expected: dict[str, int] = {"arrived": 1}
    expected.update(dict.fromkeys(STEPS, 1))
    assert shoppers.tally == expected
    assert all(len(seconds) == 1 for seconds in shoppers.response_seconds.values())


async def test_a_shopper_who_waits_too_long_at_checkout_gives_up_and_never_pays(shoppers: Shoppers) -> None:
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == Step.CHECKOUT:
            await asyncio.sleep(100)
        return httpx.Response(200, json=KNOWN)

    await walk(shoppers, shopper(patience_seconds=1.5), answer)
    assert asked == [Step.SIGN_UP, Step.CART, Step.CHECKOUT]
    assert shoppers.tally["gave_up"] == 1
    assert shoppers.tally[Step.PAYMENT] == 0


async def test_a_refused_connection_is_retried(shoppers: Shoppers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.demo.shoppers.RETRY_SECONDS", 0.0)
    refusals = iter(range(5))

    async def answer(request: httpx.Request) -> httpx.Response:
        if next(refusals, None) is not None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json=KNOWN)

    await walk(shoppers, shopper(), answer)
    assert shoppers.tally[Step.PAYMENT] == 1


async def test_a_shop_error_ends_the_visit_and_is_counted(shoppers: Shoppers) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.url.path == Step.CART else 200, json=KNOWN)

    await walk(shoppers, shopper(), answer)
    assert shoppers.tally["turned_away"] == 1
    assert shoppers.tally[Step.CART] == 0


@pytest.fixture
async def slow_shop() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that never responds, and an event that is set when a connection is open."""
    connected = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connected


async def test_all_shoppers_stop_at_once_when_cancelled(
    slow_shop: tuple[str, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.demo.shoppers.draw_shopper", lambda random: shopper())
    base_url, connected = slow_shop
    stream = asyncio.create_task(Shoppers(base_url, ["SKU-1"], Random(2), per_second=200).run())
    await asyncio.wait_for(connected.wait(), 60)
    stream.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(stream, 20)
