"""Tell the head of the audit chain once a day outside the database, so that a chain cut off at its end is noticed."""

from __future__ import annotations

import structlog

from integrations.cards import Card
from integrations.errors import IntegrationError
from integrations.text import bullets, code, lines, ours
from storage import audit
from storage.audit import AuditReport
from storage.audit_tables import disagreements
from storage.cursors import read_cursor, save_cursor
from workers.errors import NotConfiguredError
from workers.services import Services

log = structlog.get_logger()

_TOLD = "audit_head"


def tell_head(services: Services) -> None:
    """Log the chain's length and head, and post them to AUDIT_CHANNEL if it is set, once each day of the team."""
    now = services.clock()
    today = now.astimezone(services.settings.timezone).date().isoformat()
    channel = services.settings.audit_channel
    with services.snapshots() as session:
        told = read_cursor(session, _TOLD, dict) or {}
        is_logged, is_posted = told.get("logged") == today, channel is None or told.get("posted") == today
        if is_logged and is_posted:
            return
        report = audit.verify(session, key=services.audit_key)
        found = disagreements(session) if report.ok else []
    if not is_logged:
        is_whole = report.ok and not found
        level = log.info if is_whole else log.error
        level(
            "audit_head", length=report.length, head=report.head, broken_at=report.broken_at, disagreements=len(found)
        )
    if not is_posted and channel is not None:
        is_posted = _post(services, channel, _card(report, found), key=f"audit_head:{today}")
    with services.sessions.begin() as session:
        position = {"logged": today, "posted": today if channel is not None and is_posted else told.get("posted")}
        save_cursor(session, _TOLD, position, now=now)


def _post(services: Services, channel: str, card: Card, *, key: str) -> bool:
    """Post the card; return False if that failed, so that the next housekeeping tries again."""
    try:
        services.chat.post(channel, card, idempotency_key=key, look_first=True)
    except (IntegrationError, NotConfiguredError) as error:
        log.warning("audit_head_not_posted", channel=channel, error=str(error))
        return False
    return True


def _card(report: AuditReport, found: list[str]) -> Card:
    if not report.ok:
        text = ours(
            "**The chain is broken at entry {entry}**; the {length} before it hold. "
            "Run `argux audit verify`, and find out who changed it.",
            entry=report.broken_at,
            length=report.length,
        )
        return Card(title="Audit chain broken", text=text)
    if found:
        text = lines([bullets(found[:10]), ours("Run `argux audit verify` to see all of it.")])
        return Card(title="Audit chain and tables disagree", text=text)
    text = ours(
        "{length} {entries}; the last is {head}. A later chain must hold this one, or its end was cut off.",
        length=report.length,
        entries="entry" if report.length == 1 else "entries",
        head=code(report.head or "none"),
    )
    return Card(title="Audit chain", text=text)
