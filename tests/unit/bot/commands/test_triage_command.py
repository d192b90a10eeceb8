"""`argux triage`, run as a user types it."""

from __future__ import annotations

from datetime import timedelta

from storage import triage
from storage.triage import NewDecision
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def test_it_lists_what_fires_and_why_people_are_told_or_not(run_argux: RunArgux, services: Services) -> None:
    assert run_argux("triage").stdout == "No alert of another monitor is firing, and Argux has found nothing.\n"
    now = services.clock()
    with services.sessions.begin() as session:
        for name, decision in (("DiskFull", "digest"), ("PaymentsDown", "wake")):
            new = NewDecision(name, name, "shop", decision, "lasts", "It has not ended.", None, 1.0, now)
            triage.decide(session, new, None, now=now + timedelta(seconds=1))
    lines = run_argux("triage").stdout.splitlines()
    assert [line.partition(", since")[0] for line in lines] == [
        "#2  told   PaymentsDown of shop",
        "#1  waits  DiskFull of shop",
    ]
    assert lines[0].endswith(": It has not ended.")


def test_of_more_than_can_be_read_at_once_the_rest_is_counted(run_argux: RunArgux, services: Services) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        for number in range(53):
            name = f"alert:{number}"
            triage.decide(session, NewDecision(name, name, None, "wake", "lasts", "", None, 1.0, now), None, now=now)

    lines = run_argux("triage").stdout.splitlines()

    assert len(lines) == 51
    assert lines[-1] == "and 3 more: GET /api/triage"
