"""The one place that touches botbuilder, which is no longer developed upstream: an Adaptive Card as a message."""

from __future__ import annotations

from typing import Any

from integrations.cards import Card
from integrations.teams.adaptive import adaptive_card
from integrations.wording import cut, titled

SUMMARY_LIMIT = 200


def webhook_message(card: Card) -> dict[str, Any]:
    """The JSON that a Teams webhook takes: a Bot Framework activity with the card attached."""
    # Imported when a card is first escalated: botbuilder costs a second and 34 MB, and most processes never escalate.
    from botbuilder.core import CardFactory, MessageFactory

    attachment = CardFactory.adaptive_card(adaptive_card(card))
    activity = MessageFactory.attachment(attachment)
    activity.summary = cut(titled(card), SUMMARY_LIMIT)
    message: dict[str, Any] = activity.serialize()
    return message
