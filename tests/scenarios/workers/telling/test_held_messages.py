"""What a channel does not take is held, told elsewhere, and posted in order once it is mended."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from bot.doctor import Health, checks, examine
from integrations.cards import Card
from integrations.errors import (
    AuthenticationError,
    ChannelRefusedError,
    IntegrationError,
    MessageGoneError,
    NotEditableError,
    PictureNotReadyError,
    RetryableError,
)
from integrations.protocols import MessageReference
from storage import deliveries, outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeEscalation
from tests.scenarios.workers.incidents import offered, opened, say
from tests.scenarios.workers.worker import Worker
from workers.clicks.slash_command import status_card
from workers.services import Services

REFUSED = ChannelRefusedError("Slack", "not_in_channel: invite Argux in the channel with /invite @Argux")


@dataclass
class RefusingChat(FakeChat):
    """A channel that refuses everything while `refusal` is set, and notes when it was asked."""

    services: Services | None = None
    refusal: IntegrationError | None = None
    edits_refused: IntegrationError | None = None
    pictures_refused: IntegrationError | None = None
    asked_at: list[float] = field(default_factory=list)

    def before_post(self, card: Card) -> None:
        assert self.services is not None
        self.asked_at.append(self.services.clock().timestamp())
        if self.refusal is not None:
            raise self.refusal
        if card.picture is not None and self.pictures_refused is not None:
            raise self.pictures_refused

    def update(self, message: MessageReference, card: Card) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.edits_refused is not None:
            raise self.edits_refused
        if card.picture is not None and self.pictures_refused is not None:
            raise self.pictures_refused
        super().update(message, card)


@pytest.fixture
def chat(services: Services, monkeypatch: pytest.MonkeyPatch) -> RefusingChat:
    services.settings = services.settings.model_copy(
        update={
            "slack_bot_token": SecretStr("xoxb-test"),
            "slack_signing_secret": SecretStr("signed"),
            "teams_webhook_url": SecretStr("https://teams.example/hook"),
            "approver_ids": ["UANA", "UBEN"],
        }
    )
    made = RefusingChat(services=services)
    services.chat = made
    monkeypatch.setattr("workers.telling.picture.render_png", lambda spec: b"\x89PNG")
    return made


def dead_letters(services: Services) -> list[str]:
    with services.readers() as session:
        return [f"{job.actor}: {job.error}" for job in outbox.dead_letters(session)]


@ON_BOTH
def test_what_was_held_is_posted_in_order_with_the_newest_state_within_a_minute_of_mending(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    chat.refusal = REFUSED
    incident_id = opened(services)
    say(services, incident_id, "First", "Second", "Third")
    worker.run_for(1800)
    offered(services, incident_id)
    worker.run_for(60)
    assert not chat.messages
    chat.refusal = None
    worker.run_for(64)
    assert chat.buttons()[0] == "approve_fix"
    worker.run_for(30)
    assert chat.thread_titles() == ["First", "Second", "Third"]
    assert chat.root().edits == 1  # its chart
    assert dead_letters(services) == []


def test_one_message_a_minute_finds_out_whether_the_channel_is_mended(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    chat.refusal = REFUSED
    for _ in range(5):
        say(services, opened(services), "First", "Second")
    worker.run_for(120)
    chat.asked_at.clear()
    worker.run_for(300)
    assert 4 <= len(chat.asked_at) <= 6


def test_an_outage_is_told_once_by_every_other_way_with_how_to_mend_it(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    chat.refusal = REFUSED
    for _ in range(5):
        opened(services)
    worker.run_for(300)
    assert isinstance(services.escalation, FakeEscalation)
    [card] = services.escalation.cards
    assert card.title == "Argux can't post to C1"
    assert "/invite @Argux" in card.text
    assert [card.title for card in chat.direct] == ["Argux can't post to C1"] * 2
    with services.readers() as session:
        fields = dict(status_card(services, session).fields)
    assert fields["Held messages"].startswith("5 messages since 2026-11-18")
    assert "/invite @Argux" in fields["Held messages"]
    [outcome] = [one for one in examine(checks(services)) if one.name == "messages"]
    assert outcome.health is Health.FAILED
    assert "5 messages" in outcome.text


def test_a_rate_limit_that_lasts_is_told_and_one_that_passes_soon_is_not(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    assert isinstance(services.escalation, FakeEscalation)
    chat.refusal = RetryableError("Slack", "ratelimited", 20.0)
    opened(services)
    worker.run_for(30)
    assert services.escalation.cards == []
    worker.run_for(60)
    assert [card.title for card in services.escalation.cards] == ["Argux can't post to C1"]
    chat.refusal = None
    worker.run_for(30)
    assert chat.root()


def test_without_slack_incidents_are_held_and_posted_when_it_is_set(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    del services.__dict__["chat"]
    services.settings = services.settings.model_copy(update={"slack_bot_token": None})
    incident_id = opened(services)
    say(services, incident_id, "First", "Second")
    worker.run_for(600)
    with services.readers() as session:
        [held] = deliveries.waiting(session)
    assert (held.reason, held.count) == ("SLACK_BOT_TOKEN is not set", 3)
    [outcome] = [one for one in examine(checks(services)) if one.name == "messages"]
    assert outcome.health is Health.OK
    assert "held until Slack is set: 3 messages" in outcome.text
    services.chat = chat
    worker.run_for(120)
    assert chat.root().card.title == "#1 POST /checkout is slow"
    assert chat.thread_titles() == ["First", "Second"]
    assert dead_letters(services) == []


def test_an_incident_moves_to_the_channel_that_is_set_when_its_own_is_gone(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    incident_id = opened(services)
    say(services, incident_id, "First")
    worker.run_for(30)
    services.settings = services.settings.model_copy(update={"slack_channel": "C2"})
    chat.failures.append(ChannelRefusedError("Slack", "is_archived"))
    say(services, incident_id, "Second")
    worker.run_for(60)
    roots = [posted for posted in chat.messages.values() if posted.thread is None]
    assert [posted.card.title for posted in roots] == ["#1 POST /checkout is slow"] * 2
    assert chat.thread_titles() == ["First", "Second"]


def test_a_deleted_root_message_is_posted_anew_and_its_thread_goes_on_there(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    incident_id = opened(services)
    worker.run_for(30)
    chat.failures.append(MessageGoneError("Slack", "message_not_found"))
    offered(services, incident_id)
    worker.run_for(30)
    say(services, incident_id, "First")
    worker.run_for(30)
    first, anew = [message_id for message_id, posted in chat.messages.items() if posted.thread is None]
    assert "approve_fix" in [action.action_id for action in chat.messages[anew].card.actions]
    assert [posted.thread for posted in chat.messages.values() if posted.thread] == [anew]
    assert first != anew


def test_a_root_message_that_cannot_be_edited_is_followed_in_the_thread_by_one_that_is(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    incident_id = opened(services)
    worker.run_for(30)
    chat.edits_refused = NotEditableError("Slack", "edit_window_closed")
    offered(services, incident_id)
    say(services, incident_id, "First")
    worker.run_for(30)
    assert sorted(chat.thread_titles()) == ["#1 POST /checkout is slow", "First"]
    stand_in = next(posted for posted in chat.messages.values() if posted.thread and "#1" in posted.card.title)
    assert stand_in.card.actions[0].action_id == "approve_fix"


def test_a_message_is_posted_at_once_without_the_picture_that_is_never_accepted(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    chat.pictures_refused = PictureNotReadyError("Slack", "the picture is not ready yet", 2.0)
    incident_id = opened(services)
    worker.run_for(20)
    offered(services, incident_id)
    worker.run_for(5)
    assert chat.buttons()[0] == "approve_fix"
    assert chat.root().card.picture is None
    worker.run_for(600)
    assert dead_letters(services) == []


def test_a_picture_that_is_accepted_later_is_shown_later(
    services: Services, worker: Worker, chat: RefusingChat
) -> None:
    chat.pictures_refused = PictureNotReadyError("Slack", "the picture is not ready yet", 2.0)
    opened(services)
    worker.run_for(20)
    assert chat.root().card.picture is None
    chat.pictures_refused = None
    worker.run_for(60)
    assert chat.root().card.picture is not None


def test_a_refused_token_is_told_by_teams(services: Services, worker: Worker, chat: RefusingChat) -> None:
    chat.refusal = AuthenticationError("Slack", "token_revoked")
    opened(services)
    worker.run_for(5)
    assert isinstance(services.escalation, FakeEscalation)
    assert [card.title for card in services.escalation.cards] == ["Argux can't post to C1"]
