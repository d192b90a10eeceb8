"""A Jira project that wants more than Argux knows: the presser is asked for it, and gets the ticket."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integrations.cards import Modal
from integrations.errors import RejectedError, RetryableError
from integrations.protocols import TicketField
from storage import outbox
from storage.models import AuditEntry
from tests.scenarios.workers.clicks.test_people_decide import click
from tests.scenarios.workers.fakes import FakeChat, FakeTickets
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Worker, settle
from workers.clicks.submissions import handle_submission
from workers.services import Services
from workers.telling import dialogs

TEAM = TicketField("customfield_1", "Team", choices=(("11", "Payments"), ("12", "Search")))
CENTRE = TicketField("customfield_2", "Cost centre", hint="A number")
REVIEWER = TicketField("customfield_3", "Reviewer", fault="a field of the kind user")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here: what is asked is what people see."""
    return sqlite_url


@pytest.fixture
def chat(services: Services) -> FakeChat:
    assert isinstance(services.chat, FakeChat)
    return services.chat


@pytest.fixture
def jira(services: Services) -> FakeTickets:
    assert isinstance(services.tickets, FakeTickets)
    return services.tickets


@pytest.fixture
def incident_id(services: Services, worker: Worker) -> int:
    made = opened(services)
    settle(worker)
    return made


def pressed(services: Services, incident_id: int, trigger_id: str = "1.2.ana") -> None:
    """Press the button as the web process does: it opens the dialog at once where that is known to be needed."""
    dialogs.open_at_once(services, "create_ticket", trigger_id)
    click(services, "create_ticket", incident_id, trigger_id=trigger_id)


def submitted(services: Services, modal: Modal, answers: dict[str, str], user: str = "Ana") -> None:
    arguments = {
        "callback_id": modal.callback_id, "value": modal.value, "user_id": f"U{user.upper()}", "user_name": user,
        "view_id": "V1", "answers": answers,
    }  # fmt: skip
    handle_submission(services, **arguments)  # type: ignore[arg-type]


def ephemerals(chat: FakeChat) -> list[str]:
    return [text for _, text in chat.ephemerals]


def test_without_required_fields_the_ticket_is_made_at_one_press_and_no_dialog_opens(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    pressed(services, incident_id)
    settle(worker)
    assert chat.modals == []
    assert jira.made
    assert "Ticket created" in chat.thread_titles()


def test_required_fields_are_asked_for_and_the_answers_make_the_ticket(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (TEAM, CENTRE)
    pressed(services, incident_id)
    settle(worker)
    [modal] = chat.modals
    assert [(one.name, one.label, one.choices, one.hint) for one in modal.inputs] == [
        ("customfield_1", "Team", TEAM.choices, ""),
        ("customfield_2", "Cost centre", (), "A number"),
    ]
    assert modal.submit_label
    assert not jira.made
    submitted(services, modal, {"customfield_1": "12", "customfield_2": "47"})
    settle(worker)
    assert jira.answers == {"customfield_1": "12", "customfield_2": "47"}
    assert "Ticket created" in chat.thread_titles()
    with services.readers() as session:
        assert "create_ticket" in session.scalars(select(AuditEntry.event)).all()


def test_the_second_press_opens_the_dialog_before_jira_has_answered(
    services: Services, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    """Slack takes a dialog only for three seconds, and Jira may take longer to say what it wants."""
    jira.wanted = (TEAM,)
    pressed(services, incident_id, "first")
    dialogs.open_at_once(services, "create_ticket", "second")
    assert "Asking Jira" in chat.modals[-1].sections[0]
    click(services, "create_ticket", incident_id, trigger_id="second")
    assert [one.name for one in chat.modals[-1].inputs] == ["customfield_1"]
    assert len(chat.modals) == 2


def test_a_dialog_that_comes_too_late_is_told_and_works_at_the_next_press(
    services: Services, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (TEAM,)
    chat.failures.append(RejectedError("Slack", "expired_trigger_id"))
    pressed(services, incident_id, "first")
    assert "expired_trigger_id" in ephemerals(chat)[-1]
    assert "Press Create Jira ticket again" in ephemerals(chat)[-1]
    pressed(services, incident_id, "second")
    assert [one.name for one in chat.modals[-1].inputs] == ["customfield_1"]


def test_a_field_that_jira_names_only_when_it_refuses_is_asked_for_at_the_next_press(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.unlisted = (TEAM,)
    pressed(services, incident_id, "first")
    settle(worker)
    assert "No ticket was created" in chat.thread_titles()
    pressed(services, incident_id, "second")
    [modal] = chat.modals
    submitted(services, modal, {"customfield_1": "11"})
    settle(worker)
    assert "Ticket created" in chat.thread_titles()


def test_a_kind_of_field_that_no_dialog_can_ask_for_is_named_with_how_to_mend_it(
    services: Services, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (TEAM, REVIEWER)
    pressed(services, incident_id)
    assert chat.modals == []
    assert "**Reviewer**: a field of the kind user" in ephemerals(chat)[-1]
    assert "give it a default or make it optional" in ephemerals(chat)[-1]
    assert "Team" not in ephemerals(chat)[-1]


@pytest.mark.parametrize("error", [RetryableError("Jira", "HTTP 503"), RejectedError("Jira", "HTTP 400")])
def test_what_jira_does_not_tell_costs_no_ticket(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int, error: Exception
) -> None:
    jira.check_failures.append(error)  # type: ignore[arg-type]
    pressed(services, incident_id)
    settle(worker)
    assert "Ticket created" in chat.thread_titles()


def test_fields_that_are_no_longer_wanted_leave_no_dialog_waiting(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (TEAM,)
    pressed(services, incident_id, "first")
    jira.wanted = ()
    pressed(services, incident_id, "second")
    assert "on its way" in chat.modals[-1].sections[0]
    settle(worker)
    assert "Ticket created" in chat.thread_titles()
    assert dialogs.questions(services, "create_ticket") == []


def test_answers_that_jira_does_not_accept_are_told_and_asked_for_again(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (CENTRE,)
    pressed(services, incident_id, "first")
    jira.failures.append(RejectedError("Jira", "“Cost centre”: “many” is no number"))
    submitted(services, chat.modals[-1], {"customfield_2": "many"})
    settle(worker)
    [text] = [one.card.text for one in chat.messages.values() if one.card.title == "No ticket was created"]
    assert "“Cost centre”: “many” is no number" in text
    pressed(services, incident_id, "second")
    submitted(services, chat.modals[-1], {"customfield_2": "47"})
    settle(worker)
    assert "Ticket created" in chat.thread_titles()


@pytest.mark.parametrize("value", ["", "x", "7; DROP", "9" * 12, "404"])
def test_a_forged_dialog_makes_no_ticket(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int, value: str
) -> None:
    modal = Modal(callback_id="ticket_fields", title="x", submit_label="x", value=value)
    submitted(services, modal, {"customfield_1": "11"})
    settle(worker)
    assert not jira.made
    assert ephemerals(chat)


def test_a_second_submission_is_told_that_the_ticket_is_on_its_way(
    services: Services, worker: Worker, chat: FakeChat, jira: FakeTickets, incident_id: int
) -> None:
    jira.wanted = (TEAM,)
    pressed(services, incident_id)
    for _ in range(2):
        submitted(services, chat.modals[-1], {"customfield_1": "11"})
    assert "asked for already" in ephemerals(chat)[-1]
    settle(worker)
    with services.readers() as session:
        assert outbox.dead_letters(session) == []
    assert len(jira.made) == 1
