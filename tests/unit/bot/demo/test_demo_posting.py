from __future__ import annotations

import httpx
import pytest

from bot.demo import posting


def door(*answers: int) -> tuple[httpx.AsyncClient, list[int]]:
    """A client of a door that answers so, the last for ever, and what it has answered."""
    given: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(answers[min(len(given), len(answers) - 1)])
        return httpx.Response(given[-1], headers={"Retry-After": "0"})

    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://argux"), given


@pytest.mark.parametrize("busy", [429, 503])
async def test_a_door_that_is_full_for_the_moment_is_asked_again(busy: int) -> None:
    client, given = door(busy, busy, 201)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 201
    assert given == [busy, busy, 201]


async def test_a_refusal_is_taken_for_an_answer_and_so_is_a_door_that_stays_full() -> None:
    client, given = door(422)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 422
    client, given = door(503)
    async with client:
        assert (await posting.post(client, "/api/deploys", json={})).status_code == 503
    assert len(given) == posting.ATTEMPTS
