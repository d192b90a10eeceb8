"""No forged, tampered, stale, retargeted or wrong person's click is carried out, whatever button or dialog it is of.

Each test sends every bad click through Slack's own door and lets a worker do what the door stored.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import delete, select

from bot.slack.app import ACTIONS
from bot.web.app import create_app
from integrations.cards import Card
from integrations.errors import NotEditableError
from integrations.protocols import Standing
from storage import outbox, triage
from storage.models import (
    Action,
    Approval,
    AuditEntry,
    Delivery,
    DiagnosisOutcome,
    Incident,
    OutboxJob,
    Proposal,
    TriageWord,
)
from storage.triage import NewDecision
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost
from tests.scenarios.workers.incidents import diagnosed, offered, opened, place_of, slow_checkout
from tests.scenarios.workers.worker import Worker, settle
from workers.clicks.buttons import DIAGNOSIS_BUTTONS, JOB_BUTTONS, handle_click
from workers.clicks.closing_dialogs import CALLBACKS
from workers.remediation.approvals import CALLBACK_ID
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message
from workers.triage.answer import SHOULD_HAVE_WOKEN
from workers.triage.digest import tell_digest
from workers.watching.still_broken import Condition

SECRET = "a-signing-secret"
TEAM = "T0ACME"
BUTTONS = sorted(ACTIONS)
DIALOGS = {CALLBACK_ID: "approve_fix", "confirm_resolve": "resolve", "confirm_false_alarm": "false_alarm"}
WORDS = [
    "9" * 30, "9" * 3000, "-1", "0", "1; DROP TABLE incidents", "\u0661\u0662", "\u00b2", "1.0", "true", "", "None",
    " 1", "1 ", "0x1", "1,", ",", "1:broken", "\U0001f4a5",
]  # fmt: skip
OTHER_TYPES: list[Any] = [10**30, 1, -1, 0, 1.5, True, [], {}, ["1"], "\x00", "x" * 3001, "\ud800"]
FORGED_TIMES = ["", "soon", "NaN", "inf", "1e9", "-5", "\u00b2", "1.5", "9" * 13, " ", "0x65"]

BROKEN = Condition(unmeasured=(slow_checkout(0.0),), last_seen=datetime.fromtimestamp(0, UTC))
CAUSED = {"create_ticket", "escalate", "diagnose", "propose_fix", "execute_proposal", "close_pull_request"}
"""The jobs by which presses are carried out."""

Payload = dict[str, Any]


def body_of(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def headers_of(body: bytes, *, secret: str = SECRET, sent_at: str = "", prefix: str = "v0=") -> dict[str, str]:
    sent_at = sent_at or str(int(time.time()))
    mac = hmac.new(secret.encode(), f"v0:{sent_at}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": sent_at,
        "X-Slack-Signature": prefix + mac,
    }


class Slack:
    """Sends signed payloads to the door of Argux, and counts what it answered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.client = TestClient(create_app(services), raise_server_exceptions=False)
        self.accepted = 0

    def send(self, payload: Any) -> int:
        body = body_of(payload)
        return self.post(body, headers_of(body))

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        answer = self.client.post("/slack/events", content=body, headers=sent)
        assert answer.status_code in (200, 400, 401), (answer.status_code, body[:300])
        self.accepted += answer.status_code == 200
        return answer.status_code


@pytest.fixture
def slack(services: Services, monkeypatch: pytest.MonkeyPatch) -> Slack:
    # The web process opens a dialog at once, in a thread of its own; the worker opens it if that did not work.
    monkeypatch.setattr("workers.telling.dialogs.open_at_once", lambda *arguments: None)
    services.settings = services.settings.model_copy(update={"slack_signing_secret": SecretStr(SECRET)})
    chat(services).team_id = TEAM
    chat(services).standings = {f"U{standing.name}": standing for standing in Standing}
    return Slack(services)


