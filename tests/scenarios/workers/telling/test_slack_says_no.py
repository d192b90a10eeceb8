"""Whatever Slack answers, at every step of an incident: somebody is told within a minute, and nothing is lost.

What happens depends on an answer only through the error that it becomes, and test_every_method.py of the adapter's unit
tests proves that error for each answer to each method. So each step is refused here with one code of each meaning that
its method has, and with one answer of each kind that is no code.
"""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from integrations.cards import Card
from integrations.slack.codes import MEANINGS, Meaning, meaning_of
from storage import deliveries, outbox
from tests.scenarios.workers import slack_client
from tests.scenarios.workers.fakes import FakeEscalation
from tests.scenarios.workers.incidents import offered, opened, place_of
from tests.scenarios.workers.slack_client import WIRE, Answer, Channel, Workspace, refusal
from tests.scenarios.workers.worker import Worker
from tests.slack_codes import codes_of
from workers.services import Services
from workers.telling import dialogs
from workers.telling.enqueue import enqueue_thread_message

PNG = b"\x89PNG"
NO_CODES = ("429 for 20 s", "429 without a time", "200 as a page", "timeout")


def one_of_each_meaning(*methods: str) -> list[str]:
    """Return the codes of these methods, one of each meaning, and one that Slack has not documented yet."""
    found: dict[Meaning, str] = {}
    for method in methods:
        for code in codes_of(method):
            found.setdefault(meaning_of(code), code)
    return [*found.values(), "a_code_of_tomorrow"]


def answers(*methods: str) -> pytest.MarkDecorator:
    kinds = {code: refusal(code) for code in one_of_each_meaning(*methods)} | {name: WIRE[name] for name in NO_CODES}
    return pytest.mark.parametrize("answer", [pytest.param(answer, id=name) for name, answer in kinds.items()])


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
        "trigger_id": f"{action_id}.{number}", "response_url": "https://hooks.slack.com/actions/1",
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


def responses(services: Services) -> list[str]:
    assert isinstance(services.chat, Channel)
    return [card.text for card in services.chat.responses]


