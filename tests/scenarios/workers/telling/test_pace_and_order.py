"""Under Slack's own limit and faults: every message comes, at the channel's pace, and each thread in its order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from integrations.cards import Card
from integrations.errors import RetryableError
from storage import outbox
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import opened, say
from tests.scenarios.workers.worker import Clock, Worker
from workers.errors import NotYetError
from workers.services import Services
from workers.telling.channels import pace
from workers.telling.enqueue import enqueue_refresh


@dataclass
class StrictChat(FakeChat):
    """A channel that takes one message a second and no burst, fails every 7th call, and loses every 11th answer."""

    clock: Clock | None = None
    free_at: float = 0.0
    calls: int = 0
    limited: int = 0
    with_faults: bool = True

    def before_post(self, card: Card) -> None:
        assert self.clock is not None
        now = self.clock().timestamp()
        self.calls += 1
        if now < self.free_at:
            self.limited += 1
            raise RetryableError("Slack", "ratelimited", 1.0)
        if self.with_faults and self.calls % 7 == 0:
            raise RetryableError("Slack", "internal_error")
        if self.with_faults and self.calls % 11 == 0:
            self.lost_answers.append(RetryableError("Slack", "it did not answer in time"))
        self.free_at = now + 1.0


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here: what is asked is the order and the pace."""
    return sqlite_url


@pytest.fixture
def chat(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> StrictChat:
    made = StrictChat(clock=clock)
    services.chat = made
    monkeypatch.setattr("workers.telling.picture.render_png", lambda spec: b"\x89PNG")
    return made


def say_all(services: Services, incident_id: int, count: int) -> list[str]:
    titles = [f"{number:03}" for number in range(count)]
    say(services, incident_id, *titles)
    return titles


def test_a_hundred_messages_under_a_rate_limit_and_faults_all_come_once_and_in_their_order(
    services: Services, worker: Worker, chat: StrictChat
) -> None:
    told = {opened(services): 0 for _ in range(6)}
    said = {incident_id: say_all(services, incident_id, 17) for incident_id in told}
    began = services.clock()
    while len(chat.messages) < 6 + 6 * 17 and (services.clock() - began).total_seconds() < 400:
        worker.run_for(20)
    roots = {posted.card.title.split()[0]: message for message, posted in chat.messages.items() if not posted.thread}
    for incident_id, titles in said.items():
        thread = [one.card.title for one in chat.messages.values() if one.thread == roots[f"#{incident_id}"]]
        assert thread == titles
    with services.readers() as session:
        assert outbox.dead_letters(session) == []


def test_a_channel_without_faults_is_used_at_its_pace_and_hardly_ever_says_that_it_is_too_much(
    services: Services, worker: Worker, chat: StrictChat
) -> None:
    chat.with_faults = False
    say_all(services, opened(services), 40)
    worker.run_for(60)
    assert len(chat.messages) == 41
    assert chat.limited <= 4


def test_many_changes_waiting_for_one_message_become_one_edit(
    services: Services, worker: Worker, chat: StrictChat
) -> None:
    incident_id = opened(services)
    worker.run_for(30)
    edits = chat.root().edits
    pace.close(services, "C1", "other", 30.0)
    for number in range(20):
        with services.sessions.begin() as session:
            session.connection().exec_driver_sql(f"UPDATE incidents SET title = 'Slow {number}'")
            enqueue_refresh(session, incident_id, key=f"change {number}", now=services.clock())
        worker.run()
    worker.run_for(60)
    assert chat.root().edits == edits + 1
    assert chat.root().card.title == "#1 Slow 19"


def turns_at_once(services: Services, channel: str, count: int, lane: pace.Lane = pace.Lane.LATER) -> int:
    """Ask for so many turns at one moment; return how many may be sent at once."""
    taken = 0
    for number in range(count):
        with suppress(NotYetError):
            pace.take_turn(services, channel, f"{lane} {number} of {count}", lane)
            taken += 1
    return taken


def test_the_first_word_about_an_incident_overtakes_the_threads_of_others(services: Services) -> None:
    assert turns_at_once(services, "C1", 100) == 61
    pace.take_turn(services, "C1", "root", pace.Lane.FIRST)


def test_a_channel_that_never_refused_takes_a_burst_and_one_that_did_takes_four_at_once_for_an_hour(
    services: Services, clock: Clock
) -> None:
    assert turns_at_once(services, "C1", 50) == 50
    pace.close(services, "C1", "one", 5.0)
    pace.take_turn(services, "C2", "elsewhere", pace.Lane.FIRST)
    clock.forward(600)
    assert turns_at_once(services, "C1", 40) == 4
    clock.forward(3600)
    assert turns_at_once(services, "C1", 60) == 60


def test_edits_keep_a_pace_of_their_own_and_take_no_turn_from_messages(services: Services) -> None:
    assert turns_at_once(services, "C1", 100, pace.Lane.EDIT) == 61
    assert turns_at_once(services, "C1", 100) == 61


def test_after_a_refusal_of_a_burst_the_messages_that_wait_come_one_a_second(services: Services, clock: Clock) -> None:
    assert turns_at_once(services, "C1", 80) == 61
    pace.close(services, "C1", "refused", 1.0)
    came = []
    for second in range(40):
        names = ["refused", *(f"{pace.Lane.LATER} {number} of 80" for number in range(61, 80)), *map(str, range(10))]
        for name in names:
            if name not in came:
                with suppress(NotYetError):
                    pace.take_turn(services, "C1", name, pace.Lane.LATER)
                    came.append(name)
        assert len(came) <= second + 1
        clock.forward(1)
    assert len(came) == 30


def test_a_retry_after_holds_for_the_whole_channel_and_no_other(services: Services, clock: Clock) -> None:
    pace.close(services, "C1", "one", 30.0)
    with pytest.raises(NotYetError) as waits:
        pace.take_turn(services, "C1", "another", pace.Lane.FIRST)
    assert waits.value.after_seconds >= 30.0
    pace.take_turn(services, "C2", "another", pace.Lane.FIRST)
    clock.forward(30)
    pace.take_turn(services, "C1", "one", pace.Lane.FIRST)


def test_slots_of_messages_that_were_dropped_do_not_pile_up(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_MANY", 20)
    assert turns_at_once(services, "C1", 90) == 61
    clock.forward(3600)
    pace.take_turn(services, "C1", "another", pace.Lane.LATER)
    assert "slot:" not in str(services.redis.hkeys("argux:pace:C1"))
