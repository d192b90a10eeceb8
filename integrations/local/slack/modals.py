"""The modals that are open, a stack for every person. They live in memory only: a reload of Slack closes them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.local.changes import Changes
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import APP_ID, BOT_ID, TEAM_ID
from integrations.local.slack.errors import SlackError

STACK_LIMIT = 3


@dataclass(slots=True)
class Modal:
    """One open modal: `view` is what the app gave (checked), `errors` what it said about inputs, by block_id."""

    id: str
    user: str
    view: Json
    root_id: str
    previous_id: str | None
    version: int = 1
    errors: dict[str, str] = field(default_factory=dict)

    def to_slack(self, state: Json | None = None) -> Json:
        """The view object of Slack's API."""
        defaults = {"callback_id": "", "private_metadata": "", "external_id": "", "submit": None, "close": None}
        return {
            "clear_on_close": False,
            "notify_on_close": False,
            **defaults,
            **self.view,
            "id": self.id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
            "hash": f"{self.version}.{self.id.lower()}",
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "state": state or {"values": {}},
        }


class Modals:
    """Opens, changes and closes modals."""

    def __init__(self, changes: Changes, random_id: Callable[[], str]) -> None:
        self._changes = changes
        self._random_id = random_id
        self._stacks: dict[str, list[Modal]] = {}

    def stack(self, user: str) -> list[Modal]:
        """The modals one person has open, the topmost last."""
        return list(self._stacks.get(user, []))

    def open(self, user: str, view: Json) -> Modal:
        """Show a modal in place of whatever this person had open."""
        self._check_external_id(view)
        modal_id = self._new_id()
        modal = Modal(modal_id, user, view, root_id=modal_id, previous_id=None)
        self._stacks[user] = [modal]
        self._changes.announce()
        return modal

    def push(self, user: str, view: Json) -> Modal:
        """Show a modal on top of the one that is open. Raises SlackError `push_limit_reached` or `not_found`."""
        stack = self._stacks.get(user, [])
        if not stack:
            raise SlackError("not_found")
        if len(stack) == STACK_LIMIT:
            raise SlackError("push_limit_reached")
        self._check_external_id(view)
        modal = Modal(self._new_id(), user, view, root_id=stack[0].id, previous_id=stack[-1].id)
        stack.append(modal)
        self._changes.announce()
        return modal

    def update(self, modal: Modal, view: Json) -> Modal:
        """Change what an open modal shows."""
        modal.view = view
        modal.version += 1
        modal.errors = {}
        self._changes.announce()
        return modal

    def reject(self, modal: Modal, errors: dict[str, str]) -> None:
        """Show what is wrong under the inputs."""
        modal.errors = errors
        self._changes.announce()

    def close(self, modal: Modal) -> None:
        """Close one modal and what lies on top of it."""
        stack = self._stacks.get(modal.user, [])
        if modal in stack:
            del stack[stack.index(modal) :]
        self._changes.announce()

    def clear(self, user: str) -> None:
        """Close all that a person has open."""
        self._stacks.pop(user, None)
        self._changes.announce()

    def find(self, view_id: str | None = None, external_id: str | None = None) -> Modal:
        """An open modal by either of its ids. Raises SlackError `not_found`."""
        for stack in self._stacks.values():
            for modal in stack:
                if modal.id == view_id or (external_id and modal.view.get("external_id") == external_id):
                    return modal
        raise SlackError("not_found")

    def _check_external_id(self, view: Json) -> None:
        external_id = view.get("external_id")
        if external_id and any(
            modal.view.get("external_id") == external_id for stack in self._stacks.values() for modal in stack
        ):
            raise SlackError("duplicate_external_id")

    def _new_id(self) -> str:
        return "V" + self._random_id()[:10].upper()
