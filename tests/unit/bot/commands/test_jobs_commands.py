"""`argux jobs`, run as a user types it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from storage import outbox
from storage.models import AuditEntry, OutboxJob
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def given_up(services: Services, key: str, error: str = "Jira: JIRA_URL is not set") -> int:
    now = services.clock()
    with services.sessions.begin() as session:
        outbox.enqueue(session, "create_ticket", {"incident_id": 3, "user_name": "Ana"}, key=key, now=now)
        outbox.fail(session, key, error, now=now, permanent=True)
        return session.scalars(select(OutboxJob.id).where(OutboxJob.key == key)).one()


def audited(services: Services) -> list[tuple[str, int]]:
    with services.readers() as session:
        return [(entry.event, entry.payload["job_id"]) for entry in session.scalars(select(AuditEntry))]


def test_a_job_that_failed_for_good_is_listed_with_what_it_was_to_do_and_why_it_failed(
    run_argux: RunArgux, services: Services
) -> None:
    assert run_argux("jobs", "list").stdout == "No job has failed for good.\n"
    job_id = given_up(services, "one")
    first, second = run_argux("jobs", "list").stdout.splitlines()
    assert re.fullmatch(rf" +{job_id}  \d{{4}}-\d\d-\d\d \d\d:\d\d UTC  create a Jira ticket for incident #3", first)
    assert second.strip() == "Jira: JIRA_URL is not set"


def test_a_job_is_retried_and_another_dismissed_and_both_are_audited(run_argux: RunArgux, services: Services) -> None:
    one, two = given_up(services, "one"), given_up(services, "two")
    assert run_argux("jobs", "retry", str(one)).stdout == f"1 job tried again: #{one}\n"
    assert run_argux("jobs", "dismiss", str(two)).stdout == f"1 job dismissed: #{two}\n"
    assert run_argux("jobs", "list").stdout == "No job has failed for good.\n"
    assert audited(services) == [("job_retried", one), ("job_dismissed", two)]
    with services.sessions.begin() as session:
        assert "one" in [job.key for job in outbox.due(session, now=services.clock(), limit=10)]


def test_all_jobs_are_retried_at_once(run_argux: RunArgux, services: Services) -> None:
    one, two = given_up(services, "one"), given_up(services, "two")
    assert run_argux("jobs", "retry", "--all").stdout == f"2 jobs tried again: #{one}, #{two}\n"


@pytest.mark.parametrize("words", [("retry",), ("dismiss",), ("retry", "1", "--all")])
def test_one_says_which_jobs_are_meant(run_argux: RunArgux, services: Services, words: tuple[str, ...]) -> None:
    given_up(services, "one")
    answer = run_argux("jobs", *words)
    assert (answer.exit_code, "`argux jobs list` shows them" in answer.stderr) == (1, True)


@pytest.mark.parametrize("verb", ["retry", "dismiss"])
def test_a_job_that_waits_for_no_decision_is_refused(run_argux: RunArgux, services: Services, verb: str) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, "deliver", {}, key="lives", now=services.clock())
    answer = run_argux("jobs", verb, "1")
    assert (answer.exit_code, "No such job waits for a decision" in answer.stderr) == (1, True)
    assert run_argux("jobs", verb, "99").stderr == "There is no job 99.\n"


def test_a_reason_from_outside_cannot_steer_the_terminal(run_argux: RunArgux, services: Services) -> None:
    given_up(services, "one", "GitHub: \x1b[2J\x1b[31mall fine\r\nreally \u202egnp.exe")
    listed = run_argux("jobs", "list").stdout
    assert not {"\x1b", "\r", "\u202e"} & set(listed)
    assert len(listed.splitlines()) == 2


def test_the_doctor_tells_of_them_and_does_not_fail_for_that(run_argux: RunArgux, services: Services) -> None:
    given_up(services, "one")
    answer = run_argux("doctor")
    assert answer.exit_code == 0
    (line,) = (line for line in answer.stdout.splitlines() if line.startswith("jobs:"))
    assert "notice · 1 given up since " in line
    assert "create a Jira ticket for incident #3: Jira: JIRA_URL is not set. To mend it: " in line
    assert "argux jobs retry" in line
