"""Each answer of a Teams webhook, through the real client: delivered, or the error that says how to mend it."""

from __future__ import annotations

import socket

import pytest

from integrations.cards import Card
from integrations.errors import (
    AuthenticationError,
    ContentRefusedError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from integrations.teams import TeamsWebhook
from integrations.text import ours
from tests.unit.integrations.loopback import Loopback

CARD = Card(title="Checkout is down", text=ours("p95 is 4 s"), sections=(ours("much more"),))
HIDDEN = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {} with ContextId x"


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"1"), (200, b""), (202, b""), (200, b"{}"), (200, b'{"id": "run 7"}'), (204, b"")]
)
def test_a_delivered_message_is_posted_once(loopback: Loopback, status: int, body: bytes) -> None:
    loopback.answer(status, body)
    TeamsWebhook(f"{loopback.url}/hook").escalate(CARD)
    assert len(loopback.received) == 1


ANSWERS: list[tuple[int, str, type[IntegrationError], str]] = [
    (200, HIDDEN.format(429), RateLimitedError, "not delivered"),
    (200, HIDDEN.format(403), AuthenticationError, "TEAMS_WEBHOOK_URL"),
    (200, HIDDEN.format(404), NotFoundError, "TEAMS_WEBHOOK_URL"),
    (200, HIDDEN.format(500), RetryableError, "not delivered"),
    (200, HIDDEN.format(413), ContentRefusedError, "not delivered"),
    (200, "Webhook message delivery failed with error: the payload is too large", ContentRefusedError, "too large"),
    (200, "Webhook message delivery failed with error: a thing of tomorrow", RetryableError, "a thing of tomorrow"),
    (200, "<html>Sign in</html>", RetryableError, "not Teams'"),
    (200, '{"error": {"code": "WorkflowRunFailed"}}', RetryableError, "WorkflowRunFailed"),
    (302, "", RejectedError, "TEAMS_WEBHOOK_URL"),
    (307, "<html>Moved</html>", RejectedError, "TEAMS_WEBHOOK_URL"),
    (400, "Bad payload received by generic incoming webhook.", ContentRefusedError, "Bad payload"),
    (400, "Invalid webhook URL", ContentRefusedError, "Invalid webhook URL"),
    (400, "", RejectedError, "HTTP 400"),
    (400, "<html>Bad Request</html>", RejectedError, "HTTP 400"),
    (401, "", AuthenticationError, "sig="),
    (403, "", AuthenticationError, "turned off"),
    (404, "", NotFoundError, "deleted"),
    (410, "", NotFoundError, "deleted"),
    (408, "", RetryableError, ""),
    (413, "", ContentRefusedError, "HTTP 413"),
    (429, "", RateLimitedError, ""),
    (500, "<html>Server Error</html>", RetryableError, ""),
    (502, "", RetryableError, ""),
    (503, "", RetryableError, ""),
    (504, "", RetryableError, ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "text"), ANSWERS)
def test_a_refusal_becomes_the_error_that_says_how_to_mend_it(
    loopback: Loopback, status: int, body: str, kind: type[IntegrationError], text: str
) -> None:
    for _ in range(2):
        loopback.answer(status, body.encode(), Retry_After="8", Location="https://x.example/")
    with pytest.raises(IntegrationError) as caught:
        TeamsWebhook(f"{loopback.url}/hook-secret").escalate(CARD)
    assert type(caught.value) is kind
    assert text in str(caught.value)
    assert "<html>" not in str(caught.value)
    assert "hook-secret" not in str(caught.value)
    if isinstance(caught.value, RateLimitedError):
        assert caught.value.retry_after_seconds == 8.0


@pytest.mark.parametrize(("status", "body"), [(400, b"Bad payload"), (413, b""), (200, HIDDEN.format(413).encode())])
def test_a_message_whose_content_is_refused_is_posted_plainer(loopback: Loopback, status: int, body: bytes) -> None:
    loopback.answer(status, body)
    loopback.answer(200, b"1")
    TeamsWebhook(f"{loopback.url}/hook").escalate(CARD)
    whole, essential = (request.body.decode() for request in loopback.received)
    assert "much more" in whole
    assert "much more" not in essential
    assert "Checkout is down" in essential
    assert "p95 is 4 s" in essential


def test_a_timeout_and_a_refused_connection_are_tried_again() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        webhook = TeamsWebhook(f"http://127.0.0.1:{listening.getsockname()[1]}/hook", timeout_seconds=0.2)
        with pytest.raises(RetryableError, match="cannot be reached"):
            webhook.escalate(CARD)
        listening.listen()
        with pytest.raises(RetryableError, match="did not answer in time"):
            webhook.escalate(CARD)
