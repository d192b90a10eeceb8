"""Paygate answers payments and tells of its outages on its status page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from bot.demo.scenarios.provider import COMPANY, Provider


def with_provider(story: Callable[[Provider, httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with (
            Provider().running() as provider,
            httpx.AsyncClient(base_url=provider.url, trust_env=False) as client,
        ):
            await story(provider, client)

    asyncio.run(run())


async def charge(client: httpx.AsyncClient) -> int:
    return (await client.post("/v1/charges", json={"order": 1, "cents": 1290})).status_code


def test_it_takes_payments_until_it_is_down_and_again_afterwards() -> None:
    async def story(provider: Provider, client: httpx.AsyncClient) -> None:
        assert await charge(client) == 201
        provider.fail()
        assert [await charge(client), await charge(client)] == [503, 503]
        provider.recover()
        assert await charge(client) == 201

    with_provider(story)


def test_its_status_page_tells_of_the_outage_as_statuspage_does() -> None:
    async def story(provider: Provider, client: httpx.AsyncClient) -> None:
        async def page() -> dict[str, object]:
            found: dict[str, object] = (await client.get("/api/v2/summary.json")).json()
            return found

        assert (await page())["incidents"] == []
        began = provider.fail()
        told = await page()
        assert told["page"] == {"id": "paygate", "name": COMPANY, "url": "https://status.paygate.example"}
        (incident,) = provider.summary()["incidents"]
        assert (incident["started_at"], incident["resolved_at"]) == (began.isoformat(), None)
        provider.recover()
        (ended,) = provider.summary()["incidents"]
        assert (ended["status"], ended["resolved_at"] is not None) == ("resolved", True)
        assert provider.summary()["components"][0]["status"] == "operational"

    with_provider(story)


def test_an_unknown_address_is_not_found() -> None:
    async def story(_: Provider, client: httpx.AsyncClient) -> None:
        assert (await client.get("/")).status_code == 404

    with_provider(story)
