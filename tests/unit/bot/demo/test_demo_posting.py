"""Posting to a busy door is retried."""

from __future__ import annotations

import httpx
import pytest

from bot.demo import posting


def door(*answers: int) -> tuple[httpx.AsyncClient, list[int]]:
    """Return a client for a door that responds with these statuses in order, and the list of statuses sent so far.

    The last status repeats.
    """
    sent: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(answers[min(len(sent), len(answers) - 1)])
        return httpx.Response(sent[-1], headers={"Retry-After": "0"})

    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://argux"), sent


@pytest.mark.parametrize("busy", [429, 503])
async def test_a_busy_door_is_retried(busy: int) -> None:
    client, sent = door(busy, busy, 201)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 201
    assert sent == [busy, busy, 201]


async def test_a_refusal_is_not_retried_and_retries_of_a_busy_door_are_limited() -> None:
    client, sent = door(422)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 422
    client, sent = door(503)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 503
    assert len(sent) == posting.ATTEMPTS