@answers("chat.postMessage")
def test_the_root_message(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    slack.refuse[slack_client.ROOT] = answer
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


@answers("chat.update")
def test_the_root_message_edited(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    incident_id = opened(services)
    worker.run_for(10)
    slack.refuse[slack_client.EDIT] = answer
    offered(services, incident_id)
    say(services, incident_id, "First")
    worker.run_for(59)
    assert "Approve fix" in str(slack.messages) or told_elsewhere(services, slack)
    del slack.refuse[slack_client.EDIT]
    worker.run_for(180)
    assert "Approve fix" in str(slack.messages)
    assert "First" in slack.thread_titles()
    nothing_is_lost(services)


@answers("chat.postMessage")
def test_a_message_of_the_thread(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    incident_id = opened(services)
    worker.run_for(10)
    slack.refuse[slack_client.THREAD] = answer
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


@answers("files.getUploadURLExternal", "files.completeUploadExternal")
@pytest.mark.parametrize("step", [slack_client.PICTURE, slack_client.UPLOAD, slack_client.COMPLETE])
def test_the_picture(services: Services, slack: Workspace, worker: Worker, step: str, answer: Answer) -> None:
    slack.refuse[step] = answer
    opened(services)
    worker.run_for(5)
    assert slack.titles() == ["🟠 SEV2 · #1 POST /checkout is slow"]
    del slack.refuse[step]
    worker.run_for(120)
    assert slack.messages[0].has_picture
    nothing_is_lost(services)


@answers("chat.postEphemeral")
def test_a_private_answer(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    incident_id = opened(services)
    worker.run_for(5)
    slack.refuse[slack_client.EPHEMERAL] = answer
    click(services, "acknowledge", incident_id)
    click(services, "acknowledge", incident_id, 2)
    worker.run_for(10)
    assert responses(services) == ["Ana is on it already."]
    nothing_is_lost(services)


@answers("chat.postEphemeral")
@pytest.mark.parametrize("step", [slack_client.RESPOND])
def test_a_private_answer_when_the_response_url_is_refused_too(
    services: Services, slack: Workspace, worker: Worker, step: str, answer: Answer
) -> None:
    incident_id = opened(services)
    worker.run_for(5)
    slack.refuse[slack_client.EPHEMERAL] = refusal("user_not_in_channel")
    slack.refuse[step] = answer
    click(services, "acknowledge", incident_id)
    click(services, "acknowledge", incident_id, 2)
    worker.run_for(10)
    assert [one.channel for one in slack.messages if "Ana is on it already." in one.text] == ["DUANA"]
    nothing_is_lost(services)


@answers("conversations.open", "chat.postMessage")
@pytest.mark.parametrize("step", [slack_client.OPEN, slack_client.DIRECT])
def test_a_direct_message(services: Services, slack: Workspace, worker: Worker, step: str, answer: Answer) -> None:
    incident_id = opened(services)
    worker.run_for(5)
    slack.refuse = {
        slack_client.EPHEMERAL: refusal("user_not_in_channel"), slack_client.RESPOND: refusal("expired_url"),
        step: answer,
    }  # fmt: skip
    click(services, "acknowledge", incident_id)
    click(services, "acknowledge", incident_id, 2)
    worker.run_for(59)
    del slack.refuse[step]
    worker.run_for(60)
    said = [one.channel for one in slack.messages if "Ana is on it already." in one.text]
    assert said in (["DUANA"], ["UANA"])
    nothing_is_lost(services)


@answers("views.open")
def test_a_dialog(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    worker.run_for(5)
    slack.refuse[slack_client.MODAL] = answer
    click(services, "approve_fix", proposal_id)
    dialogs.open_at_once(services, "approve_fix", "approve_fix.1")
    worker.run_for(59)
    [(person, text)] = slack.private
    assert person == "UANA"
    assert "Press Approve fix again" in text
    del slack.refuse[slack_client.MODAL]
    click(services, "approve_fix", proposal_id, 2)
    worker.run_for(5)
    assert slack.modals["argux:approve_fix.2"]["submit"]
    nothing_is_lost(services)


@answers("views.update")
def test_a_dialog_that_is_filled(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    worker.run_for(5)
    slack.refuse[slack_client.FILL] = answer
    click(services, "approve_fix", proposal_id)
    dialogs.open_at_once(services, "approve_fix", "approve_fix.1")
    worker.run_for(59)
    is_open = bool(slack.modals["argux:approve_fix.1"].get("submit"))
    assert is_open or any(person == "UANA" and "Press Approve fix again" in text for person, text in slack.private)
    del slack.refuse[slack_client.FILL]
    click(services, "approve_fix", proposal_id, 2)
    worker.run_for(5)
    assert slack.modals["argux:approve_fix.2"]["submit"]
    nothing_is_lost(services)


@answers("users.info")
def test_who_clicks(services: Services, slack: Workspace, worker: Worker, answer: Answer) -> None:
    """Who cannot be looked up decides nothing, and is told why; what passes is waited for, and then carried out."""
    incident_id = opened(services)
    worker.run_for(5)
    slack.refuse[slack_client.NAME] = answer
    click(services, "acknowledge", incident_id)
    worker.run_for(59)
    told = [text for person, text in slack.private if person == "UANA"]
    assert len(told) == 1
    assert "Slack" in told[0]
    assert "Acknowledged" not in str(slack.messages[0].blocks)
    del slack.refuse[slack_client.NAME]
    worker.run_for(120)
    if "nothing was done" in told[0]:
        click(services, "acknowledge", incident_id, 2)
        worker.run_for(10)
    assert "Acknowledged" in str(slack.messages[0].blocks)
    nothing_is_lost(services)


@answers("conversations.history", "conversations.replies")
@pytest.mark.parametrize("step", [slack_client.ROOT, slack_client.THREAD])
def test_looking_for_what_an_earlier_try_posted(
    services: Services, slack: Workspace, worker: Worker, step: str, answer: Answer
) -> None:
    if step == slack_client.THREAD:
        opened(services)
        worker.run_for(5)
    slack.refuse[step] = WIRE["timeout"]
    slack.refuse[slack_client.LOOK] = answer
    incident_id = opened(services) if step == slack_client.ROOT else 1
    say(services, incident_id, "First")
    worker.run_for(20)
    del slack.refuse[step]
    worker.run_for(39)
    assert "First" in str(slack.titles()) or told_elsewhere(services, slack)
    del slack.refuse[slack_client.LOOK]
    worker.run_for(120)
    assert sorted(slack.titles()) == ["First", "🟠 SEV2 · #1 POST /checkout is slow"]
    nothing_is_lost(services)


def test_every_meaning_is_refused_at_some_step() -> None:
    methods = ("chat.postMessage", "chat.update", "conversations.open")
    assert {meaning_of(code) for code in one_of_each_meaning(*methods)} == {*MEANINGS.values(), Meaning.REFUSED}
