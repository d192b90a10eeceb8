"""Each method of Slack that Argux calls, with each answer: the error says what is to be done about it.

slack_sdk's own client runs; only the wire is replaced. What the errors lead to is in
tests/scenarios/workers/telling/test_slack_says_no.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from integrations.cards import Card, Modal
from integrations.errors import (
    AuthenticationError,
    ChannelRefusedError,
    ContentRefusedError,
    IntegrationError,
    MessageGoneError,
    NotEditableError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
    ThreadRefusedError,
)
from integrations.protocols import MessageReference
from integrations.slack.codes import REMEDIES, Meaning, meaning_of
from integrations.slack.errors import response_failure
from integrations.text import ours
from tests.scenarios.workers.slack_client import WIRE, Answer, Channel, Workspace, refusal
from tests.slack_codes import OF_METHOD, codes_of

CARD = Card(title="Checkout is slow")
THREAD = MessageReference("C1", "1.0")
MODAL = Modal(callback_id="x", title="Approve fix", submit_label="", value="", dialog_id="argux:1")

CALLS: dict[str, Callable[[Channel], object]] = {
    "chat.postMessage": lambda slack: slack.post("C1", CARD, idempotency_key="k"),
    "chat.update": lambda slack: slack.update(THREAD, CARD),
    "chat.postEphemeral": lambda slack: slack.post_ephemeral("C1", "U1", ours("hello")),
    "files.getUploadURLExternal": lambda slack: slack.upload_picture(b"png", filename="a.png", alt_text="a"),
    "upload": lambda slack: slack.upload_picture(b"png", filename="a.png", alt_text="a"),
    "files.completeUploadExternal": lambda slack: slack.upload_picture(b"png", filename="a.png", alt_text="a"),
    "views.open": lambda slack: slack.open_modal("1.2", MODAL),
    "views.update": lambda slack: slack.update_modal(MODAL),
    "users.info": lambda slack: slack.user("U1"),
    "auth.test": lambda slack: slack.check(),
    "conversations.open": lambda slack: slack.direct_channel("U1"),
    "conversations.list": lambda slack: slack.check_channel("#incidents"),
    "conversations.info": lambda slack: slack.check_channel("C1"),
    "conversations.history": lambda slack: slack.post("C1", CARD, idempotency_key="k", look_first=True),
    "conversations.replies": lambda slack: slack.post("C1", CARD, idempotency_key="k", thread=THREAD, look_first=True),
}
ERRORS = {
    Meaning.PASSES: RetryableError, Meaning.ACCOUNT: AuthenticationError, Meaning.CHANNEL: ChannelRefusedError,
    Meaning.MESSAGE_GONE: MessageGoneError, Meaning.NOT_EDITABLE: NotEditableError,
    Meaning.NO_THREAD: ThreadRefusedError, Meaning.CONTENT: ContentRefusedError, Meaning.NOT_FOUND: NotFoundError,
    Meaning.REFUSED: RejectedError,
}  # fmt: skip


class Refusing(Workspace):
    """A workspace that answers one method in one way, and all others well."""

    method: str
    given: Answer

    def answer(self, method: str, sent: dict[str, Any]) -> Answer:
        return self.given if method == self.method else super().answer(method, sent)


def outcome(method: str, answer: Answer) -> IntegrationError | None:
    workspace = Refusing()
    workspace.method, workspace.given = method, answer
    try:
        CALLS[method](Channel(workspace))
    except IntegrationError as error:
        return error
    return None


def expected(method: str, code: str) -> type[IntegrationError] | None:
    """Return the error that the call is to end in; None where it goes another way by itself."""
    meaning = meaning_of(code)
    looks = method in ("conversations.history", "conversations.replies")
    if looks and meaning is not Meaning.PASSES:
        return None
    if method == "conversations.open" and meaning is Meaning.ACCOUNT:
        return None
    if method == "conversations.list" and code == "missing_scope":
        return None
    if method == "conversations.list" and code in ("missing_argument", "team_not_found"):
        return ChannelRefusedError
    if code in ("ratelimited", "rate_limited"):
        return RateLimitedError
    return ERRORS[meaning]


@pytest.mark.parametrize("method", [method for method in CALLS if method in OF_METHOD])
def test_every_code_of_a_method_becomes_the_error_of_its_meaning(method: str) -> None:
    wrong = {}
    for code in codes_of(method):
        error = outcome(method, refusal(code))
        kind = expected(method, code)
        if (type(error) if error else None) is not kind or "xoxb-test" in str(error):
            wrong[code] = error
        is_its_own = error is not None and code in str(error)
        if is_its_own and code in REMEDIES and REMEDIES[code] not in str(error):
            wrong[code] = error
    assert wrong == {}


def is_taken_by_the_sdk(method: str, answer: Answer) -> bool:
    """slack_sdk looks only at the status of an upload; the next call finds out."""
    return method == "upload" and answer.status == 200 and answer.error is None


@pytest.mark.parametrize(
    ("method", "name"),
    [(method, name) for method in CALLS for name in WIRE if not is_taken_by_the_sdk(method, WIRE[name])],
)
def test_what_is_not_slacks_answer_is_tried_again(method: str, name: str) -> None:
    error = outcome(method, WIRE[name])
    assert isinstance(error, RetryableError), repr(error)
    if name == "429 for 20 s":
        assert error.retry_after_seconds == 20.0


@pytest.mark.parametrize(
    "method",
    ["chat.postMessage", "files.getUploadURLExternal", "files.completeUploadExternal", "users.info",
     "conversations.open"],
)  # fmt: skip
def test_a_success_that_lacks_what_was_asked_for_is_none(method: str) -> None:
    error = outcome(method, Answer(json.dumps({"ok": True}).encode()))
    assert isinstance(error, (RetryableError, RejectedError)), repr(error)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"ok"), None),
        (Answer(b'{"ok":true}'), None),
        (Answer(b"expired_url", 404), NotFoundError),
        (Answer(b"used_url", 404), NotFoundError),
        (Answer(b'{"ok":false,"error":"expired_url"}', 404), NotFoundError),
        (Answer(b'{"ok":false,"error":"used_url"}'), NotFoundError),
        (Answer(b'{"ok":false,"error":"channel_not_found"}'), ChannelRefusedError),
        (Answer(b"invalid_blocks", 400), RejectedError),
        (Answer(b"no_text", 500), RetryableError),
        (Answer(b"<html>", 200), RetryableError),
        (Answer(b"", 200), None),
        (Answer(b'["ok"]', 200), RetryableError),
        (Answer(b"", 429, {"Retry-After": "7"}), RateLimitedError),
        (Answer(b"", 302, {"Location": "https://x.example"}), RejectedError),
        (Answer(b"<html>Forbidden</html>", 403), AuthenticationError),
    ],
)
def test_every_answer_of_a_response_url_is_read(answer: Answer, kind: type[IntegrationError] | None) -> None:
    error = response_failure(httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body))
    assert (type(error) if error else None) is kind
    assert "<html>" not in str(error)
