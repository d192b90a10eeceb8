"""Post in the incident's thread what is at stake, once; the card of the incident shows the newest figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import Finding
from integrations.cards import Card
from integrations.text import Markup, ours, theirs, words
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message
from workers.words.stakes import FunnelStakes, worst_stakes


def enqueue_stakes_message(
    services: Services, session: Session, incident_id: int, findings: Sequence[Finding], now: datetime
) -> None:
    """Enqueue a thread message when a funnel loses users. An endpoint's stakes appear only on the incident's card."""
    stakes = worst_stakes(findings)
    if not isinstance(stakes, FunnelStakes):
        return
    enqueue_thread_message(
        session,
        incident_id,
        key="stakes",
        card=Card(title="At stake", text=theirs(f"{stakes.text[0].upper()}{stakes.text[1:]}."), context=_how(stakes)),
        channel=services.settings.slack_channel,
        now=now,
    )


def _how(stakes: FunnelStakes) -> Markup:
    """Explain in one line how the figures were computed."""
    counted = ours("Users who entered since it began and would normally have finished, with 95 % bounds.")
    if stakes.revenue_a_day is None:
        return words([counted, ours("Give the funnel a value per conversion to see the money.")])
    money = ours("Money: lost conversions a day at the usual traffic, times the funnel's value per conversion.")
    return words([counted, money])
