"""Check a request of Slack before anything of it is used: its signature on the raw bytes, then its shape.

Signing: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import BadRequestError, UnauthorizedError
from bot.reception.validation_words import plain
from bot.storable_text import Text

LONGEST_AGE_SECONDS = 300
"""How old a signed request may be; what is older may be a replay."""

MOST_FIELDS = 100
FORM = "application/x-www-form-urlencoded"

NOT_SIGNED = "This request is not signed by Slack."


def check_signature(body: bytes, headers: Mapping[str, str], secret: str, *, now: float) -> None:
    """Raise UnauthorizedError unless the body was signed with the secret within LONGEST_AGE_SECONDS."""
    sent_at = headers.get("x-slack-request-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12):
        raise UnauthorizedError(NOT_SIGNED)
    if abs(now - int(sent_at)) > LONGEST_AGE_SECONDS:
        raise UnauthorizedError("This request is too old, or a clock is wrong: it may be a replay.")
    expected = hmac.new(secret.encode(), b"v0:" + sent_at.encode() + b":" + body, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "").encode("utf-8", "replace")
    if not hmac.compare_digest(f"v0={expected}".encode(), given):
        raise UnauthorizedError(NOT_SIGNED)


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


Id = Annotated[Text, StringConstraints(min_length=1, max_length=255)]
Value = Annotated[Text, StringConstraints(max_length=3000)]


class _User(_Shape):
    id: Id
    name: Value = ""
    team_id: Id | None = None


class _Home(_Shape):
    id: Id


class _Envelope(_Shape):
    """What every payload has, as far as it is read: whatever else is there must be of the kind that Slack sends."""

    user: _User
    team: _Home | None = None
    enterprise: _Home | None = None
    channel: dict[str, Any] | None = None
    view: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    is_enterprise_install: bool | None = None
    api_app_id: Value | None = None
    trigger_id: Value | None = None
    response_url: Value | None = None
    function_data: None = None
    bot_access_token: None = None


class _Action(_Shape):
    action_id: Id
    action_ts: Id
    value: Value | None = None


class _Actions(_Envelope):
    actions: list[_Action] = Field(min_length=1, max_length=100)
    container: dict[str, Any]
    trigger_id: Id


class _Container(_Shape):
    channel_id: Id
    message_ts: Id
    thread_ts: Value | None = None


class _Option(_Shape):
    value: Value | None = None


class _Entry(_Shape):
    value: Value | None = None
    selected_option: _Option | None = None


class _State(_Shape):
    values: dict[Text, dict[Text, _Entry]] = {}


class _View(_Shape):
    id: Id
    type: Id
    callback_id: Value
    private_metadata: Value
    state: _State | None = None


class _Submission(_Envelope):
    view: _View  # type: ignore[assignment]


class _Command(_Shape):
    command: Id
    text: Value = ""
    user_id: Id
    user_name: Value = ""
    channel_id: Id
    response_url: Value


def read(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the payload of an interaction, or the fields of a slash command. Raises BadRequestError."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise BadRequestError(f"Content-Type must be {FORM}.")
    try:
        fields = dict(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        )
    except ValueError as error:
        raise BadRequestError("The form cannot be read: it is not URL-encoded UTF-8.") from error
    if "payload" not in fields:
        check(fields)
        return fields
    try:
        payload = json.loads(fields["payload"])
    except (ValueError, RecursionError) as error:
        raise BadRequestError("`payload` is not JSON.", field="payload") from error
    if not isinstance(payload, dict):
        raise BadRequestError("`payload` must be an object.", field="payload")
    check(payload)
    return payload


def check(content: Mapping[str, Any]) -> None:
    """Raise BadRequestError unless a command, a click or a submitted dialog has the shape that Slack sends."""
    kind = content.get("type")
    try:
        if kind == "block_actions":
            _Actions.model_validate(content)
            if content["container"].get("type") != "view":
                _Container.model_validate(content["container"])
        elif kind == "view_submission":
            _Submission.model_validate(content)
        elif kind is not None:
            _Envelope.model_validate(content)
        elif content.get("ssl_check") != "1":
            _Command.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise BadRequestError(f"{place}: {plain(problem)}", field=place) from error
    except RecursionError as error:
        raise BadRequestError("This is nested too deeply.") from error
