"""API keys: 256 random bits, shown once and stored only as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.upserts import insert_if_new
from storage.errors import NameTakenError, NotFoundError
from storage.models import ApiKey

ROLES = ("ingest", "operator")
_MARK = "argux_"
_SHOWN_CHARACTERS = len(_MARK) + 4


def create_key(session: Session, name: str, *, role: str = "operator", now: datetime) -> str:
    """Create a key and return its secret, which cannot be shown again.

    Raises NameTakenError, and ValueError for a role other than `ingest` (may only send) and
    `operator` (may do everything).
    """
    if role not in ROLES:
        raise ValueError(f"a key's role is one of {', '.join(ROLES)}, not {role}")
    # A fast hash is enough here: nobody can guess 256 random bits, however quickly they try.
    secret = _MARK + secrets.token_urlsafe(32)
    values = {
        "name": name,
        "prefix": secret[:_SHOWN_CHARACTERS],
        "secret_hash": _hashed(secret),
        "role": role,
        "created_at": now,
    }
    if not insert_if_new(session, ApiKey, values, unique=["name"]):
        raise NameTakenError(f"There is a key named {name} already. Choose another name, or revoke that one.")
    return secret


def authenticate(session: Session, secret: str) -> ApiKey | None:
    """Return the key with this secret, or None if there is none or it is revoked.

    The look-up is by hash, so that response times reveal nothing about stored secrets.
    """
    hashed = _hashed(secret)
    key = session.scalars(select(ApiKey).where(ApiKey.secret_hash == hashed)).one_or_none()
    if key is None or not hmac.compare_digest(key.secret_hash, hashed) or key.revoked_at is not None:
        return None
    return key


def list_keys(session: Session) -> Sequence[ApiKey]:
    """Return every key, including revoked ones, oldest first. `prefix` is the part of the secret that may be shown."""
    return readable(session, select(ApiKey).order_by(ApiKey.id))


def find_key(session: Session, name: str) -> ApiKey:
    """Return the key of this name. Raises NotFoundError."""
    key = session.scalars(select(ApiKey).where(ApiKey.name == name)).one_or_none()
    if key is None:
        raise NotFoundError("key", name)
    return key


def revoke_key(session: Session, name: str, *, now: datetime) -> None:
    """Revoke a key; revoking it again changes nothing. Raises NotFoundError if no key has this name."""
    key = find_key(session, name)
    key.revoked_at = key.revoked_at or now
    session.flush()


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
