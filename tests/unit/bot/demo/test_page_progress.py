"""The page is told of every step of the demo, and the demo never waits for the page."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from typing import Any

import httpx
from rich.console import Console

from bot.demo.narration import Narrator
from bot.demo.page_progress import show_progress
from bot.demo.waiting import until_true


async def test_each_step_reaches_the_page_and_all_are_taken_away_at_the_end() -> None:
    told: list[list[dict[str, Any]]] = []
    is_reachable = False

    def answer(request: httpx.Request) -> httpx.Response:
        if not is_reachable:
            raise httpx.ConnectError("not there yet")
        assert request.url.path == "/page/progress"
        told.append(json.loads(request.content)["steps"])
        return httpx.Response(204)

    async def has_told() -> bool:
        return bool(told)

    async def has_ended() -> bool:
        return told[-1][0]["seconds"] is not None

    narrator = Narrator(Console(file=StringIO()))
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://page") as page:
        showing = asyncio.create_task(show_progress(narrator, page))
        with narrator.stage("Opening the shop") as report:
            report("3 visits")
            await asyncio.sleep(0)
            is_reachable = True
            await until_true(has_told, "telling the page", 60, every=0.02)
        await until_true(has_ended, "telling the end", 60, every=0.02)
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)

    assert (told[0][0]["doing"], told[0][0]["detail"], told[0][0]["seconds"]) == ("Opening the shop", "3 visits", None)
    assert told[-1] == []
