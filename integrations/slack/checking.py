"""Ask Slack about what is configured: may the app do what it must, is it in the channel, is an approver somebody."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient

from integrations.errors import AuthenticationError, NotFoundError, RejectedError
from integrations.protocols import Standing
from integrations.slack.errors import SYSTEM, slack_errors
from integrations.slack.standing import home_of, standing_of

_SECONDS = 10

_REFUSED = {
    Standing.DEACTIVATED: "is deactivated",
    Standing.BOT: "is an app, not a person",
    Standing.GUEST: "is a guest, and guests may not approve",
    Standing.STRANGER: "belongs to another workspace",
}

NEEDED_SCOPES = frozenset(
    {
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "users:read",
    }
)
"""What Argux cannot do without. bot/slack/manifest.yaml asks for these, and for what is only convenient."""


def check_scopes(client: WebClient) -> None:
    """Raise AuthenticationError if the token lacks a scope. Slack names those of a token with every answer."""
    headers = {name.lower(): value for name, value in client.auth_test().headers.items()}
    granted = headers.get("x-oauth-scopes")
    if granted is None:
        return
    missing = NEEDED_SCOPES - {scope.strip() for scope in str(granted).split(",")}
    if missing:
        raise AuthenticationError(
            SYSTEM,
            f"the token lacks {', '.join(sorted(missing))}: add that under OAuth & Permissions, "
            "then install the app again",
        )


def check_app_token(token: str, *, base_url: str) -> None:
    """Raise if no socket could be opened with this app-level token. None is opened."""
    try:
        with slack_errors():
            WebClient(base_url=base_url, timeout=_SECONDS, retry_handlers=[]).apps_connections_open(app_token=token)
    except AuthenticationError as error:
        raise AuthenticationError(SYSTEM, f"SLACK_APP_TOKEN was refused ({error})") from error


def check_membership(client: WebClient, channel_id: str, shown: str) -> None:
    """Raise NotFoundError if the channel is archived, or the bot is not in it."""
    found: dict[str, Any] = client.conversations_info(channel=channel_id).get("channel") or {}
    if found.get("is_archived"):
        raise NotFoundError(SYSTEM, f"{shown} is archived: choose another channel, or unarchive it")
    if not found.get("is_im") and not found.get("is_member"):
        raise NotFoundError(SYSTEM, f"the bot is not in {shown}: type /invite @Argux there")


def check_person(client: WebClient, user_id: str) -> str:
    """Return the person's name. Raises RejectedError for anybody whose click would be refused."""
    found: dict[str, Any] = client.users_info(user=user_id).get("user") or {}
    profile: dict[str, Any] = found.get("profile") or {}
    name = str(profile.get("display_name") or profile.get("real_name") or found.get("name") or user_id)
    reason = _REFUSED.get(standing_of({"id": user_id, **found}, home_of(client.auth_test())))
    if reason is not None:
        raise RejectedError(SYSTEM, f"{user_id} ({name}) {reason}")
    return name