def waited(services: Services, name: str) -> int:
    """Store the decision that an alert waits, post a digest that lists it, and return its id."""
    now = services.clock()
    new = NewDecision(f"alert:{name}", name, "shop", "digest", "flaps", "It comes and goes.", None, -1.0, now)
    with services.sessions.begin() as session:
        number = triage.decide(session, new, None, now=now).id
    tell_digest(services, "1 alert could wait", name, f"digest:{name}", [number])
    return number


class Stage:
    """Two incidents, each diagnosed and with an offer, a list of a failed job, and two digests; all are posted."""

    def __init__(self, services: Services, worker: Worker) -> None:
        self.services = services
        self.incidents = [opened(services), opened(services)]
        self.diagnoses = [diagnosed(services, incident_id) for incident_id in self.incidents]
        with services.sessions.begin() as session:
            for incident_id, number in zip(self.incidents, self.diagnoses, strict=True):
                card, key = Card(title="Diagnosis"), f"diagnosis:{number}"
                enqueue_thread_message(session, incident_id, key=key, card=card, channel="C1", now=services.clock())
        self.proposals = [offered(services, incident_id) for incident_id in self.incidents]
        with services.sessions.begin() as session:
            arguments = {"incident_id": self.incidents[0], "user_name": "Ana"}
            for key in ("dead", "dead too"):
                outbox.enqueue(session, "escalate", arguments, key=key, now=services.clock())
            outbox.fail(session, "dead", "Teams: no", now=services.clock(), permanent=True)
            # It waits until it fails, which is after the list was posted: so the list does not name it.
            outbox.mark_sent(session, "dead too", services.clock())
        settle(worker)
        with services.sessions.begin() as session:
            outbox.fail(session, "dead too", "Teams: no", now=services.clock(), permanent=True)
            session.execute(
                delete(OutboxJob).where(OutboxJob.actor == "tell_dead_letters", OutboxJob.done_at.is_(None))
            )
            jobs = session.scalars(select(OutboxJob).where(OutboxJob.key.in_(("dead", "dead too"))))
            self.jobs = [job.id for job in jobs.all()]
        self.decisions = [waited(services, name) for name in ("disk", "queue")]

    def subjects(self, action_id: str) -> list[int]:
        if action_id in JOB_BUTTONS:
            return self.jobs
        if action_id in DIAGNOSIS_BUTTONS:
            return self.diagnoses
        if action_id == SHOULD_HAVE_WOKEN:
            return self.decisions
        return self.proposals if action_id == "approve_fix" else self.incidents

    def press(self, action_id: str, subject: int = 0) -> Payload:
        """Return the payload of a true press of the button of the first subject, or of another one."""
        value = self.subjects(action_id)[subject]
        place = place_of(self.services, action_id, value)
        return {
            "type": "block_actions",
            "user": {"id": "UANA", "name": "ana", "team_id": TEAM},
            "team": {"id": TEAM},
            "container": {
                "type": "message", "message_ts": place["message_ts"], "channel_id": place["channel"],
            },
            "channel": {"id": place["channel"]},
            "trigger_id": f"{action_id}.1",
            "response_url": "https://hooks.slack.com/actions/1",
            "actions": [{"action_id": action_id, "value": str(value), "action_ts": "100.1", "block_id": "b"}],
        }  # fmt: skip

    def submission(self, callback_id: str, subject: int = 0) -> Payload:
        """Return the payload of a true submission, by Ana, of the dialog that she was shown."""
        action_id = DIALOGS[callback_id]
        value = self.subjects(action_id)[subject]
        handle_click(
            self.services, action_id=action_id, value=str(value), user_id="UANA", user_name="ana",
            trigger_id=f"{action_id}.{value}", **place_of(self.services, action_id, value),
        )  # fmt: skip
        modal = chat(self.services).modals[-1]
        assert modal.callback_id == callback_id
        reason = {"reason": {"reason": {"type": "plain_text_input", "value": "a test"}}}
        return {
            "type": "view_submission",
            "user": {"id": "UANA", "name": "ana", "team_id": TEAM},
            "team": {"id": TEAM},
            "view": {
                "id": f"V{value}", "type": "modal", "callback_id": callback_id, "private_metadata": modal.value,
                "state": {"values": reason},
            },
        }  # fmt: skip


