"""The open modals: one stack per person. They are kept in memory only; reloading Slack closes them too."""

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
    """One open modal. `view` is the app's checked view; `errors` are its messages about inputs, by block_id."""

    id: str
    user: str
    view: Json
    root_id: str
    previous_id: str | None
    version: int = 1
    errors: dict[str, str] = field(default_factory=dict)

    def to_slack(self, state: Json | None = None) -> Json:
        """Return the view object of Slack's API."""
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
    """All open modals of the workspace."""

    def __init__(self, changes: Changes, random_id: Callable[[], str]) -> None:
        self._changes = changes
        self._random_id = random_id
        self._stacks: dict[str, list[Modal]] = {}

    def stack(self, user: str) -> list[Modal]:
        """Return the modals that one person has open, the topmost last."""
        return list(self._stacks.get(user, []))

    def open(self, user: str, view: Json) -> Modal:
        """Open a modal; it replaces all that this person had open. Raises SlackError `duplicate_external_id`."""
        self._check_external_id(view)
        modal_id = self._new_id()
        modal = Modal(modal_id, user, view, root_id=modal_id, previous_id=None)
        self._stacks[user] = [modal]
        self._changes.announce()
        return modal

    def push(self, user: str, view: Json) -> Modal:
        """Open a modal on top of the current one.

        Raises SlackError `not_found`, `push_limit_reached` or `duplicate_external_id`.
        """
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
        """Replace the view of an open modal."""
        modal.view = view
        modal.version += 1
        modal.errors = {}
        self._changes.announce()
        return modal

    def reject(self, modal: Modal, errors: dict[str, str]) -> None:
        """Show error messages under the inputs of a modal."""
        modal.errors = errors
        self._changes.announce()

    def close(self, modal: Modal) -> None:
        """Close one modal and those on top of it."""
        stack = self._stacks.get(modal.user, [])
        if modal in stack:
            del stack[stack.index(modal) :]
        self._changes.announce()

    def clear(self, user: str) -> None:
        """Close all modals of a person."""
        self._stacks.pop(user, None)
        self._changes.announce()

    def find(self, view_id: str | None = None, external_id: str | None = None) -> Modal:
        """Find an open modal by either of its ids. Raises SlackError `not_found`."""
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
