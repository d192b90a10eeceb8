"""The audit chain: every decision and action, each link sealed with a key over the link before it.

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

from storage.database.canonical import canonical_json
from storage.database.locks import Lock, lock_exclusive
from storage.models import Approval, AuditEntry

APPROVED = "proposal_approved"
"""The event of a person's approval; its payload names the proposal."""

_FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether the chain holds: its length, the first broken sequence if any, and the mac of its last sound link."""

    ok: bool
    length: int
    broken_at: int | None
    head: str


def append(
    session: Session, *, key: bytes, actor: str, event: str, payload: Mapping[str, Any], now: datetime
) -> AuditEntry:
    """Add a link; writers queue for it until their transactions end, so the chain never forks.

    Append last in a transaction: other writers wait from here on. ValueError for a payload that JSON cannot hold.
    """
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
    return entry


def verify(session: Session, *, key: bytes) -> AuditReport:
    """Walk the chain from its beginning and name the first sequence that is changed, missing, inserted or out of order.

    What no chain can see by itself: links cut off its end. Keep `head` and `length` elsewhere (a log, a ticket) and
    compare; `unrecorded_approvals` sees some of it. Nor can it see anything done by somebody who holds the key.
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


def unrecorded_approvals(session: Session) -> list[int]:
    """The proposals that were decided on without an entry that says so: the chain has lost its end since."""
    entries = session.scalars(select(AuditEntry.payload).where(AuditEntry.event == APPROVED))
    recorded = {payload["proposal_id"] for payload in entries}
    return sorted(set(session.scalars(select(Approval.proposal_id))) - recorded)


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