@pytest.fixture
def stage(services: Services, worker: Worker, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("workers.telling.picture.render_png", lambda spec: b"\x89PNG")
    # So that Resolve opens its dialog.
    monkeypatch.setattr("workers.clicks.closing_dialogs.broken_now", lambda services, incident_id: BROKEN)
    return Stage(services, worker)


def chat(services: Services) -> FakeChat:
    assert isinstance(services.chat, FakeChat)
    return services.chat


def world(services: Services) -> dict[str, Any]:
    """Return everything that a click could change."""
    assert isinstance(services.code_host, FakeCodeHost)
    with services.readers() as session:
        rows = {
            model.__tablename__: [
                {column.name: getattr(row, column.name) for column in model.__table__.columns}
                for row in session.scalars(select(model).order_by(model.id))
            ]
            for model in (Incident, Proposal, Approval, Action, DiagnosisOutcome, TriageWord)
        }
        jobs = session.scalars(select(OutboxJob).order_by(OutboxJob.id)).all()
        caused = [(job.key, job.dead_at, job.dismissed_at) for job in jobs if job.actor in CAUSED]
    return {**rows, "jobs": caused, "merges": services.code_host.merges}


def refusals(services: Services) -> list[AuditEntry]:
    with services.readers() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.event == "refused")))


def nothing_came_of_it(services: Services, worker: Worker, slack: Slack, before: dict[str, Any]) -> None:
    """Run what the door stored; assert that each click was refused, told privately, and recorded, and no more."""
    for _ in range(5):
        worker.run()
    with services.readers() as session:
        handled = session.scalars(select(OutboxJob).where(OutboxJob.actor.in_(("handle_click", "handle_submission"))))
        failed = [(job.arguments, job.error) for job in handled if job.done_at is None or job.dead_at]
    assert failed == []
    assert world(services) == before
    assert len(refusals(services)) == slack.accepted
    assert len(chat(services).ephemerals) == slack.accepted


def changed(payload: Payload, path: str, value: Any) -> Payload:
    """Return a copy with the value at this path changed; with `...`, left out."""
    copy: Payload = json.loads(json.dumps(payload))
    *holders, last = path.split(".")
    holder: Any = copy
    for name in holders:
        holder = holder[int(name)] if name.isdigit() else holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return copy


def numbered(payloads: Iterator[Payload]) -> Iterator[Payload]:
    """Give each press and each dialog an id of its own, so that no two count as the same one sent again."""
    for number, payload in enumerate(payloads):
        if "view" in payload:
            yield changed(payload, "view.id", f"V.{number}")
        else:
            yield changed(payload, "actions.0.action_ts", f"200.{number}")


def of_the_wrong_person(payload: Payload) -> Iterator[Payload]:
    for standing in Standing:
        if standing is not Standing.MEMBER:
            yield changed(payload, "user.id", f"U{standing.name}")
    yield changed(payload, "user.team_id", "T0OTHER")
    yield changed(changed(payload, "user.team_id", ...), "team.id", "T0OTHER")


def of_nobody(payload: Payload) -> Iterator[Payload]:
    """Yield payloads that name no person, or none of Slack's kind."""
    ids: list[Any] = [..., None, "", 7, True, [], {}, "U" * 300, "\x00"]
    for value in ids:
        yield changed(payload, "user.id", value)
    people: list[Any] = [..., None, "UANA", []]
    for value in people:
        yield changed(payload, "user", value)
    homes: list[Any] = [7, "T0ACME", {"id": 7}, {}]
    for team in homes:
        yield changed(changed(payload, "user.team_id", ...), "team", team)


