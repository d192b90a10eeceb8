"""What people ask about triage: the decisions that hold now, and their word that one should have woken them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from integrations.cards import Card, moment
from integrations.text import Markup, bullets, lines, ours
from storage import audit, triage
from storage.errors import NotFoundError
from storage.models import TriageDecision
from workers.services import Services

SHOWN = 20

SHOULD_HAVE_WOKEN = "should_have_woken"
"""The button and the audit entry by which a person says that a decision to wait was wrong."""

_WORDS = {"wake": "told", "digest": "waits for the digest", "record": "recorded only"}


def triage_card(session: Session) -> Card:
    """Return the card of `/argux triage`: what fires now, what is done about it and why, one line each."""
    rows = triage.latest(session, limit=SHOWN, only_holding=True)
    if not rows:
        return Card(title="No alert is firing", text=ours("So there is nothing to decide."))
    alerts, own = triage.count_holding(session)
    more = alerts + own - len(rows)
    rest = [ours("… and {count} more: `GET /api/triage`", count=f"{more:,}")] if more > 0 else []
    return Card(
        title=_title(alerts, own),
        text=lines([bullets(decision_line(row) for row in rows), *rest]),
        context=ours("Should one of these have woken you? `/argux woken` and its number."),
    )


def _title(alerts: int, own: int) -> str:
    """Return such as "2 alerts are firing, and Argux has 1 finding of its own"."""
    fires = {0: "No alert is firing", 1: "1 alert is firing"}.get(alerts, f"{alerts:,} alerts are firing")
    return f"{fires}, and Argux has {own:,} finding{'' if own == 1 else 's'} of its own" if own else fires


def decision_line(row: TriageDecision, times: int = 1) -> Markup:
    """Such as "#12 DiskFull of logs, since 14:02: waits for the digest. It ended by itself …"."""
    return ours(
        "**#{number}** {name}{service}, since {since}{often}: {decision}. {reason}",
        number=row.id,
        name=row.name,
        service=ours(" of {service}", service=row.service) if row.service else ours(""),
        since=moment(row.fired_at.timestamp()),
        often=ours(", {times} times", times=times) if times > 1 else ours(""),
        decision=_WORDS[row.decision],
        reason=row.reason,
    )


def woken_card(services: Services, decision_id: str, user_id: str) -> Card:
    """Keep the person's word that this should have woken people, and return the answer."""
    unknown = Card(title="Not found", text=ours("There is no such number. `/argux triage` lists them."))
    if not decision_id.isdecimal() or len(decision_id) > 9:
        return unknown
    with services.sessions.begin() as session:
        try:
            _, text = say_it_should_have_woken(services, session, int(decision_id), actor=user_id, user_id=user_id)
        except NotFoundError:
            return unknown
    return Card(title="Noted: it should have woken you", text=text)


def say_it_should_have_woken(
    services: Services, session: Session, decision_id: int, *, actor: str, user_id: str
) -> tuple[bool, Markup]:
    """Keep a person's word about a decision; return whether it is the first about it, and what follows from it.

    Raise NotFoundError if there is no such decision.
    """
    now = services.clock()
    decision, is_new = triage.should_have_woken(session, decision_id, said_by=actor, now=now)
    if is_new:
        payload = {"decision_id": decision.id, "fingerprint": decision.fingerprint, "user_id": user_id}
        audit.append(session, key=services.audit_key, actor=actor, event=SHOULD_HAVE_WOKEN, payload=payload, now=now)
    text = ours("When {name} fires again, people are told, whatever else speaks against it.", name=decision.name)
    return is_new, text
