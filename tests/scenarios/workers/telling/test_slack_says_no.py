"""Every kind of refusal at every step of an incident: somebody is told within a minute, and nothing is lost."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from integrations.cards import Card
from integrations.slack.codes import MEANINGS, Meaning
from storage import deliveries, outbox
from tests.scenarios.workers import slack_client
from tests.scenarios.workers.fakes import FakeEscalation
from tests.scenarios.workers.incidents import offered, opened, place_of
from tests.scenarios.workers.slack_client import Channel, Workspace
from tests.scenarios.workers.worker import Worker
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message

PNG = b"\x89PNG"
CODES = (
    *(code for meaning in Meaning for code in [one for one, its in MEANINGS.items() if its is meaning][:1]),
    "is_archived",
    "missing_scope",
    "restricted_action",
    "token_revoked",
    "a_code_of_tomorrow",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here: what is asked is what Argux makes of the codes."""
    return sqlite_url


@pytest.fixture
def slack(services: Services, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Slack behind the real adapter, with Teams and an approver to tell what is wrong."""
    workspace = Workspace()
    services.settings = services.settings.model_copy(
        update={
            "slack_bot_token": SecretStr("xoxb-test"),
            "teams_webhook_url": SecretStr("https://teams.example/hook"),
            "approver_ids": ["UANA"],
        }
    )
    services.chat = Channel(workspace)
    monkeypatch.setattr("workers.telling.picture.render_png", lambda spec: PNG)
    return workspace


def say(services: Services, incident_id: int, title: str) -> None:
    with services.sessions.begin() as session:
        enqueue_thread_message(
            session, incident_id, key=title, card=Card(title=title), channel="C1", now=services.clock()
        )


def told_elsewhere(services: Services, slack: Workspace) -> list[str]:
    assert isinstance(services.escalation, FakeEscalation)
    direct = [message.title for message in slack.messages if message.channel.startswith("D")]
    return [*(card.title for card in services.escalation.cards), *direct]


def click(services: Services, action_id: str, value: int, number: int = 1) -> None:
    handle = {
        "action_id": action_id, "value": str(value), "user_id": "UANA", "user_name": "ana",
        "trigger_id": f"{action_id}.1", "response_url": "https://hooks.slack.com/actions/1",
        **place_of(services, action_id, value),
    }  # fmt: skip
    with services.sessions.begin() as session:
        outbox.enqueue(
            session, "handle_click", handle, key=f"click:{handle['action_id']}:{number}", now=services.clock()
        )


def nothing_is_lost(services: Services) -> None:
    with services.readers() as session:
        assert deliveries.waiting(session) == []
        assert [job.error for job in outbox.dead_letters(session)] == []


@pytest.mark.parametrize("code", CODES)
class TestEachStep:
    """The steps of a story. Each is refused for a minute, in which somebody is told, and then mended."""

    def test_the_root_message(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        slack.refuse[slack_client.ROOT] = code
        incident_id = opened(services)
        say(services, incident_id, "First")
        say(services, incident_id, "Second")
        worker.run_for(59)
        assert slack.titles() or told_elsewhere(services, slack)
        del slack.refuse[slack_client.ROOT]
        worker.run_for(180)
        assert [message.title for message in slack.messages if "SEV2" in message.title] == [
            "🟠 SEV2 · #1 POST /checkout is slow"
        ]
        assert [title.removeprefix("#1 ") for title in slack.titles() if "SEV2" not in title] == ["First", "Second"]
        nothing_is_lost(services)

    def test_the_root_message_edited(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        incident_id = opened(services)
        worker.run_for(10)
        slack.refuse[slack_client.EDIT] = code
        offered(services, incident_id)
        say(services, incident_id, "First")
        worker.run_for(59)
        assert "Approve fix" in str(slack.messages) or told_elsewhere(services, slack)
        del slack.refuse[slack_client.EDIT]
        worker.run_for(180)
        assert "Approve fix" in str(slack.messages)
        assert "First" in slack.thread_titles()
        nothing_is_lost(services)

    def test_a_message_of_the_thread(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        incident_id = opened(services)
        worker.run_for(10)
        slack.refuse[slack_client.THREAD] = code
        for title in ("First", "Second", "Third"):
            say(services, incident_id, title)
        worker.run_for(59)
        told = [title for title in slack.titles() if "First" in title]
        assert told or told_elsewhere(services, slack)
        del slack.refuse[slack_client.THREAD]
        worker.run_for(400)
        said = [title.removeprefix("#1 ") for title in slack.titles() if "SEV2" not in title]
        assert sorted(said) == ["First", "Second", "Third"]
        nothing_is_lost(services)

    def test_the_picture(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        slack.refuse[slack_client.PICTURE] = code
        opened(services)
        worker.run_for(5)
        assert slack.titles() == ["🟠 SEV2 · #1 POST /checkout is slow"]
        del slack.refuse[slack_client.PICTURE]
        worker.run_for(120)
        assert slack.messages[0].has_picture
        nothing_is_lost(services)

    def test_a_private_answer(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        incident_id = opened(services)
        worker.run_for(5)
        slack.refuse[slack_client.EPHEMERAL] = code
        click(services, "acknowledge", incident_id)
        click(services, "acknowledge", incident_id, 2)
        worker.run_for(10)
        assert isinstance(services.chat, Channel)
        assert [card.text for card in services.chat.responses] == ["Ana is on it already."]
        nothing_is_lost(services)

    def test_a_dialog(self, services: Services, slack: Workspace, worker: Worker, code: str) -> None:
        incident_id = opened(services)
        proposal_id = offered(services, incident_id)
        worker.run_for(5)
        slack.refuse[slack_client.MODAL] = code
        click(services, "approve_fix", proposal_id)
        worker.run_for(59)
        [(person, text)] = slack.private
        assert person == "UANA"
        assert "Press Approve fix again" in text
        del slack.refuse[slack_client.MODAL]
        click(services, "approve_fix", proposal_id, 2)
        worker.run_for(5)
        assert slack.modals
        nothing_is_lost(services)
