"""Show on the workspace's page what the demo is doing, as long as there is nothing else to look at."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import httpx

from bot.demo.narration import Narrator

EVERY_SECONDS = 0.5
TITLE = "The demo is getting ready"
NOTE = "The first incident appears here about a minute and a half after the start. Nothing is to be done until then."


async def show_progress(narrator: Narrator, page: httpx.AsyncClient) -> None:
    """Send the narrator's steps to the page whenever they change, until cancelled; then take them from the page."""
    sent: Any = None
    try:
        while True:
            steps = [asdict(step) for step in narrator.steps]
            if steps != sent and await _put(page, {"title": TITLE, "note": NOTE, "steps": steps}):
                sent = steps
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await _put(page, {"title": "", "note": "", "steps": []})


async def _put(page: httpx.AsyncClient, progress: dict[str, Any]) -> bool:
    """Return whether the page took it. A page that cannot be reached never stops the demo."""
    try:
        return (await page.put("/page/progress", json=progress)).is_success
    except httpx.HTTPError:
        return False
