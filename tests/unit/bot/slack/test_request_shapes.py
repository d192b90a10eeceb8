"""A signed request of an odd shape is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import BadRequestError
from bot.slack.requests import check

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "trigger_id": "t",
    "container": {"channel_id": "C1", "message_ts": "1"},
    "actions": [{"action_id": "resolve", "action_ts": "1", "value": "1"}],
}


def test_a_click_as_slack_sends_it_is_taken() -> None:
    check(CLICK)


@pytest.mark.parametrize("field", ["user", "trigger_id", "container", "actions"])
@pytest.mark.parametrize("wrong", [None, 1, "", [], {}, [1], "a\x00b", {"id": "a\x00b"}, [{"action_id": "x" * 300}]])
def test_no_words_of_a_library_are_in_the_refusal(field: str, wrong: object) -> None:
    try:
        check({**CLICK, field: wrong})
    except BadRequestError as error:
        said = error.message.lower()
        assert not [
            word for word in ("input should", "pattern", "^", "\\x00", "dictionary", "valid ") if word in said
        ], said
