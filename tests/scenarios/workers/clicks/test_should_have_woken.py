"""People say under the digest that what waited should have woken them; it counts the next time the alert fires."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integrations.cards import Card
from integrations.errors import RejectedError
from integrations.protocols import Standing
from storage import triage
from storage.models import AuditEntry, Delivery, TriageWord
from storage.triage import NewDecision
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.clicks.test_people_decide import click
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.incidents import place_of
from tests.scenarios.workers.lifecycle.test_who_is_woken import active, flapped
from tests.scenarios.workers.worker import Clock, Worker
from workers.clicks.buttons import handle_click
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.triage.answer import SHOULD_HAVE_WOKEN
from workers.triage.digest import enqueue_digest, tell_digest


def waits(services: Services, *names: str) -> list[int]:
    """Store that these alerts wait for the digest; return the ids of the decisions."""
    now = services.clock()
    with services.sessions.begin() as session:
        new = [NewDecision(f"alert:{name}", name, "shop", "digest", "flaps", "So.", None, -1.0, now) for name in names]
        return [triage.decide(session, one, None, now=now).id for one in new]


def digested(services: Services, clock: Clock, worker: Worker) -> Card:
    clock.now = clock.now.replace(hour=9, minute=5)
    enqueue_digest(services, clock())
    worker.run_all()
    return next(one.card for one in chat(services).messages.values() if "could wait" in one.card.title)


def words(services: Services) -> dict[str, str]:
    """Return who said it about which alert."""
    with services.readers() as session:
        return {word.fingerprint: word.said_by for word in session.scalars(select(TriageWord))}


def test_each_alert_of_the_digest_has_a_button_for_its_latest_firing(
    services: Services, clock: Clock, worker: Worker
) -> None:
    numbers = waits(services, "disk", "queue", "disk")
    card = digested(services, clock, worker)
    buttons = [(one.action_id, one.value) for one in card.actions]
    assert buttons == [(SHOULD_HAVE_WOKEN, str(numbers[2])), (SHOULD_HAVE_WOKEN, str(numbers[1]))]
    assert all(f"#{one.value} should have woken us" == one.label and one.confirm for one in card.actions)


@ON_BOTH
def test_a_press_counts_once_tells_the_person_and_is_in_the_audit_chain(
    services: Services, clock: Clock, worker: Worker
) -> None:
    [disk, _] = waits(services, "disk", "queue")
    digested(services, clock, worker)
    for user in ("Ana", "Ana", "Ben"):
        click(services, SHOULD_HAVE_WOKEN, disk, user)
        worker.run_all()
    assert words(services) == {"alert:disk": "Ana"}
    told = chat(services).ephemerals
    assert [user for user, _ in told] == ["UANA", "UANA", "UBEN"]
    assert told[0][1].startswith("When disk fires again, people are told")
    assert told[1][1] == told[2][1] == "Somebody has said that already, and it counts."
    with services.readers() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.event == SHOULD_HAVE_WOKEN)).all()
    assert [entry.actor for entry in entries] == ["Ana"]


def test_the_alert_wakes_people_the_next_time(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    clock.now = clock.now.replace(hour=5)
    flapped(services, clock, alertmanager)
    alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
    [button] = digested(services, clock, worker).actions
    click(services, SHOULD_HAVE_WOKEN, int(button.value))
    assert active(services) == []
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    tick(services)
    assert len(active(services)) == 1


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.MEMBER])
def test_only_members_may_say_it(services: Services, clock: Clock, worker: Worker, standing: Standing) -> None:
    [disk] = waits(services, "disk")
    digested(services, clock, worker)
    chat(services).standings["UANA"] = standing
    click(services, SHOULD_HAVE_WOKEN, disk)
    assert words(services) == {}


def test_what_another_digest_lists_is_not_said_under_this_one(services: Services) -> None:
    [disk, queue] = waits(services, "disk", "queue")
    tell_digest(services, "1 alert could wait", "disk", "digest:1", [disk])
    tell_digest(services, "1 alert could wait", "queue", "digest:2", [queue])
    handle_click(
        services, action_id=SHOULD_HAVE_WOKEN, value=str(queue), user_id="UANA", user_name="Ana", trigger_id="t",
        **place_of(services, SHOULD_HAVE_WOKEN, disk),
    )  # fmt: skip
    assert words(services) == {}
    assert "pressed on a message that is not its own" in chat(services).ephemerals[-1][1]


def test_a_digest_that_the_channel_refuses_is_given_up_and_said_to_be(services: Services) -> None:
    [disk] = waits(services, "disk")
    chat(services).failures.append(RejectedError("Slack", "is_archived"))
    tell_digest(services, "1 alert could wait", "disk", "digest:1", [disk])
    with services.readers() as session:
        assert session.scalars(select(Delivery.status)).all() == ["undelivered"]
