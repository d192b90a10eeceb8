"""What a Slack user is to the workspace that Argux is installed in: member, guest, stranger, deactivated or bot.

Fields: https://docs.slack.dev/reference/objects/user-object
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.protocols import Standing

_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Home:
    """The workspace of Argux's token, and its organisation on Enterprise Grid."""

    team_id: str
    enterprise_id: str


def home_of(identity: Any) -> Home:
    """Read the answer of auth.test."""
    return Home(team_id=str(identity.get("team_id") or ""), enterprise_id=str(identity.get("enterprise_id") or ""))


def standing_of(user: Mapping[str, Any], home: Home) -> Standing:
    """Judge the `user` of users.info. Whoever is not known to belong to the workspace or organisation is a stranger.

    In a channel shared through Slack Connect, users.info also answers for people of the other company: they carry its
    team_id, and `is_stranger` is not set for all of them.
    """
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == _SLACKBOT:
        return Standing.BOT
    if user.get("is_stranger") or not _is_at_home(user, home):
        return Standing.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER


def _is_at_home(user: Mapping[str, Any], home: Home) -> bool:
    found = user.get("enterprise_user")
    in_enterprise: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    enterprise_id = str(in_enterprise.get("enterprise_id") or user.get("enterprise_id") or "")
    if home.enterprise_id and enterprise_id:
        return enterprise_id == home.enterprise_id
    return bool(home.team_id) and str(user.get("team_id") or "") == home.team_id
