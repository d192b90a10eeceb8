"""The buttons on an incident's message follow what is connected."""

from __future__ import annotations

from tests.scenarios.workers.clicks.test_people_decide import fakes
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Worker, settle
from workers.services import Services
from workers.telling.offered import offer_anew

BUTTONS = {"create_ticket", "escalate"}


def test_a_system_that_is_connected_later_is_offered_on_the_incidents_that_are_open(
    services: Services, worker: Worker
) -> None:
    chat, _ = fakes(services)
    connected = services.settings
    services.settings = connected.model_copy(update={"jira_url": None, "teams_webhook_url": None})
    opened(services)
    settle(worker)
    assert not BUTTONS & set(chat.buttons())

    services.settings = connected
    offer_anew(services)
    settle(worker)

    assert set(chat.buttons()) >= BUTTONS


def test_a_start_edits_no_message_that_would_look_the_same(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    opened(services)
    settle(worker)
    edits = chat.root().edits

    offer_anew(services)
    settle(worker)

    assert chat.root().edits == edits
