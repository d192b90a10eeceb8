from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import dead_letters, outbox
from storage.errors import NotFoundError
from storage.models import OutboxJob

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)


def given_up(session: Session, key: str) -> int:
    outbox.enqueue(session, "tell_dead_letters", {}, key=key, now=NOW)
    outbox.fail(session, key, "refused", now=NOW, permanent=True)
    return session.scalars(select(OutboxJob.id).where(OutboxJob.key == key)).one()


def keys(session: Session) -> set[str]:
    return set(session.scalars(select(OutboxJob.key)))


def test_a_dead_letter_that_is_retried_has_all_its_attempts_again(session: Session) -> None:
    job = dead_letters.retry(session, given_up(session, "one"), NOW)
    assert job is not None
    assert (job.attempts, job.dead_at) == (0, None)
    assert [due.key for due in outbox.due(session, now=NOW, limit=10)] == ["one"]
    assert dead_letters.retry(session, job.id, NOW) is None


def test_a_dismissed_dead_letter_counts_no_more_and_can_still_be_retried(session: Session) -> None:
    job_id = given_up(session, "one")
    assert dead_letters.dismiss(session, job_id, NOW) is not None
    assert dead_letters.dismiss(session, job_id, NOW) is None
    assert outbox.dead_letters(session) == []
    assert dead_letters.retry(session, job_id, NOW) is not None


def test_the_error_names_a_job_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFoundError, match="There is no job 7"):
        dead_letters.retry(session, 7, NOW)


def test_done_and_dismissed_jobs_go_after_their_time_and_nothing_else_does(session: Session) -> None:
    given_up(session, "dead")
    dead_letters.dismiss(session, given_up(session, "dismissed"), NOW)
    for key in ("done", "waits", "sent"):
        outbox.enqueue(session, "deliver", {}, key=key, now=NOW)
    outbox.mark_done(session, "done", NOW)
    outbox.mark_sent(session, "sent", NOW)
    kept = NOW + timedelta(days=dead_letters.KEPT_DAYS)
    assert dead_letters.prune(session, kept) == 0
    assert dead_letters.prune(session, kept + timedelta(seconds=1)) == 2
    assert keys(session) == {"dead", "waits", "sent"}


def test_one_pass_deletes_a_bounded_number(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "PRUNED_AT_ONCE", 2)
    for number in range(3):
        outbox.enqueue(session, "deliver", {}, key=f"job:{number}", now=NOW)
        outbox.mark_done(session, f"job:{number}", NOW)
    later = NOW + timedelta(days=dead_letters.KEPT_DAYS + 1)
    assert [dead_letters.prune(session, later) for _ in range(3)] == [2, 1, 0]
