"""Resolve and False alarm never hide a live outage: the dialog and the status say so, and it is told again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from detection.types import IncidentStatus
from integrations.cards import moment
from storage import incidents
from storage.models import AuditEntry, Incident
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.api_traffic import FAILING, Api, lives
from tests.scenarios.workers.clicks.test_people_decide import click, close
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeCodeHost, chat
from tests.scenarios.workers.incidents import offered, opened, sealed
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.clicks.slash_command import status_card
from workers.clicks.submissions import handle_submission
from workers.lifecycle.tick import tick
from workers.memory.broken_times import past_incidents
from workers.services import Services
from workers.watching.states import watched_states


def all_incidents(services: Services) -> list[Incident]:
    with services.readers() as session:
        return sorted(incidents.list_incidents(session), key=lambda one: one.id)


def statuses(services: Services) -> list[IncidentStatus]:
    return [one.status for one in all_incidents(services)]


def said_by_status(services: Services) -> str:
    with services.readers() as session:
        card = status_card(services, session)
    return "\n".join([card.title, card.text, *(f"{name}: {text}" for name, text in card.fields)])


def fires(services: Services, alertmanager: Alertmanager, *names: str) -> None:
    """Send the alerts, and move on by ten seconds and one tick."""
    alertmanager.clock.forward(10)
    alertmanager.send(*(alertmanager.alert(name, "firing") for name in names))
    tick(services)


@ON_BOTH
def test_an_outage_that_was_resolved_by_hand_is_named_in_the_dialog_and_the_status_and_told_again_after_the_cooldown(
    services: Services, api: Api, worker: Worker
) -> None:
    lives(services, api, 2, failing=FAILING)
    worker.run_all()
    click(services, "resolve", 1)
    assert statuses(services) == [IncidentStatus.OPEN]
    modal = chat(services).modals[-1]
    assert modal.sections[0].startswith("**Still broken:** POST /checkout fails for ")
    assert "normally 0." in modal.sections[0]
    close(services, "resolve", 1)
    assert statuses(services) == [IncidentStatus.RESOLVED]
    lives(services, api, 3, failing=FAILING)
    assert statuses(services) == [IncidentStatus.RESOLVED]
    said = said_by_status(services)
    assert said.startswith("1 closed by hand and still broken")
    assert "#1 closed by hand (Ana), still broken: POST /checkout fails for " in said
    (broken,) = [one for one in watched_states(services) if one.state == "broken"]
    assert broken.reason.startswith("#1 closed by hand (Ana), still broken")
    lives(services, api, 3, failing=FAILING)
    assert statuses(services) == [IncidentStatus.OPEN]
    worker.run_all()
    told = [posted.card for posted in chat(services).messages.values() if posted.card.title == "Still broken"]
    assert len(told) == 1
    assert told[0].text.startswith("Ana closed this at <t:")
    assert "Still broken: POST /checkout fails for" in told[0].text
    assert "acknowledge" in chat(services).buttons()


def test_an_outage_that_ended_after_it_was_resolved_by_hand_is_neither_in_the_status_nor_told_again(
    services: Services, api: Api
) -> None:
    lives(services, api, 2, failing=FAILING)
    close(services, "resolve", 1)
    lives(services, api, 12)
    assert statuses(services) == [IncidentStatus.RESOLVED]
    assert "closed by hand" not in said_by_status(services)
    assert all(one.state != "broken" for one in watched_states(services))


def test_an_alert_that_fires_on_is_told_again_after_the_cooldown(
    services: Services, alertmanager: Alertmanager
) -> None:
    fires(services, alertmanager, "Saturated")
    close(services, "resolve", 1)
    fires(services, alertmanager, "Saturated")
    assert statuses(services) == [IncidentStatus.RESOLVED]
    assert "#1 closed by hand (Ana), still broken: Saturated is firing" in said_by_status(services)
    alertmanager.clock.forward(300)
    fires(services, alertmanager, "Saturated")
    assert statuses(services) == [IncidentStatus.OPEN]


@ON_BOTH
def test_a_false_alarm_asks_for_a_reason_and_is_muted_visibly_for_a_day_and_then_told_again(
    services: Services, alertmanager: Alertmanager, worker: Worker
) -> None:
    fires(services, alertmanager, "Saturated")
    settle(worker)
    close(services, "false_alarm", 1, reason="  ")
    assert statuses(services) == [IncidentStatus.OPEN]
    assert chat(services).ephemerals[-1][1].startswith("Say in a few words why")
    close(services, "false_alarm", 1, reason="a load test")
    settle(worker)
    (closed,) = all_incidents(services)
    assert closed.muted_until is not None
    until = moment(closed.muted_until.timestamp())
    assert (closed.muted_until - alertmanager.clock()).total_seconds() == pytest.approx(86_400, abs=10)
    assert ("Muted", f"the same findings, until {until}") in chat(services).root().card.fields
    assert "a load test" in chat(services).root().card.text
    for _ in range(4):
        alertmanager.clock.forward(5 * 3600)
        fires(services, alertmanager, "Saturated")
    assert statuses(services) == [IncidentStatus.FALSE_ALARM]
    said = said_by_status(services)
    assert f"Muted: #1 Saturated is firing: Saturated it is: a false alarm (a load test), until {until}" in said
    assert "#1 closed by hand (Ana), still broken" in said
    alertmanager.clock.forward(4 * 3600)
    fires(services, alertmanager, "Saturated")
    assert statuses(services) == [IncidentStatus.OPEN]


def test_a_false_alarm_mutes_its_own_findings_and_no_others(services: Services, alertmanager: Alertmanager) -> None:
    fires(services, alertmanager, "Saturated")
    close(services, "false_alarm", 1)
    fires(services, alertmanager, "Saturated", "HighErrorRate")
    assert statuses(services) == [IncidentStatus.FALSE_ALARM, IncidentStatus.OPEN]


def test_reopening_a_false_alarm_ends_its_mute_and_its_acknowledgement(
    services: Services, alertmanager: Alertmanager, worker: Worker
) -> None:
    fires(services, alertmanager, "Saturated")
    click(services, "acknowledge", 1, "Ben")
    close(services, "false_alarm", 1)
    settle(worker)
    assert chat(services).buttons() == ["reopen"]
    click(services, "reopen", 1, "Ana")
    settle(worker)
    (incident,) = all_incidents(services)
    assert (incident.status, incident.muted_until, incident.acknowledged_by) == (IncidentStatus.OPEN, None, None)
    assert "Muted" not in said_by_status(services)
    before = len(chat(services).ephemerals)
    click(services, "acknowledge", 1, "Ana")
    assert len(chat(services).ephemerals) == before
    with services.readers() as session:
        assert "reopened; Ben was on it" in [row.text for row in incidents.get_incident(session, 1).timeline]


def test_the_pull_request_of_a_false_alarm_is_closed_with_a_comment(services: Services, worker: Worker) -> None:
    assert isinstance(services.code_host, FakeCodeHost)
    incident_id = opened(services)
    offered(services, incident_id)
    close(services, "false_alarm", incident_id, reason="a load test")
    worker.run_all()
    assert services.code_host.closed == [7]
    assert services.code_host.comments == [f"Ana marked incident #{incident_id} as a false alarm: a load test."]
    assert "Offer withdrawn" in chat(services).thread_titles()


def test_a_dialog_that_called_it_usual_closes_nothing_once_it_is_broken_again(
    services: Services, alertmanager: Alertmanager
) -> None:
    fires(services, alertmanager, "Saturated")
    handle_submission(
        services, callback_id="confirm_false_alarm", value=sealed(services, "confirm_false_alarm", "1:usual", "UANA"),
        user_id="UANA", user_name="ana", view_id="V1", answers={"reason": "a test"},
    )  # fmt: skip
    assert statuses(services) == [IncidentStatus.OPEN]
    assert "broken again since you looked" in chat(services).ephemerals[-1][1]
    with services.readers() as session:
        assert [entry.event for entry in session.query(AuditEntry)][-1] == "refused"


def fields(services: Services) -> dict[str, str]:
    return dict(chat(services).root().card.fields)


def test_the_message_of_what_was_closed_by_hand_says_that_it_is_broken_still_until_it_has_recovered(
    services: Services, api: Api, worker: Worker
) -> None:
    lives(services, api, 2, failing=FAILING)
    worker.run_all()
    close(services, "false_alarm", 1)
    lives(services, api, 2, failing=FAILING)
    worker.run_all()
    assert fields(services)["Closed by hand"].startswith("**still broken:** POST /checkout fails for ")
    lives(services, api, 12)
    worker.run_all()
    assert "Closed by hand" not in fields(services)
    (incident,) = all_incidents(services)
    with services.readers() as session:
        kinds = [entry.kind for entry in session.get_one(Incident, incident.id).timeline]
    assert kinds.count("back_to_usual") == 1


@pytest.mark.parametrize("button", ["resolve", "false_alarm"])
def test_the_time_after_a_closing_by_hand_is_not_usual_while_it_goes_on_being_found(
    services: Services, api: Api, clock: Clock, button: str
) -> None:
    lives(services, api, 2, failing=FAILING)
    close(services, button, 1)
    closed_at = clock().timestamp()
    lives(services, api, 3, failing=FAILING)
    with services.readers() as session:
        (past,) = past_incidents(session, since=clock() - timedelta(days=1), now=clock())
    assert past.ended is not None
    assert past.ended >= closed_at + 150
    lives(services, api, 4)
    with services.readers() as session:
        (later,) = past_incidents(session, since=clock() - timedelta(days=1), now=clock())
    assert later.ended is not None
    assert later.ended < clock().timestamp() - 60


def test_a_false_alarm_that_is_found_no_more_was_a_usual_time(services: Services, api: Api, clock: Clock) -> None:
    lives(services, api, 2, failing=FAILING)
    api.healthy_minute()
    close(services, "false_alarm", 1)
    with services.readers() as session:
        assert past_incidents(session, since=clock() - timedelta(days=1), now=clock()) == []
