"""What is at stake, told in the incident's thread: once, and again when a finding joins that costs more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import Finding
from integrations.cards import Card
from workers.services import Services
from workers.telling.enqueue import tell_thread
from workers.words.stakes import FunnelStakes, worst_stakes


def tell_stakes(
    services: Services, session: Session, incident_id: int, findings: Sequence[Finding], now: datetime
) -> None:
    """Owe the thread a message where people are affected; calls of an endpoint stand on the incident's card alone."""
    stakes = worst_stakes(findings)
    if not isinstance(stakes, FunnelStakes):
        return
    tell_thread(
        session,
        incident_id,
        key=f"stakes:{len(findings)}",
        card=Card(title="At stake", text=f"{stakes.text[0].upper()}{stakes.text[1:]}.", context=_how(stakes)),
        channel=services.settings.slack_channel,
        now=now,
    )


def _how(stakes: FunnelStakes) -> str:
    """How the figures were come by, in one line."""
    counted = "Users who entered since it began and would normally have finished, with 95 % bounds."
    if stakes.revenue_a_day is None:
        return f"{counted} Give the funnel a value per conversion to see the money."
    return f"{counted} Money: lost conversions a day at the usual traffic, times the funnel's value per conversion."
