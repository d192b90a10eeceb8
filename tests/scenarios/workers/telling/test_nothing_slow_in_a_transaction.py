"""No outside system is called, and no chart drawn, while this thread has a database transaction open."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from storage import outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import diagnosed, offered, opened, place_of
from tests.scenarios.workers.worker import Worker
from workers.clicks.slash_command import answer_command
from workers.services import Services
from workers.telling import dialogs, picture

pytestmark = ON_BOTH


class OpenTransactions:
    """How many transactions each thread has open."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()

    def began(self, session: Session, transaction: Any, connection: Any) -> None:
        self._open[threading.get_ident()] += 1

    def ended(self, session: Session, transaction: Any) -> None:
        if transaction.parent is None and self._open[threading.get_ident()]:
            self._open[threading.get_ident()] -= 1

    def assert_none(self, what: str) -> None:
        assert not self._open[threading.get_ident()], f"{what} is called inside a transaction"


class Outside:
    """An outside system that notes its calls, and refuses to be called inside a transaction."""

    def __init__(self, system: object, transactions: OpenTransactions, calls: set[str]) -> None:
        self._system, self._transactions, self._calls = system, transactions, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._system, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._transactions.assert_none(name)
            self._calls.add(name)
            return found(*arguments, **named)

        return call


@pytest.fixture
def transactions() -> Iterator[OpenTransactions]:
    found = OpenTransactions()
    event.listen(Session, "after_begin", found.began)
    event.listen(Session, "after_transaction_end", found.ended)
    yield found
    event.remove(Session, "after_begin", found.began)
    event.remove(Session, "after_transaction_end", found.ended)


def press(services: Services, action_id: str, value: int, user: str = "UANA") -> None:
    arguments = {
        "action_id": action_id, "value": str(value), "user_id": user, "user_name": "ana",
        "trigger_id": f"{action_id}.{user}", "response_url": "https://hooks.slack.com/actions/1",
        **place_of(services, action_id, value),
    }  # fmt: skip
    with services.sessions.begin() as session:
        key = f"click:{action_id}:{user}"
        outbox.enqueue(session, "handle_click", arguments, key=key, now=services.clock())


def test_through_a_whole_story_nothing_slow_happens_inside_a_transaction(
    services: Services, worker: Worker, transactions: OpenTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: set[str] = set()
    services.settings = services.settings.model_copy(update={"approver_ids": ["UANA"]})
    fake_chat = services.chat
    assert isinstance(fake_chat, FakeChat)
    for name in ("chat", "code_host", "tickets", "escalation"):
        setattr(services, name, Outside(getattr(services, name), transactions, calls))

    def render(spec: Any) -> bytes:
        transactions.assert_none("render_png")
        calls.add("render_png")
        return b"\x89PNG"

    monkeypatch.setattr(picture, "render_png", render)
    incident_id = opened(services)
    worker.run_all()
    diagnosed(services, incident_id)
    proposal_id = offered(services, incident_id)
    worker.run_all()
    for action_id in ("acknowledge", "create_ticket", "escalate", "snooze", "unsnooze"):
        press(services, action_id, incident_id)
        worker.run_all()
    press(services, "acknowledge", incident_id, "UBEN")
    press(services, "approve_fix", proposal_id, "UBEN")
    dialogs.open_at_once(services, "approve_fix", "approve_fix.UANA")
    press(services, "approve_fix", proposal_id)
    worker.run_all()
    shown = fake_chat.modals[-1]
    submission = {
        "callback_id": shown.callback_id, "value": shown.value, "user_id": "UANA", "user_name": "ana",
        "view_id": "V1",
    }  # fmt: skip
    with services.sessions.begin() as session:
        outbox.enqueue(session, "handle_submission", submission, key="submission", now=services.clock())
    worker.run_all()
    for command in ("status", "incidents", "help"):
        answer_command(services, command, "https://hooks.slack.com/commands/1")
    press(services, "resolve", incident_id)
    worker.run_all()
    with services.readers() as session:
        assert [job.error for job in outbox.dead_letters(session)] == []
    assert calls >= {
        "post", "update", "post_ephemeral", "respond", "upload_picture", "user", "update_modal", "render_png",
        "create", "escalate", "diff", "merge",
    }  # fmt: skip
