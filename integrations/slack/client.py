"""The chat channel over Slack's Web API, with slack_sdk. It does not retry: the jobs do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from integrations import wording
from integrations.cards import Card, Modal
from integrations.errors import NotFoundError
from integrations.http import check_outbound_url, error_for_status
from integrations.protocols import ChannelUser, MessageReference
from integrations.slack.blocks import MESSAGE_TEXT, card_blocks, message_text, modal_view, text_blocks
from integrations.slack.errors import SYSTEM, slack_errors
from integrations.slack.mrkdwn import cut, escape
from integrations.text import Markup, visible

_LITERAL: dict[str, Any] = {"parse": "none", "link_names": False}
"""Slack makes no links and mentions of the plain characters of a text. `chat.update` does by default."""

DELIVERY_EVENT = "argux_delivery"
_CHANNEL_ID = re.compile(r"^[CGD][A-Z0-9]{2,}$")
_PAGE_SIZE = 200
_ALT_TEXT = 1000
_PAGES_SEARCHED = 5
_PAGES_OF_CHANNELS = 50


class SlackChannel:
    """A ChatChannel for Slack. Thread-safe: slack_sdk's WebClient keeps no state between calls."""

    def __init__(self, token: str, *, base_url: str = "https://slack.com/api/", timeout_seconds: int = 10) -> None:
        self._client = WebClient(token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[])
        self._timeout_seconds = timeout_seconds
        self._channel_ids: dict[str, str] = {}
        self._channel_lock = threading.Lock()

    def post(
        self,
        channel: str,
        card: Card,
        *,
        idempotency_key: str,
        thread: MessageReference | None = None,
        look_first: bool = False,
    ) -> MessageReference:
        """Post the card. The key is stored as message metadata, where `look_first` of a later try finds it."""
        with slack_errors():
            channel_id = thread.channel if thread else self._channel_id(channel)
            if look_first:
                found = self._find_delivered(channel_id, thread, idempotency_key)
                if found:
                    return found
            response = self._client.chat_postMessage(
                channel=channel_id,
                text=message_text(card),
                blocks=card_blocks(card),
                thread_ts=thread.message_id if thread else None,
                metadata={"event_type": DELIVERY_EVENT, "event_payload": {"key": idempotency_key}},
                unfurl_links=False,
                unfurl_media=False,
                **_LITERAL,
            )
            return MessageReference(channel=str(response["channel"]), message_id=str(response["ts"]))

    def update(self, message: MessageReference, card: Card) -> None:
        """Replace a message in place. The metadata of the first post stays."""
        with slack_errors():
            self._client.chat_update(
                channel=message.channel,
                ts=message.message_id,
                text=message_text(card),
                blocks=card_blocks(card),
                **_LITERAL,
            )

    def post_ephemeral(self, channel: str, user_id: str, text: Markup, thread: MessageReference | None = None) -> None:
        """Post a message that only one person sees."""
        with slack_errors():
            self._client.chat_postEphemeral(
                channel=self._channel_id(channel),
                user=user_id,
                text=cut(escape(wording.plain(text)) or "…", MESSAGE_TEXT),
                blocks=text_blocks(text),
                thread_ts=thread.message_id if thread else None,
                **_LITERAL,
            )

    def respond(self, response_url: str, card: Card) -> None:
        """Answer at the response URL of a command or click. Raises NotFoundError once the URL has expired."""
        check_outbound_url(SYSTEM, response_url)
        webhook = WebhookClient(response_url, timeout=self._timeout_seconds, retry_handlers=[])
        with slack_errors():
            response = webhook.send(
                text=message_text(card),
                blocks=card_blocks(card),
                response_type="ephemeral",
                replace_original=False,
            )
        if response.status_code >= 400:
            raise error_for_status(SYSTEM, response.status_code, response.body)

    def upload_picture(self, png: bytes, *, filename: str, alt_text: str) -> str:
        """Upload a PNG without sharing it in a channel. Return the file's id, which an image block refers to."""
        words = wording.cut(visible(alt_text), _ALT_TEXT)
        with slack_errors():
            response = self._client.files_upload_v2(filename=filename, content=png, title=words, alt_txt=words)
            files: list[dict[str, Any]] = response["files"]
            return str(files[0]["id"])

    def open_modal(self, trigger_id: str, modal: Modal) -> None:
        """Open a dialog for the person whose click gave `trigger_id` (valid for 3 seconds)."""
        with slack_errors():
            self._client.views_open(trigger_id=trigger_id, view=modal_view(modal))

    def update_modal(self, modal: Modal) -> None:
        """Replace the content of the dialog with this `dialog_id`. Raises NotFoundError if it is not open."""
        with slack_errors():
            self._client.views_update(external_id=modal.dialog_id, view=modal_view(modal))

    def user(self, user_id: str) -> ChannelUser:
        """Look up a user. The name is the display name that the user chose."""
        with slack_errors():
            found: dict[str, Any] = self._client.users_info(user=user_id)["user"]
        profile: dict[str, Any] = found.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or found.get("real_name") or found.get("name")
        return ChannelUser(user_id=user_id, name=str(name or user_id), timezone=str(found.get("tz") or "UTC"))

    def check(self) -> str:
        """Return the workspace and the user name that the token belongs to."""
        with slack_errors():
            identity = self._client.auth_test()
        return f"connected to {identity.get('team') or 'Slack'} as {identity.get('user') or 'a bot'}"

    def _channel_id(self, channel: str) -> str:
        """Return the id of a channel name such as "#incidents" and cache it. An id is returned unchanged."""
        if _CHANNEL_ID.match(channel):
            return channel
        name = channel.removeprefix("#")
        with self._channel_lock:
            if name not in self._channel_ids:
                self._channel_ids.update(self._channels())
            if name not in self._channel_ids:
                raise NotFoundError(SYSTEM, f"there is no channel #{name} that the bot can see; invite it there")
            return self._channel_ids[name]

    def _channels(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(_PAGES_OF_CHANNELS):
            page = self._client.conversations_list(
                cursor=cursor or None, limit=_PAGE_SIZE, exclude_archived=True, types="public_channel,private_channel"
            )
            channels: list[dict[str, Any]] = page.get("channels") or []
            found.update({item["name"]: item["id"] for item in channels})
            cursor = _next_cursor(page.get("response_metadata"))
            if not cursor:
                break
        return found

    def _find_delivered(self, channel_id: str, thread: MessageReference | None, key: str) -> MessageReference | None:
        """Find the message that an earlier try with this key posted, if only the answer to it was lost."""
        for message in self._recent_messages(channel_id, thread):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == DELIVERY_EVENT and payload.get("key") == key:
                return MessageReference(channel=channel_id, message_id=str(message["ts"]))
        return None

    def _recent_messages(self, channel_id: str, thread: MessageReference | None) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES_SEARCHED):
            paging: dict[str, Any] = {"cursor": cursor or None, "limit": _PAGE_SIZE, "include_all_metadata": True}
            if thread:
                page = self._client.conversations_replies(channel=channel_id, ts=thread.message_id, **paging)
            else:
                page = self._client.conversations_history(channel=channel_id, **paging)
            yield from page.get("messages") or []
            cursor = _next_cursor(page.get("response_metadata"))
            if not cursor:
                return


def _next_cursor(metadata: object) -> str:
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
