from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from detection.types import Severity
from storage.deliveries import create_delivery, held, incidents_with_held
from storage.incidents import expired_snoozes, open_incident
from storage.maintenance import close_ended_windows, create_window, end_window, latest_windows, windows_not_over

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(session: Session, begins: float, ends: float) -> int:
    made = create_window(
        session, service="shop", begins_at=NOW + begins * HOUR, ends_at=NOW + ends * HOUR, reason="", made_by="Ana",
        now=NOW,
    )  # fmt: skip
    return made.id


def test_current_and_future_windows_are_listed_by_their_beginning(session: Session) -> None:
    over, later, running = window(session, -2, 0), window(session, 3, 4), window(session, -1, 1)
    assert [row.id for row in windows_not_over(session, NOW)] == [running, later]
    assert [row.id for row in latest_windows(session, limit=2)] == [later, running]
    assert over not in [row.id for row in windows_not_over(session, NOW)]


def test_a_current_or_future_window_can_be_ended_now_once(session: Session) -> None:
    for begins in (-1, 1):
        window(session, begins, 2)
    for row in windows_not_over(session, NOW):
        assert end_window(session, row, actor="Ben", now=NOW)
        assert (row.ends_at, row.ended_by, row.begins_at <= row.ends_at) == (NOW, "Ben", True)
        assert not end_window(session, row, actor="Cem", now=NOW)
    assert list(windows_not_over(session, NOW)) == []


def test_an_ended_window_is_closed_once(session: Session) -> None:
    over = window(session, -2, -1)
    window(session, -2, 1)
    assert [row.id for row in close_ended_windows(session, NOW)] == [over]
    assert list(close_ended_windows(session, NOW)) == []


def test_an_expired_snooze_is_found_and_a_running_one_is_not(session: Session) -> None:
    over, running, never = (
        open_incident(session, title="slow", severity=Severity.SEV3, service="shop", onset_at=NOW, now=NOW)
        for _ in range(3)
    )
    over.snoozed_until, running.snoozed_until = NOW, NOW + HOUR
    session.flush()
    assert expired_snoozes(session, NOW) == [over.id]
    assert never.snoozed_until is None


def test_held_messages_are_found_by_incident_in_order(session: Session) -> None:
    incident = open_incident(session, title="slow", severity=Severity.SEV3, service="shop", onset_at=NOW, now=NOW)
    for number in range(3):
        delivery = create_delivery(
            session, key=f"k{number}", incident_id=incident.id, purpose="thread", channel="C1", content={}, now=NOW
        )
        delivery.status = "held" if number else "delivered"
    session.flush()
    assert list(incidents_with_held(session)) == [incident.id]
    assert [delivery.key for delivery in held(session, incident.id)] == ["k1", "k2"]
