"""Send people's actions on the page to the app as Slack's payloads, and apply the app's response.

Payloads: https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from integrations.local.slack.block_kit import blocks, views
from integrations.local.slack.block_kit.elements import choice
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import (
    APP_ID,
    BOT_ID,
    SLACKBOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Message,
)
from integrations.local.slack.delivery import Delivery, DeliveryError
from integrations.local.slack.errors import SlackError
from integrations.local.slack.grants import ResponseTarget
from integrations.local.slack.modals import Modal
from integrations.local.slack.response_urls import apply_response
from integrations.local.slack.workspace import SlackWorkspace

Entered = dict[str, dict[str, str | list[str] | None]]


class Interactivity:
    """A person's actions: press a button, submit or close a modal, run a command."""

    def __init__(self, workspace: SlackWorkspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

    async def press(
        self, user: str, message: Message, action_id: str, value: str | list[str] | None, base_url: str
    ) -> None:
        """Press a button or make a choice in a message. Raises SlackError `action_not_found` and DeliveryError."""
        channel = self._workspace.conversations.channel(message.channel)
        token = self._workspace.grants.response_token(
            user, channel.id, message_ts=message.ts, thread_ts=message.thread_ts
        )
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.visible_to is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        await self._delivery.interaction(
            {
                **self._envelope("block_actions", user),
                "container": container,
                "channel": {"id": channel.id, "name": channel.name},
                "message": self._workspace.conversations.to_slack(message, all_metadata=True),
                "state": views.state_of(message.blocks, {}),
                "response_url": f"{base_url}/slack/response/{token}",
                "actions": [self._action(message.blocks, action_id, value)],
            }
        )

    async def press_in_modal(self, modal: Modal, action_id: str, entered: Entered) -> None:
        """Press a button inside a modal. Raises SlackError `action_not_found` and DeliveryError."""
        view_blocks = modal.view["blocks"]
        state = views.state_of(view_blocks, entered)
        await self._delivery.interaction(
            {
                **self._envelope("block_actions", modal.user, modal.id),
                "container": {"type": "view", "view_id": modal.id},
                "view": modal.to_slack(state),
                "actions": [self._action(view_blocks, action_id, None)],
            }
        )

    async def submit(self, modal: Modal, entered: Entered) -> None:
        """Submit a modal and apply the app's response: errors, update, push, clear or close. Raises DeliveryError."""
        state = views.state_of(modal.view["blocks"], entered)
        missing = views.missing_inputs(modal.view["blocks"], state)
        if missing:
            self._workspace.modals.reject(modal, missing)
            return
        answer = await self._delivery.interaction(
            {
                **self._envelope("view_submission", modal.user, modal.id),
                "view": modal.to_slack(state),
                "response_urls": [],
            }
        )
        self._apply_submission_response(modal, answer)

    async def close(self, modal: Modal) -> None:
        """Close a modal and notify the app if the view asks for it. Raises DeliveryError after the modal is closed."""
        self._workspace.modals.close(modal)
        if modal.view.get("notify_on_close"):
            await self._delivery.interaction(
                {**self._envelope("view_closed", modal.user), "view": modal.to_slack(), "is_cleared": False}
            )

    async def command(self, user: str, channel_id: str, text: str, base_url: str) -> None:
        """Run a slash command. Errors are shown to this person in the channel, worded as in Slack."""
        name, _, rest = text.strip().partition(" ")
        known = [command.name for command in self._workspace.config.commands]
        if name not in known:
            self._show_error(user, channel_id, f"`{name}` is not a valid command. Try `{known[0]}`.")
            return
        channel = self._workspace.conversations.channel(channel_id)
        token = self._workspace.grants.response_token(user, channel_id)
        person = self._workspace.conversations.people[user]
        form = {
            "team_id": TEAM_ID,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel_id,
            "channel_name": channel.name if not channel.person else "directmessage",
            "user_id": user,
            "user_name": person.name.lower().replace(" ", "."),
            "command": name,
            "text": rest.strip(),
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": f"{base_url}/slack/response/{token}",
            "trigger_id": self._workspace.grants.trigger(user),
        }
        try:
            answer = await self._delivery.command(form)
            if answer:
                apply_response(self._workspace, ResponseTarget(user, channel_id, None, None, expires_at=0), answer)
        except (DeliveryError, SlackError) as error:
            self._show_error(user, channel_id, f"`{name}` failed with the error `{error.code}`.")

    def _envelope(self, kind: str, user: str, view_id: str | None = None) -> Json:
        person = self._workspace.conversations.people[user]
        username = person.name.lower().replace(" ", ".")
        return {
            "type": kind,
            "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
            "user": {"id": user, "username": username, "name": username, "team_id": person.team or TEAM_ID},
            "api_app_id": APP_ID,
            "bot_id": BOT_ID,
            "trigger_id": self._workspace.grants.trigger(user, view_id),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, in_blocks: list[Json], action_id: str, value: str | list[str] | None) -> Json:
        found = blocks.find_element(in_blocks, action_id)
        if found is None:
            raise SlackError("action_not_found")
        block, element = found
        action = {
            "type": element["type"],
            "action_id": action_id,
            "block_id": block["block_id"],
            "action_ts": self._workspace.conversations.next_ts(),
            **choice(element, value),
        }
        if element["type"] == "button":
            action["text"] = element["text"]
        return action

    def _apply_submission_response(self, modal: Modal, answer: Json) -> None:
        modals = self._workspace.modals
        verb = answer.get("response_action")
        if verb == "errors":
            modals.reject(modal, {str(block): str(text) for block, text in (answer.get("errors") or {}).items()})
        elif verb in ("update", "push"):
            try:
                view = views.accept(answer.get("view"), file_exists=self._workspace.files.exists)
                if verb == "update":
                    modals.update(modal, view)
                else:
                    modals.push(modal.user, view)
            except SlackError as error:
                raise DeliveryError("dispatch_failed", f"The app answered with a broken view: {error.code}.") from error
        elif verb == "clear":
            modals.clear(modal.user)
        else:
            modals.close(modal)

    def _show_error(self, user: str, channel_id: str, text: str) -> None:
        conversations = self._workspace.conversations
        conversations.add(
            Message(
                channel=channel_id,
                ts=conversations.next_ts(),
                user=SLACKBOT_USER_ID,
                text=text.strip(),
                visible_to=user,
            )
        )
