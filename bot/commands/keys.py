"""What the `argux keys` commands do: make, list and revoke API keys, each recorded in the audit chain."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.commands.person import user_name
from integrations.text import visible
from storage import audit, keys
from storage.models import ApiKey
from workers.errors import RefusedError
from workers.services import Services

LONGEST_NAME = 100


def create(services: Services, session: Session, name: str, role: str) -> str:
    """Make a key and return its secret. Raises RefusedError for a name that is too long or has hidden characters."""
    name.encode()  # Raises UnicodeEncodeError for bytes that are no UTF-8, which is told as such.
    if len(name) > LONGEST_NAME or visible(name) != name:
        raise RefusedError(f"A key's name has at most {LONGEST_NAME} characters that can be seen, such as shop.")
    now = services.clock()
    secret = keys.create_key(session, name, role=role, now=now)
    made = keys.find_key(session, name)
    payload = {"key_id": made.id, "name": name, "role": role, "secret_hash": made.secret_hash}
    audit.append(session, key=services.audit_key, actor=user_name(), event="key_created", payload=payload, now=now)
    return secret


def revoke(services: Services, session: Session, name: str) -> None:
    """Shut a key; revoking it again changes nothing. Raises NotFoundError if no key has this name."""
    now = services.clock()
    if keys.find_key(session, name).revoked_at is not None:
        return
    keys.revoke_key(session, name, now=now)
    payload = {"key_id": keys.find_key(session, name).id, "name": name}
    audit.append(session, key=services.audit_key, actor=user_name(), event="key_revoked", payload=payload, now=now)


def list_text(services: Services) -> str:
    """Return one line per key, oldest first, with days by the team's clock. Never their secrets."""
    zone = services.settings.timezone
    with services.readers() as session:
        lines = [_line(key, zone) for key in keys.list_keys(session)]
    return "\n".join(lines) or "There are no keys yet. Make one with `argux keys create NAME`."


def _line(key: ApiKey, zone: ZoneInfo) -> str:
    state = f"revoked {_day(key.revoked_at, zone)}" if key.revoked_at else "in use"
    return f"{visible(key.name):<24} {key.role:<9} {key.prefix}…  made {_day(key.created_at, zone)}  {state}"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"
