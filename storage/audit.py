"""The audit chain: every decision and action, each entry linked to the one before it by a keyed hash.

mac = HMAC-SHA256(key, canonical JSON of sequence, time, actor, event, payload and previous mac); RFC 2104.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.at_commit import before_commit
from storage.database.canonical import canonical_json
from storage.database.locks import Lock, lock_exclusive
from storage.models import Approval, AuditEntry

APPROVED = "proposal_approved"
"""The event of an approval; its payload has the proposal_id."""

_FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of verifying the chain.

    length: number of valid entries. broken_at: the first invalid sequence, if any. head: mac of the last valid entry.
    """

    ok: bool
    length: int
    broken_at: int | None
    head: str


def append(session: Session, *, key: bytes, actor: str, event: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Append an entry when this transaction commits. Raises ValueError for a payload that JSON cannot represent.

    Only one transaction at a time may append, so the chain never forks. The others wait for its end; because the entry
    is the last thing that a transaction writes, the wait is short and never part of a deadlock.
    """
    canonical_json(payload)
    before_commit(session, lambda session: _append(session, key, actor, event, payload, now))


def _append(session: Session, key: bytes, actor: str, event: str, payload: Mapping[str, Any], now: datetime) -> None:
    lock_exclusive(session, Lock.AUDIT)
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc()).limit(1)).one_or_none()
    entry = AuditEntry(
        sequence=last.sequence + 1 if last else 1,
        happened_at=now,
        actor=actor,
        event=event,
        payload=dict(payload),
        previous_mac=last.mac if last else _FIRST_PREVIOUS,
    )
    entry.mac = _mac(key, entry)
    session.add(entry)
    session.flush()


def is_ours(session: Session, *, key: bytes) -> bool:
    """Whether the newest entry was written with this key; True of an empty chain."""
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc()).limit(1)).one_or_none()
    return last is None or hmac.compare_digest(last.mac, _mac(key, last))


def verify(session: Session, *, key: bytes) -> AuditReport:
    """Verify the chain from its beginning; report the first entry that is changed, missing, inserted or out of order.

    A chain cannot detect that entries were cut off its end. Store `head` and `length` elsewhere (a log, a ticket) and
    compare them; `audit_tables.disagreements` finds the rows whose entries are gone. Changes by somebody who has the
    key cannot be detected either.
    """
    expected, previous = 1, _FIRST_PREVIOUS
    query = select(AuditEntry).order_by(AuditEntry.sequence).execution_options(yield_per=1000, populate_existing=True)
    with closing(session.scalars(query)) as entries:
        for entry in entries:
            linked = entry.sequence == expected and entry.previous_mac == previous
            if not linked or not hmac.compare_digest(entry.mac, _mac(key, entry)):
                return AuditReport(ok=False, length=expected - 1, broken_at=expected, head=previous)
            expected, previous = expected + 1, entry.mac
    return AuditReport(ok=True, length=expected - 1, broken_at=None, head=previous)


def approval_fault(session: Session, approval: Approval, *, key: bytes) -> str | None:
    """Return why the chain does not vouch for an approval; None if it has the valid entry of exactly this decision."""
    query = select(AuditEntry).where(AuditEntry.event == APPROVED).order_by(AuditEntry.sequence.desc())
    entry = next((found for found in session.scalars(query) if is_of(found, approval)), None)
    if entry is None:
        return "the audit chain has no entry of this approval"
    before = session.get(AuditEntry, entry.sequence - 1)
    previous = before.mac if before is not None else _FIRST_PREVIOUS
    is_linked = entry.previous_mac == previous and (before is not None or entry.sequence == 1)
    if not is_linked or not hmac.compare_digest(entry.mac, _mac(key, entry)):
        return f"entry {entry.sequence} of the audit chain, which records this approval, was changed"
    return _difference(entry, approval)


def is_of(entry: AuditEntry, approval: Approval) -> bool:
    """Whether the entry records the decision on the approval's proposal."""
    return entry.event == APPROVED and entry.payload.get("proposal_id") == approval.proposal_id


def _difference(entry: AuditEntry, approval: Approval) -> str | None:
    recorded = (entry.actor, entry.payload.get("user_id"), entry.payload.get("content_hash"), "approved")
    kept = (approval.decided_by, approval.decided_by_id, approval.content_hash, approval.decision)
    if recorded == kept:
        return None
    return f"entry {entry.sequence} of the audit chain records another decision than the one that is stored"


def _mac(key: bytes, entry: AuditEntry) -> str:
    content = {
        "sequence": entry.sequence,
        "happened_at": entry.happened_at.timestamp(),
        "actor": entry.actor,
        "event": entry.event,
        "payload": entry.payload,
        "previous_mac": entry.previous_mac,
    }
    return hmac.new(key, canonical_json(content), hashlib.sha256).hexdigest()
