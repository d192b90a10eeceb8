"""The escalation channel over a Teams webhook, from an Office connector or a Workflow."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from integrations.cards import Card
from integrations.errors import RetryableError
from integrations.http import error_for_status, retry_after_seconds
from integrations.outbound import check_outbound_url, post
from integrations.teams.message import webhook_message

SYSTEM = "Teams"
_HIDDEN_FAILURE = re.compile(r"HTTP error (\d{3})")


class TeamsWebhook:
    """An EscalationChannel for a Teams webhook. The URL is itself the secret, so it is never shown."""

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds

    def escalate(self, card: Card) -> None:
        """Post the card."""
        response = post(SYSTEM, self._url, webhook_message(card), timeout_seconds=self._timeout_seconds)
        if not response.is_success:
            wait = retry_after_seconds(response.headers.get("retry-after"), now=time.time())
            raise error_for_status(SYSTEM, response.status_code, response.text, retry_after_seconds=wait)
        _raise_hidden_failure(response.text)

    def check(self) -> str:
        """Return the host that it would post to. Nothing is sent, because every post is a message to people."""
        address = check_outbound_url(SYSTEM, self._url)
        return f"posts to {urlsplit(address).hostname}"


def _raise_hidden_failure(answer: str) -> None:
    """Raise if the body reports a failure: Office connectors answer 200 with "... returned HTTP error 429 with ..."."""
    failure = _HIDDEN_FAILURE.search(answer)
    if failure is None:
        return
    status = int(failure[1])
    if status >= 400:
        raise error_for_status(SYSTEM, status, "the message was not delivered")
    raise RetryableError(SYSTEM, "the message was not delivered")
