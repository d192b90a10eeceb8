"""The escalation channel over a Teams webhook, from an Office connector or a Workflow."""

from __future__ import annotations

from urllib.parse import urlsplit

from integrations.cards import Card
from integrations.errors import ContentRefusedError
from integrations.outbound import check_outbound_url, post
from integrations.teams.answers import SYSTEM, failure_of
from integrations.teams.message import webhook_message
from integrations.text import theirs
from integrations.wording import plain

_ESSENTIAL_TEXT = 1000


class TeamsWebhook:
    """An EscalationChannel for a Teams webhook. The URL is itself the secret, so it is never shown."""

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds

    def escalate(self, card: Card) -> None:
        """Post the card; when its content is refused, post what matters of it in plain words."""
        try:
            self._post(card)
        except ContentRefusedError:
            self._post(_essential(card))

    def _post(self, card: Card) -> None:
        response = post(SYSTEM, self._url, webhook_message(card), timeout_seconds=self._timeout_seconds)
        if (failure := failure_of(response)) is not None:
            raise failure

    def check(self) -> str:
        """Return the host that it would post to. Nothing is sent, because every post is a message to people."""
        address = check_outbound_url(SYSTEM, self._url)
        return f"posts to {urlsplit(address).hostname}"


def _essential(card: Card) -> Card:
    return Card(title=card.title, severity=card.severity, text=theirs(plain(card.text), _ESSENTIAL_TEXT))
