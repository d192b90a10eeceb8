"""Keep in the audit chain what an API key changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from bot.auth import Identity
from storage import audit
from workers.services import Services


def record(services: Services, session: Session, operator: Identity, event: str, **payload: Any) -> None:
    """Append an entry by the key's name. Call it last in the transaction: other writers wait from here to its end."""
    audit.append(
        session, key=services.audit_key, actor=operator.name, event=event, payload=payload, now=services.clock()
    )
