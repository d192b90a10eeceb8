from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from detection.types import Severity
from storage import deliveries, outbox
from storage.errors import NotFoundError
from storage.incidents import list_incidents, open_incident

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)


def _seconds(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def _due(session: Session, now: datetime = NOW) -> list[str]:
    return [job.key for job in outbox.due(session, now=now, limit=100)]


def test_a_job_is_enqueued_only_if_the_change_that_causes_it_is_committed(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        open_incident(session, title="Slow", severity=Severity.SEV2, service=None, onset_at=NOW, now=NOW)
        outbox.enqueue(session, "diagnose", {"incident_id": 1}, key="diagnose:1", now=NOW)
        session.rollback()
    with sessions.begin() as session:
        assert (_due(session), list_incidents(session)) == ([], [])


def test_a_job_with_a_known_key_is_not_enqueued_again_even_when_it_is_done(session: Session) -> None:
    assert outbox.enqueue(session, "diagnose", {"incident_id": 1}, key="diagnose:1", now=NOW)
    assert not outbox.enqueue(session, "diagnose", {"incident_id": 1}, key="diagnose:1", now=NOW)
    outbox.mark_done(session, "diagnose:1", NOW)
    assert not outbox.enqueue(session, "diagnose", {"incident_id": 1}, key="diagnose:1", now=NOW)
    assert _due(session) == []


def test_a_postponed_job_is_due_again_and_counts_no_failure_however_often(session: Session) -> None:
    outbox.enqueue(session, "refresh_incident", {}, key="waits", now=NOW)
    for number in range(50):
        outbox.mark_sent(session, "waits", _seconds(number))
        outbox.postpone(session, "waits", now=_seconds(number), seconds=0.5)
        assert _due(session, _seconds(number + 0.4)) == []
    assert _due(session, _seconds(50)) == ["waits"]
    outbox.mark_done(session, "waits", _seconds(50))
    outbox.postpone(session, "waits", now=_seconds(51), seconds=0.5)
    assert _due(session, _seconds(60)) == []


def test_a_delayed_job_is_due_only_after_its_delay(session: Session) -> None:
    outbox.enqueue(session, "refresh_incident", {}, key="later", now=NOW, delay_seconds=5)
    outbox.enqueue(session, "refresh_incident", {}, key="now", now=NOW)
    assert _due(session) == ["now"]
    assert _due(session, _seconds(5)) == ["now", "later"]


def test_two_relays_at_once_never_send_the_same_job(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        for number in range(20):
            outbox.enqueue(session, "diagnose", {}, key=f"job:{number}", now=NOW)

    def relay(_: int) -> list[str]:
        sent: list[str] = []
        for _ in range(10):
            with sessions.begin() as session:
                for job in outbox.due(session, now=NOW, limit=2):
                    outbox.mark_sent(session, job.key, NOW)
                    sent.append(job.key)
        return sent

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(relay, range(2))
    assert sorted(first + second) == sorted(f"job:{number}" for number in range(20))


def test_a_sent_job_that_never_finished_is_sent_again(session: Session) -> None:
    outbox.enqueue(session, "diagnose", {}, key="lost", now=NOW)
    outbox.enqueue(session, "diagnose", {}, key="done", now=NOW)
    outbox.mark_sent(session, "lost", NOW)
    outbox.mark_sent(session, "done", NOW)
    outbox.mark_done(session, "done", NOW)
    assert outbox.resend_lost(session, now=_seconds(59), older_than_seconds=60) == 0
    assert outbox.resend_lost(session, now=_seconds(60), older_than_seconds=60) == 1
    assert _due(session, _seconds(60)) == ["lost"]


def test_a_failed_job_backs_off_exponentially_or_for_the_given_time(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    for attempt, pause in enumerate((1, 2, 4)):
        outbox.mark_sent(session, "job", NOW)
        outbox.fail(session, "job", f"attempt {attempt}", now=NOW)
        assert _due(session, _seconds(pause - 0.1)) == []
        assert _due(session, _seconds(pause)) == ["job"]
    outbox.fail(session, "job", "429", now=NOW, retry_after_seconds=30)
    assert _due(session, _seconds(29)) == []
    assert _due(session, _seconds(30)) == ["job"]


def test_a_job_that_keeps_failing_goes_to_the_dead_letters_with_its_last_error(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    for attempt in range(outbox.MAX_ATTEMPTS):
        outbox.fail(session, "job", f"attempt {attempt}", now=NOW)
    (dead,) = outbox.dead_letters(session)
    assert (dead.key, dead.error) == ("job", f"attempt {outbox.MAX_ATTEMPTS - 1}")
    assert _due(session, _seconds(10_000)) == []


def test_a_job_that_kills_its_worker_every_time_ends_among_the_dead_letters(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="poison", now=NOW)
    for _ in range(outbox.MAX_ATTEMPTS):
        outbox.mark_sent(session, "poison", NOW)
        outbox.resend_lost(session, now=_seconds(60), older_than_seconds=60)
    assert [job.key for job in outbox.dead_letters(session)] == ["poison"]


def test_a_permanent_failure_is_a_dead_letter_at_once(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    outbox.fail(session, "job", "no such channel", now=NOW, permanent=True)
    assert [job.key for job in outbox.dead_letters(session)] == ["job"]


def test_a_late_failure_does_not_undo_a_finished_job(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    outbox.mark_done(session, "job", NOW)
    outbox.fail(session, "job", "the slower copy failed", now=NOW)
    assert _due(session, _seconds(10_000)) == []


def test_the_error_names_an_unknown_job(session: Session) -> None:
    with pytest.raises(NotFoundError, match="There is no job nothing"):
        outbox.mark_done(session, "nothing", NOW)


def test_a_message_is_created_once_and_ends_delivered_or_visibly_undelivered(session: Session) -> None:
    incident = open_incident(session, title="Slow", severity=Severity.SEV2, service=None, onset_at=NOW, now=NOW)
    owed: dict[str, Any] = {"incident_id": incident.id, "purpose": "root", "channel": "#incidents", "now": NOW}
    delivery = deliveries.create_delivery(session, key="root:1", content={"title": "Slow"}, **owed)
    assert deliveries.create_delivery(session, key="root:1", content={"title": "Slower"}, **owed).content == {
        "title": "Slow"
    }
    deliveries.mark_undelivered(session, delivery, "channel_not_found")
    assert (delivery.status, delivery.error) == ("undelivered", "channel_not_found")
    deliveries.mark_delivered(session, delivery, message_id="17.01", content_hash="abc", now=NOW)
    session.expire_all()
    found = deliveries.root_delivery(session, incident.id)
    assert found is deliveries.get_delivery(session, delivery.id)
    assert (found.status, found.error, found.message_id, found.attempts) == ("delivered", None, "17.01", 2)