def forgeries(payload: Payload) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Yield the request with every wrong signature and time, and changed after it was signed."""
    body = body_of(payload)
    true = headers_of(body)
    signature = true["X-Slack-Signature"]
    for wrong in ("", "v0=", signature[3:], f"v1={signature[3:]}", signature[:-1], f"{signature}0", signature.upper()):
        yield body, {**true, "X-Slack-Signature": wrong}
    yield body, {**true, "X-Slack-Signature": "v0=\u00e9"}
    for name in ("X-Slack-Signature", "X-Slack-Request-Timestamp"):
        yield body, {key: value for key, value in true.items() if key != name}
    yield body, headers_of(body, secret="another")
    yield body, headers_of(body, secret="")
    for prefix in ("v1=", "sha256=", ""):
        yield body, headers_of(body, prefix=prefix)
    for sent_at in (*FORGED_TIMES, str(int(time.time()) - 310), str(int(time.time()) + 310)):
        yield body, headers_of(body, sent_at=sent_at or " ")
        yield body, {**true, "X-Slack-Request-Timestamp": sent_at}
    for path, value in (("user.id", "UBEN"), ("team.id", "T0OTHER"), ("user.name", "ben")):
        yield body_of(changed(payload, path, value)), true
    yield body + b"&payload=" + body[8:], true
    yield body[:-1], true


ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_ONE
@pytest.mark.parametrize("action_id", BUTTONS)
def test_no_bad_press_of_any_button_is_carried_out(
    services: Services, worker: Worker, slack: Slack, stage: Stage, action_id: str
) -> None:
    bad_presses(services, worker, slack, stage, action_id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("action_id", ["approve_fix", "dismiss_jobs"])
def test_nor_is_one_on_postgresql(
    services: Services, worker: Worker, slack: Slack, stage: Stage, action_id: str
) -> None:
    bad_presses(services, worker, slack, stage, action_id)


def bad_presses(services: Services, worker: Worker, slack: Slack, stage: Stage, action_id: str) -> None:
    """Send every bad press of the button, and see that nothing comes of it."""
    before, payload = world(services), stage.press(action_id)
    other = str(stage.subjects(action_id)[1])
    tampered = [changed(payload, "actions.0.value", other), changed(payload, "container.message_ts", "9.9")]
    for body, headers in (*forgeries(payload), *((body_of(one), headers_of(body_of(payload))) for one in tampered)):
        assert slack.post(body, headers) == 401, (body, headers)
    refused = [*of_the_wrong_person(payload), *of_another_message(services, payload)]
    refused += [changed(payload, "actions.0.value", word) for word in (*WORDS, other, ..., None)]
    if action_id == "approve_fix":
        refused.append(changed(payload, "user.id", "UCLEO"))
    for one in numbered(iter(refused)):
        assert slack.send(one) == 200, one
    for one in (*of_nobody(payload), *(changed(payload, "actions.0.value", value) for value in OTHER_TYPES)):
        assert slack.send(one) == 400, one
    nothing_came_of_it(services, worker, slack, before)


def of_another_message(services: Services, payload: Payload) -> Iterator[Payload]:
    """Yield the true press as if on any other message that Argux posted."""
    own = (payload["container"]["channel_id"], payload["container"]["message_ts"])
    with services.readers() as session:
        messages = list(session.scalars(select(Delivery).where(Delivery.message_id.is_not(None))))
    elsewhere = [(one.channel, one.message_id) for one in messages if (one.channel, one.message_id) != own]
    assert len(elsewhere) >= 2
    for channel, message_ts in elsewhere:
        yield changed(changed(payload, "container.message_ts", message_ts), "container.channel_id", channel)


@ON_BOTH
@pytest.mark.parametrize("callback_id", DIALOGS)
def test_no_bad_submission_of_any_dialog_is_carried_out(
    services: Services, worker: Worker, slack: Slack, stage: Stage, callback_id: str
) -> None:
    other, payload = stage.submission(callback_id, 1), stage.submission(callback_id)
    before, shown = world(services), payload["view"]["private_metadata"]
    for body, headers in forgeries(payload):
        assert slack.post(body, headers) == 401, (body, headers)
    value, _, seal = shown.rpartition("|")
    other_value = other["view"]["private_metadata"].rpartition("|")[0]
    values = [*WORDS, value, f"{value}|", f"{value}|{seal[:-1]}", f"|{seal}"]
    values += [f"{other_value}|{seal}", f"{value} |{seal}", f"{value}|{'0' * 32}", f"{value}|\u00e9"]
    wrong = [*of_the_wrong_person(payload), *(changed(payload, "view.private_metadata", one) for one in values)]
    wrong += [changed(payload, "user.id", "UBEN")]
    wrong += [changed(payload, "view.callback_id", one) for one in (*DIALOGS, "", "launch") if one != callback_id]
    for one in numbered(iter(wrong)):
        assert slack.send(one) == 200, one
    for one in of_nobody(payload):
        assert slack.send(one) == 400, one
    for odd in (*(item for item in OTHER_TYPES if not isinstance(item, str)), "\x00", None, ...):
        assert slack.send(changed(payload, "view.private_metadata", odd)) == 400, odd
    nothing_came_of_it(services, worker, slack, before)


TRUE_PRESSES: dict[str, Callable[[Stage], Payload]] = {
    **{action_id: lambda stage, name=action_id: stage.press(name) for action_id in BUTTONS},  # type: ignore[misc]
    **{callback_id: lambda stage, name=callback_id: stage.submission(name) for callback_id in DIALOGS},  # type: ignore[misc]
}


@ON_ONE
@pytest.mark.parametrize("name", TRUE_PRESSES)
def test_a_true_press_that_is_sent_again_at_once_after_a_restart_or_after_five_minutes_counts_once(
    services: Services, worker: Worker, slack: Slack, stage: Stage, name: str
) -> None:
    payload = TRUE_PRESSES[name](stage)
    body = body_of(payload)
    headers = headers_of(body)
    for one in (slack, slack, Slack(services)):
        assert one.post(body, headers) == 200
    old = headers_of(body, sent_at=str(int(time.time()) - 301))
    assert slack.post(body, old) == 401
    with services.readers() as session:
        handled = session.scalars(select(OutboxJob).where(OutboxJob.actor.in_(("handle_click", "handle_submission"))))
        assert len(handled.all()) == 1
    for _ in range(3):
        worker.run()
    assert [entry.payload for entry in refusals(services) if name not in NOT_NOW] == []
    after = world(services)
    assert slack.post(body, headers) == 200
    worker.run()
    assert world(services) == after


NOT_NOW = frozenset(("reopen", "unsnooze", "diagnose_again"))
"""Buttons that do not stand on the card of an open incident with an offer."""


@ON_ONE
@pytest.mark.parametrize("callback_id", DIALOGS)
def test_a_dialog_submitted_twice_is_carried_out_once(
    services: Services, worker: Worker, slack: Slack, stage: Stage, callback_id: str
) -> None:
    payload = stage.submission(callback_id)
    assert slack.send(payload) == 200
    for _ in range(5):
        worker.run()
    after = world(services)
    assert slack.send(changed(payload, "view.id", "V.again")) == 200
    worker.run()
    assert world(services) == after
    assert len(refusals(services)) == 1


def test_every_dialog_that_can_be_submitted_is_tried_here() -> None:
    assert set(DIALOGS) == {CALLBACK_ID, *CALLBACKS}


@ON_ONE
def test_buttons_of_a_message_that_another_one_took_the_place_of_go_on_working(
    services: Services, worker: Worker
) -> None:
    incident_id = opened(services)
    settle(worker)
    first = place_of(services, "acknowledge", incident_id)
    places = [first]
    for change in (diagnosed, offered):
        chat(services).failures.append(NotEditableError("Slack", "cant_update_message"))
        change(services, incident_id)
        settle(worker)
        places.append(place_of(services, "acknowledge", incident_id))
    assert len({place["message_ts"] for place in places}) == 3
    for number, place in enumerate(places):
        handle_click(
            services, action_id="snooze" if number % 2 == 0 else "unsnooze", value=str(incident_id), user_id="UANA",
            user_name="ana", trigger_id=f"t{number}", **place,
        )  # fmt: skip
    assert refusals(services) == []
