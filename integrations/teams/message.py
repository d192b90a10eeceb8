"""Wrap an Adaptive Card in a message. Only this module uses botbuilder, which is no longer developed upstream."""

from __future__ import annotations

from typing import Any

from integrations.cards import Card
from integrations.teams.adaptive import adaptive_card
from integrations.wording import cut, titled

SUMMARY_LIMIT = 200


def webhook_message(card: Card) -> dict[str, Any]:
    """Return the JSON that a Teams webhook accepts: a Bot Framework activity with the card attached."""
    # Imported late: botbuilder costs a second and 34 MB, and most processes never escalate.
    from botbuilder.core import CardFactory, MessageFactory

    attachment = CardFactory.adaptive_card(adaptive_card(card))
    activity = MessageFactory.attachment(attachment)
    activity.summary = cut(titled(card), SUMMARY_LIMIT)
    message: dict[str, Any] = activity.serialize()
    return message
