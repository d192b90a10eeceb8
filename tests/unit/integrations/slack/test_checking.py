"""What Slack says about the configured channel, scopes and people, in Slack's own shapes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import AuthenticationError, NotFoundError, RejectedError
from integrations.slack import SlackChannel
from integrations.slack.checking import NEEDED_SCOPES
from tests.unit.integrations.loopback import Loopback

MANIFEST = Path(__file__).parents[4] / "bot/slack/manifest.yaml"


def answered(**body: Any) -> bytes:
    return json.dumps({"ok": True, **body}).encode()


def channel(loopback: Loopback, scopes: str = ",".join(NEEDED_SCOPES), **found: Any) -> str:
    loopback.answer(200, answered(team="Acme", user="argux"), x_oauth_scopes=scopes)
    loopback.answer(200, answered(channel={"id": "C0AAA", "is_member": True, "is_archived": False, **found}))
    return SlackChannel("xoxb-secret", base_url=loopback.url).check_channel("C0AAA")


def person(loopback: Loopback, **found: Any) -> str:
    loopback.answer(200, answered(user={"id": "U1", "team_id": "T1", "profile": {"display_name": "Ana"}, **found}))
    loopback.answer(200, answered(team="Acme", user="argux", team_id="T1"))
    return SlackChannel("xoxb-secret", base_url=loopback.url).check_person("U1")


def test_a_channel_with_the_bot_in_it_is_well(loopback: Loopback) -> None:
    assert channel(loopback) == "posts to C0AAA"


def test_a_channel_without_the_bot_says_how_to_invite_it(loopback: Loopback) -> None:
    with pytest.raises(NotFoundError, match=r"/invite @Argux"):
        channel(loopback, is_member=False)


def test_an_archived_channel_is_refused(loopback: Loopback) -> None:
    with pytest.raises(NotFoundError, match="archived"):
        channel(loopback, is_archived=True)


@pytest.mark.parametrize("lost", sorted(NEEDED_SCOPES))
def test_each_missing_scope_is_named(loopback: Loopback, lost: str) -> None:
    with pytest.raises(AuthenticationError, match=f"lacks {lost}:"):
        channel(loopback, scopes=",".join(NEEDED_SCOPES - {lost}))


def test_the_manifest_asks_for_every_needed_scope() -> None:
    assert set(re.findall(r"^ +- ([a-z:.]+)$", MANIFEST.read_text(), re.MULTILINE)) >= NEEDED_SCOPES


def test_an_active_person_is_named(loopback: Loopback) -> None:
    assert person(loopback, deleted=False, is_bot=False) == "Ana"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"deleted": True}, "deactivated"),
        ({"is_bot": True}, "an app"),
        ({"id": "USLACKBOT"}, "an app"),
        ({"is_restricted": True}, "guests may not approve"),
        ({"is_ultra_restricted": True}, "guests may not approve"),
        ({"team_id": "T2"}, "belongs to another workspace"),
        ({"is_stranger": True}, "belongs to another workspace"),
    ],
)
def test_whoever_would_be_refused_at_the_click_is_nobody_to_approve(
    loopback: Loopback, found: dict[str, object], why: str
) -> None:
    with pytest.raises(RejectedError, match=why):
        person(loopback, **found)


def test_an_id_of_nobody_is_refused(loopback: Loopback) -> None:
    loopback.answer(200, b'{"ok": false, "error": "user_not_found"}')
    with pytest.raises(NotFoundError):
        SlackChannel("xoxb-secret", base_url=loopback.url).check_person("U404")
