"""The chat channel over Slack's Web API, with slack_sdk. It does not retry: the jobs do."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from integrations import wording
from integrations.cards import Card, Modal
from integrations.errors import (
    AuthenticationError,
    ChannelRefusedError,
    ContentRefusedError,
    IntegrationError,
    PermanentError,
    RejectedError,
    RetryableError,
)
from integrations.outbound import post
from integrations.protocols import ChannelUser, MessageReference
from integrations.slack import checking
from integrations.slack.blocks import MESSAGE_TEXT, modal_view, plainer_forms, text_blocks
from integrations.slack.channels import all_channels, next_cursor
from integrations.slack.codes import REMEDIES
from integrations.slack.errors import SYSTEM, response_failure, slack_errors
from integrations.slack.mrkdwn import cut, escape
from integrations.slack.standing import Home, home_of, standing_of
from integrations.text import Markup, visible

_LITERAL: dict[str, Any] = {"parse": "none", "link_names": False}
"""Slack makes no links and mentions of the plain characters of a text. `chat.update` does by default."""

DELIVERY_EVENT = "argux_delivery"
RESPONSE_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
_CONVERSATION_ID = re.compile(r"^[CGDUW][A-Z0-9]{1,}$")
"""The id of a channel, of direct messages, or of a person."""

_PAGE_SIZE = 200
_ALT_TEXT = 1000
_PAGES_SEARCHED = 5
_LONGEST_NAME = 200


class SlackChannel:
    """A ChatChannel for Slack. Thread-safe: slack_sdk's WebClient keeps no state between calls."""

    def __init__(self, token: str, *, base_url: str = "https://slack.com/api/", timeout_seconds: int = 10) -> None:
        self._client = WebClient(token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[])
        self._timeout_seconds = timeout_seconds
        self._channel_ids: dict[str, str] = {}
        self._channel_lock = threading.Lock()
        self._home: Home | None = None

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
        channel_id = thread.channel if thread else self._channel_id(channel)
        if look_first and (found := self._find_delivered(channel_id, thread, idempotency_key)):
            return found
        with self._forgotten_when_refused(channel):
            response = self._send(
                card,
                lambda **form: self._client.chat_postMessage(
                    channel=channel_id,
                    thread_ts=thread.message_id if thread else None,
                    metadata={"event_type": DELIVERY_EVENT, "event_payload": {"key": idempotency_key}},
                    unfurl_links=False,
                    unfurl_media=False,
                    **form,
                ),
            )
        posted_in, message_id = response.get("channel"), response.get("ts")
        if not isinstance(posted_in, str) or not isinstance(message_id, str):
            raise RetryableError(SYSTEM, "the answer was not Slack's: it names no message")
        return MessageReference(posted_in, message_id)

    def update(self, message: MessageReference, card: Card) -> None:
        """Replace a message in place. The metadata of the first post stays."""
        self._send(
            card, lambda **form: self._client.chat_update(channel=message.channel, ts=message.message_id, **form)
        )

    def _send(self, card: Card, call: Callable[..., SlackResponse]) -> SlackResponse:
        """Call with the card's blocks and text. When Slack refuses the content, call again with plainer ones."""
        refusal = ContentRefusedError(SYSTEM, "there is nothing to send")
        for form in plainer_forms(card):
            try:
                with slack_errors():
                    return call(**form, **_LITERAL)
            except ContentRefusedError as error:
                refusal = error
        raise refusal

    def post_ephemeral(self, channel: str, user_id: str, text: Markup, thread: MessageReference | None = None) -> None:
        """Post a message that only one person sees."""
        channel_id = self._channel_id(channel)
        with slack_errors():
            self._client.chat_postEphemeral(
                channel=channel_id,
                user=user_id,
                text=cut(escape(wording.plain(text)) or "…", MESSAGE_TEXT),
                blocks=text_blocks(text),
                thread_ts=thread.message_id if thread else None,
                **_LITERAL,
            )

    def direct_channel(self, user_id: str) -> str:
        """Return the channel of the direct messages with a person. Without the scope im:write, that is their own id."""
        try:
            with slack_errors():
                opened: dict[str, Any] = self._client.conversations_open(users=user_id)["channel"]
                return str(opened["id"])
        except AuthenticationError:
            # chat.postMessage also takes a person's id for a channel, and needs no scope but chat:write.
            return user_id

    def respond(self, response_url: str, card: Card) -> None:
        """Answer at the response URL of a command or click. Raises NotFoundError once the URL has expired."""
        refusal: IntegrationError | None = None
        for form in plainer_forms(card):
            response = post(
                SYSTEM,
                response_url,
                {**form, "response_type": "ephemeral", "replace_original": False},
                timeout_seconds=self._timeout_seconds,
                hosts=RESPONSE_HOSTS,
                local=self._client.base_url,
            )
            refusal = response_failure(response)
            if refusal is None:
                return
            if not isinstance(refusal, RejectedError):
                break
        assert refusal is not None
        raise refusal

    def upload_picture(self, png: bytes, *, filename: str, alt_text: str) -> str:
        """Upload a PNG without sharing it in a channel. Return the file's id, which an image block refers to."""
        words = wording.cut(visible(alt_text), _ALT_TEXT)
        with slack_errors():
            response = self._client.files_upload_v2(filename=filename, content=png, title=words, alt_txt=words)
            files: list[dict[str, Any]] = response.get("files") or []
            if not files or "id" not in files[0]:
                raise RejectedError(SYSTEM, "the upload was answered without a file")
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
            if self._home is None:
                self._home = home_of(self._client.auth_test())
            profile: dict[str, Any] = found.get("profile") or {}
            names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"), found.get("name"))
            return ChannelUser(
                user_id=user_id,
                name=str(next((name for name in names if name), user_id))[:_LONGEST_NAME],
                timezone=str(found.get("tz") or "UTC"),
                standing=standing_of(found, self._home),
                team_id="" if self._home.enterprise_id else self._home.team_id,
            )

    def check(self) -> str:
        """Return the workspace and the user name that the token belongs to."""
        with slack_errors():
            identity = self._client.auth_test()
        return f"connected to {identity.get('team') or 'Slack'} as {identity.get('user') or 'a bot'}"

    def check_channel(self, channel: str) -> str:
        """Return where it would post. Raises if a scope is missing, or the bot is not in the channel."""
        with slack_errors():
            checking.check_scopes(self._client)
            checking.check_membership(self._client, self._channel_id(channel), channel)
        return f"posts to {channel}"

    def check_person(self, user_id: str) -> str:
        """Return the name of an active person. Raises if the id is nobody's, or that of an app."""
        with slack_errors():
            return checking.check_person(self._client, user_id)

    def _channel_id(self, channel: str) -> str:
        """Return the id of a channel name such as "#incidents" and cache it. An id is returned unchanged.

        A token that may not list the channels gets the name back, which Slack takes for a public channel.
        """
        if _CONVERSATION_ID.match(channel):
            return channel
        name = channel.removeprefix("#")
        with self._channel_lock:
            if name not in self._channel_ids:
                try:
                    with slack_errors():
                        self._channel_ids.update(all_channels(self._client))
                except AuthenticationError as error:
                    if "missing_scope" not in str(error):
                        raise
                    return f"#{name}"
            if name not in self._channel_ids:
                text = f"there is no channel #{name} that the bot can see: {REMEDIES['channel_not_found']}"
                raise ChannelRefusedError(SYSTEM, text)
            return self._channel_ids[name]

    @contextmanager
    def _forgotten_when_refused(self, channel: str) -> Iterator[None]:
        """Look a channel's name up again after a refusal: the channel of this name may be another one by then."""
        try:
            yield
        except ChannelRefusedError:
            with self._channel_lock:
                self._channel_ids.pop(channel.removeprefix("#"), None)
            raise

    def _find_delivered(self, channel_id: str, thread: MessageReference | None, key: str) -> MessageReference | None:
        """Find the message that an earlier try with this key posted, if only the answer to it was lost.

        A token that may not read the channel finds nothing: a message said twice is better than one never said.
        """
        with suppress(PermanentError), slack_errors():
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
            cursor = next_cursor(page.get("response_metadata"))
            if not cursor:
                return
