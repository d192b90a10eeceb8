"""A simulated user of the local workspace's page: press buttons and submit modals through the page's API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from bot.demo.errors import DemoError


@dataclass(frozen=True, slots=True)
class Button:
    """A button that can be pressed now."""

    channel: str
    message_ts: str
    action_id: str


class Person:
    """A simulated user; `client` is an HTTP client whose base URL is the local workspace."""

    def __init__(self, client: httpx.AsyncClient, user: str) -> None:
        self._client = client
        self._user = user

    async def find_button(self, action_id: str) -> Button | None:
        """Return the newest visible button with this action id, or None."""
        found = [
            Button(str(message["channel"]), str(message["ts"]), action_id)
            for message in _messages(await self._state())
            if any(element.get("action_id") == action_id for element in _objects(message.get("blocks")))
        ]
        return max(found, key=lambda button: float(button.message_ts), default=None)

    async def has_messages(self) -> bool:
        """Return whether anything has been posted."""
        return any(True for _ in _messages(await self._state()))

    async def press(self, button: Button) -> None:
        """Press a button. Argux may open a modal in response."""
        await self._post(
            "/page/act",
            {"channel": button.channel, "message_ts": button.message_ts, "action_id": button.action_id},
        )

    async def open_modal_id(self) -> str | None:
        """Return the id of this person's topmost open modal, or None unless that has a submit button."""
        modals = (await self._state()).get("modals", [])
        return str(modals[-1]["view_id"]) if modals and modals[-1]["submit"] else None

    async def submit(self, view_id: str) -> None:
        """Submit a modal."""
        await self._post(f"/page/modals/{view_id}/submit", {})

    async def _state(self) -> dict[str, Any]:
        response = await self._client.get("/page/state", params={"user": self._user})
        if response.is_error:
            raise DemoError(f"the page answered {response.status_code} to /page/state: {response.text[:300]}")
        state: dict[str, Any] = response.json()
        return state

    async def _post(self, path: str, body: dict[str, str]) -> None:
        response = await self._client.post(path, json={"user": self._user, **body})
        if response.is_error:
            raise DemoError(f"the page answered {response.status_code} to {path}: {response.text[:300]}")


def _messages(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every message of the page, in channels and in threads."""
    return (found for found in _objects(state) if "ts" in found and "channel" in found)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object within a value, including the value itself."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)
