from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from detection.types import Severity
from storage import deliveries, outbox
from storage.errors import NotFoundError
from storage.incidents import list_incidents, open_incident
from storage.models import OutboxJob

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


def _send_again(session: Session, now: datetime) -> list[str]:
    """Send again everything on its way, as when the broker has lost all; return the keys."""
    sent = outbox.sent_and_unfinished(session, sent_before=now, limit=100)
    return [job.key for job in sent if outbox.send_again(session, job, now=now, begun_delay_seconds=9)]


def test_a_job_whose_message_is_lost_is_sent_again_at_once_and_a_finished_one_never(session: Session) -> None:
    for key in ("lost", "done"):
        outbox.enqueue(session, "diagnose", {}, key=key, now=NOW)
        outbox.mark_sent(session, key, NOW, message_id=f"message of {key}")
    outbox.mark_done(session, "done", NOW)
    assert _send_again(session, _seconds(1)) == ["lost"]
    assert _due(session, _seconds(1)) == ["lost"]


def test_a_lost_job_that_a_worker_has_begun_is_left_to_that_worker_for_a_while(session: Session) -> None:
    outbox.enqueue(session, "diagnose", {}, key="begun", now=NOW)
    outbox.mark_sent(session, "begun", NOW, message_id="first")
    outbox.begin(session, "begun", NOW)
    _send_again(session, _seconds(10))
    assert (_due(session, _seconds(18)), _due(session, _seconds(19))) == ([], ["begun"])


def test_a_job_that_was_sent_anew_meanwhile_is_not_taken_for_lost(session: Session) -> None:
    outbox.enqueue(session, "diagnose", {}, key="job", now=NOW)
    outbox.mark_sent(session, "job", NOW, message_id="first")
    (seen,) = outbox.sent_and_unfinished(session, sent_before=NOW, limit=100)
    outbox.postpone(session, "job", now=NOW, seconds=0)
    outbox.mark_sent(session, "job", NOW, message_id="second")
    assert not outbox.send_again(session, seen, now=_seconds(5), begun_delay_seconds=9)


def test_waiting_in_the_queue_however_long_is_no_failed_attempt(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="waits", now=NOW)
    for hour in range(3 * outbox.MAX_ATTEMPTS):
        outbox.mark_sent(session, "waits", _seconds(3600 * hour))
        _send_again(session, _seconds(3600 * hour + 60))
    assert outbox.dead_letters(session) == []
    assert outbox.begin(session, "waits", _seconds(10**6))


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
    assert "job" not in _due(session, _seconds(10_000))


def test_a_job_that_kills_its_worker_every_time_ends_among_the_dead_letters(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="poison", now=NOW)
    begun = 0
    while outbox.begin(session, "poison", NOW):
        begun += 1
    assert begun == outbox.MAX_ATTEMPTS
    assert [job.key for job in outbox.dead_letters(session)] == ["poison"]


def test_a_run_that_was_put_off_or_had_to_wait_is_no_crash(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="waits", now=NOW)
    for number in range(3 * outbox.MAX_ATTEMPTS):
        assert outbox.begin(session, "waits", _seconds(number))
        if number % 2:
            outbox.postpone(session, "waits", now=_seconds(number), seconds=0.5)
        else:
            outbox.wait(session, "waits", "Slack: ratelimited", now=_seconds(number), seconds=0.5)


def test_waiting_for_a_rate_limit_is_no_failed_attempt_until_it_has_lasted_too_long(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="limited", now=NOW)
    at = 0.0
    while at < outbox.LONGEST_WAIT_SECONDS:
        assert not outbox.wait(session, "limited", "Slack: ratelimited", now=_seconds(at), seconds=60)
        assert _due(session, _seconds(at + 59)) == []
        assert _due(session, _seconds(at + 60)) == ["limited"]
        at += 60
    ends = [
        outbox.wait(session, "limited", "Slack: ratelimited", now=_seconds(at + number), seconds=60)
        for number in range(outbox.MAX_ATTEMPTS)
    ]
    assert ends == [False] * (outbox.MAX_ATTEMPTS - 1) + [True]
    assert [job.error for job in outbox.dead_letters(session)] == ["Slack: ratelimited"]


def test_a_limit_that_asks_for_no_time_is_not_asked_again_at_once(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="limited", now=NOW)
    outbox.wait(session, "limited", "Slack: ratelimited", now=NOW, seconds=0)
    assert (_due(session, _seconds(0.9)), _due(session, _seconds(1))) == ([], ["limited"])


@pytest.mark.parametrize("way", ["failed for good", "failed too often", "killed its workers", "waited too long"])
def test_however_a_job_dies_those_who_wait_for_it_are_told(session: Session, way: str) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    late = _seconds(outbox.LONGEST_WAIT_SECONDS)
    outbox.wait(session, "job", "limited", now=NOW, seconds=1)
    for _ in range(outbox.MAX_ATTEMPTS):
        if way == "failed for good":
            outbox.fail(session, "job", "refused", now=late, permanent=True)
        elif way == "failed too often":
            outbox.fail(session, "job", "away", now=late)
        elif way == "killed its workers":
            outbox.begin(session, "job", late)
        else:
            outbox.wait(session, "job", "limited", now=late, seconds=1)
    outbox.begin(session, "job", late)
    assert [job.actor for job in outbox.due(session, now=late, limit=10)] == ["give_up", "tell_dead_letters"]


def test_a_job_that_tells_of_a_death_dies_quietly(session: Session) -> None:
    for actor in (outbox.GIVE_UP, outbox.TELL_DEAD_LETTERS):
        outbox.enqueue(session, actor, {}, key=actor, now=NOW)
        outbox.fail(session, actor, "refused", now=NOW, permanent=True)
    assert _due(session, _seconds(10_000)) == []


def test_a_job_done_after_all_is_no_dead_letter(session: Session) -> None:
    outbox.enqueue(session, "notify", {}, key="job", now=NOW)
    outbox.fail(session, "job", "refused", now=NOW, permanent=True)
    outbox.mark_done(session, "job", NOW)
    assert outbox.dead_letters(session) == []


def test_the_key_of_a_dead_job_is_free_for_whoever_asks_again(session: Session) -> None:
    def ask(name: str) -> bool:
        return outbox.enqueue_again(session, "create_ticket", {"user_name": name}, key="ticket:1", now=NOW)

    assert (ask("ana"), ask("ben")) == (True, False)
    outbox.fail(session, "ticket:1", "Jira is not set", now=NOW, permanent=True)
    assert (ask("ben"), ask("eva")) == (True, False)
    assert "ticket:1" in _due(session)
    job = session.scalars(select(OutboxJob).where(OutboxJob.key == "ticket:1")).one()
    assert (job.arguments, job.attempts) == ({"user_name": "ben"}, 0)
    outbox.mark_done(session, "ticket:1", NOW)
    assert not ask("eva")


def test_the_end_of_a_job_is_committed_with_its_last_change_or_not_at_all(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        outbox.enqueue(session, "diagnose", {}, key="job", now=NOW)
    with outbox.running("job"):
        with sessions() as session:
            outbox.finish_running(session, NOW)
            session.rollback()
        with sessions.begin() as session:
            assert not outbox.is_done(session, "job")
            outbox.finish_running(session, NOW)
    with sessions.begin() as session:
        assert outbox.is_done(session, "job")
        outbox.finish_running(session, NOW)


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
