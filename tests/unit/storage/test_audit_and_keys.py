from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session, sessionmaker

from storage import audit, keys
from storage.errors import NameTakenError, NotFoundError
from storage.models import ApiKey, AuditEntry

NOW = datetime(2026, 2, 7, 12, 0, 0, 123456, tzinfo=UTC)
KEY = b"a key of the audit's own"
ROOT = Path(__file__).parents[3]
APPEND_MANY = """
import sys
from datetime import UTC, datetime
from storage.audit import append
from storage.database.session import create_database, sessions
open_session = sessions(create_database(sys.argv[1]))
for number in range(25):
    with open_session.begin() as session:
        now = datetime.now(UTC)
        append(session, key=b"a key of the audit's own", actor=sys.argv[2], event="e", payload={}, now=now)
"""


def _chain(session: Session, length: int = 5) -> None:
    for number in range(1, length + 1):
        payload = {"number": number, "rate": 0.1 * number, "name": "Zoë", "nested": {"b": [1, None], "a": True}}
        audit.append(session, key=KEY, actor="Ana", event="approved", payload=payload, now=NOW)
    session.commit()


def test_an_untouched_chain_verifies_with_its_length_and_head(session: Session) -> None:
    assert audit.verify(session, key=KEY).ok
    _chain(session)
    report = audit.verify(session, key=KEY)
    last = session.get(AuditEntry, 5)
    assert last is not None
    assert (report.ok, report.length, report.broken_at, report.head) == (True, 5, None, last.mac)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "Bo"},
        {"event": "rejected"},
        {"payload": {"number": 33}},
        {"happened_at": datetime(2026, 2, 7, 12, 0, 0, 123457, tzinfo=UTC)},
        {"previous_mac": "0" * 64},
        {"mac": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_changed_field_breaks_the_chain_at_its_entry(session: Session, change: dict[str, Any]) -> None:
    _chain(session)
    session.execute(update(AuditEntry).where(AuditEntry.sequence == 3).values(**change))
    report = audit.verify(session, key=KEY)
    assert (report.ok, report.length, report.broken_at) == (False, 2, 3)


@pytest.mark.parametrize("sequence", [1, 3])
def test_a_missing_entry_breaks_the_chain_where_it_was(session: Session, sequence: int) -> None:
    _chain(session)
    session.execute(delete(AuditEntry).where(AuditEntry.sequence == sequence))
    assert audit.verify(session, key=KEY).broken_at == sequence


def test_a_chain_made_with_another_key_does_not_verify(session: Session) -> None:
    _chain(session)
    assert audit.verify(session, key=b"another key").broken_at == 1


def test_a_cut_off_end_is_detected_only_by_comparing_a_head_stored_elsewhere(session: Session) -> None:
    _chain(session)
    kept = audit.verify(session, key=KEY)
    session.execute(delete(AuditEntry).where(AuditEntry.sequence == 5))
    cut = audit.verify(session, key=KEY)
    assert cut.ok
    assert (cut.length, cut.head) != (kept.length, kept.head)


def test_a_payload_that_json_cannot_hold_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="JSON"):
        audit.append(session, key=KEY, actor="Ana", event="e", payload={"rate": float("nan")}, now=NOW)


def test_concurrent_processes_never_fork_the_chain(database_url: str, sessions: sessionmaker[Session]) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND_MANY, database_url, name], cwd=ROOT) for name in ("Ana", "Bo")
    ]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    with sessions() as session:
        report = audit.verify(session, key=KEY)
    assert (report.ok, report.length) == (True, 50)


def test_a_keys_secret_is_shown_once_and_kept_only_as_a_hash(session: Session) -> None:
    secret = keys.create_key(session, "shop", role="ingest", now=NOW)
    (row,) = keys.list_keys(session)
    assert secret.startswith("argux_")
    assert len(secret) >= len("argux_") + 43
    assert row.prefix == secret[:10]
    stored = [str(getattr(row, column.name)) for column in ApiKey.__table__.columns]
    assert secret not in stored


def test_a_key_authenticates_until_it_is_revoked(session: Session) -> None:
    secret = keys.create_key(session, "shop", now=NOW)
    opened = keys.authenticate(session, secret)
    assert opened is not None
    assert (opened.name, opened.role) == ("shop", "operator")
    assert keys.authenticate(session, secret + "x") is None
    assert keys.authenticate(session, "") is None
    keys.revoke_key(session, "shop", now=NOW)
    assert keys.authenticate(session, secret) is None


def test_a_keys_name_and_role_are_checked(session: Session) -> None:
    keys.create_key(session, "shop", now=NOW)
    with pytest.raises(NameTakenError, match="named shop already"):
        keys.create_key(session, "shop", now=NOW)
    with pytest.raises(ValueError, match="ingest, operator"):
        keys.create_key(session, "other", role="admin", now=NOW)
    with pytest.raises(NotFoundError):
        keys.revoke_key(session, "unknown", now=NOW)
