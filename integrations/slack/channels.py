"""List the channels that the bot can see, in one workspace or in all of an organisation."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

_PAGE_SIZE = 200
_PAGES = 50


def all_channels(client: WebClient) -> dict[str, str]:
    """Return the ids of all channels by name. Raises SlackApiError.

    The token of an organisation lists channels only of a named workspace, so it lists them of each of its workspaces.
    """
    try:
        return _channels(client, None)
    except SlackApiError as error:
        if error.response.get("error") not in ("missing_argument", "team_not_found"):
            raise
    found: dict[str, str] = {}
    for team_id in _teams(client):
        found = {**_channels(client, team_id), **found}
    return found


def _teams(client: WebClient) -> list[str]:
    """Return the ids of the workspaces in which the app of an organisation is installed."""
    found: list[str] = []
    cursor = ""
    for _ in range(_PAGES):
        page = client.auth_teams_list(cursor=cursor or None)
        teams: list[dict[str, Any]] = page.get("teams") or []
        found += [str(team["id"]) for team in teams]
        cursor = next_cursor(page.get("response_metadata"))
        if not cursor:
            break
    return found


def _channels(client: WebClient, team_id: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    cursor = ""
    for _ in range(_PAGES):
        page = client.conversations_list(
            cursor=cursor or None,
            limit=_PAGE_SIZE,
            exclude_archived=True,
            types="public_channel,private_channel",
            team_id=team_id,
        )
        channels: list[dict[str, Any]] = page.get("channels") or []
        found.update({item["name"]: item["id"] for item in channels})
        cursor = next_cursor(page.get("response_metadata"))
        if not cursor:
            break
    return found


def next_cursor(metadata: object) -> str:
    """Return the cursor of the next page from a response's metadata; empty on the last page."""
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
