"""The protocols that adapters implement, independent of the vendor: chat, code host, ticket tracker, escalation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from detection.types import Commit
from integrations.cards import Card, Modal
from integrations.text import Markup


@dataclass(frozen=True, slots=True)
class MessageReference:
    """Identifies a posted message, so that it can be edited or answered in its thread."""

    channel: str
    message_id: str


class Standing(StrEnum):
    """What a user is to the team: only a member may decide anything."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    DEACTIVATED = "deactivated"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class ChannelUser:
    """A user of the chat channel.

    timezone: an IANA name. team_id: their only workspace; empty where an organisation has many, or if not known.
    """

    user_id: str
    name: str
    timezone: str
    standing: Standing
    team_id: str = ""


class ChatChannel(Protocol):
    """A chat system: Slack today. Every call raises only IntegrationError and its subclasses."""

    def post(
        self,
        channel: str,
        card: Card,
        *,
        idempotency_key: str,
        thread: MessageReference | None = None,
        look_first: bool = False,
    ) -> MessageReference:
        """Post a card, marked with `idempotency_key`. `look_first` first searches for the message of an earlier try."""
        ...

    def update(self, message: MessageReference, card: Card) -> None:
        """Replace a message in place."""
        ...

    def post_ephemeral(self, channel: str, user_id: str, text: Markup, thread: MessageReference | None = None) -> None:
        """Post a message that only one person sees."""
        ...

    def direct_channel(self, user_id: str) -> str:
        """Return the channel of the direct messages with a person, opening it if necessary."""
        ...

    def respond(self, response_url: str, card: Card) -> None:
        """Answer a slash command or a click at its response URL. Only the person who asked sees the answer."""
        ...

    def upload_picture(self, png: bytes, *, filename: str, alt_text: str) -> str:
        """Upload a PNG; return the reference that a CardPicture takes."""
        ...

    def open_modal(self, trigger_id: str, modal: Modal) -> None:
        """Open a dialog for the person whose click gave `trigger_id` (valid once, for 3 seconds)."""
        ...

    def update_modal(self, modal: Modal) -> None:
        """Replace the content of the dialog with this `dialog_id`. Raises NotFoundError if it is not open."""
        ...

    def user(self, user_id: str) -> ChannelUser:
        """Look up a user."""
        ...

    def check(self) -> str:
        """Return one line that says which account is used. Raises if the settings do not work."""
        ...

    def check_channel(self, channel: str) -> str:
        """Return one line that says where it would post. Raises if it could not post there."""
        ...

    def check_person(self, user_id: str) -> str:
        """Return the name of an active person. Raises if the id is nobody's, or that of an app."""
        ...


@dataclass(frozen=True, slots=True)
class PullRequest:
    """The current state of a pull request. `state` is "open", "merged" or "closed"; it merges into `base_branch`.

    `merge_commit_sha` and `merged_at` (seconds, UTC) are set once it is merged.
    """

    repository: str
    number: int
    url: str
    title: str
    state: str
    branch: str
    head_sha: str
    base_sha: str
    merge_commit_sha: str | None = None
    merged_at: float | None = None
    base_branch: str = ""


class CodeHost(Protocol):
    """A code host: GitHub. `repository` is "owner/name". Every call raises only IntegrationError and its subclasses."""

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        """Return the commits in head but not in base, oldest first, with their diffs; only head if base is None."""
        ...

    def open_revert(
        self, repository: str, commit_shas: tuple[str, ...], *, branch: str, title: str, body: Markup
    ) -> PullRequest:
        """Open a pull request that reverts these commits on the default branch, or find it if `branch` exists.

        Raises ConflictError if later changes touch the same lines.
        """
        ...

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """Read one pull request."""
        ...

    def diff(self, repository: str, number: int) -> str:
        """Return the pull request's diff as the code host sends it; the caller checks that it is one."""
        ...

    def merge(self, repository: str, number: int, *, head_sha: str) -> PullRequest:
        """Merge only if the head is `head_sha` (else StaleHeadError). Already merged at that head is a success.

        Raises WaitingError for what passes by itself or by a person's act, such as a check or a merge queue.
        """
        ...

    def leave_queue(self, repository: str, number: int) -> bool:
        """Take the pull request out of the merge queue; return False if it was in none."""
        ...

    def close(self, repository: str, number: int, *, comment: Markup) -> None:
        """Close without merging, with a comment that says why."""
        ...

    def find_open(self, repository: str, branch: str) -> PullRequest | None:
        """Return the open pull request from this branch of the repository; None if there is none."""
        ...

    def check(self) -> str:
        """Return one line that says which account is used. Raises if the settings do not work."""
        ...

    def check_repository(self, repository: str) -> str:
        """Return one line about the repository. Raises if it cannot be read, or not be written."""
        ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket in the tracker, such as SHOP-12."""

    key: str
    url: str


@dataclass(frozen=True, slots=True)
class TicketField:
    """A field that the tracker wants filled and only a person can fill. `name` is the tracker's own id of it.

    choices: (value, label) pairs to choose from; empty where a text is asked for. hint: what the text must be. fault:
    the kind of field that nobody can be asked for in a dialog; empty for all others.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    fault: str = ""


class TicketTracker(Protocol):
    """A ticket tracker: Jira. Every call raises only IntegrationError and its subclasses."""

    def create(
        self, *, idempotency_key: str, title: str, body: Markup, severity: str, answers: Mapping[str, str] = ...
    ) -> Ticket:
        """Create a ticket idempotently: a second call with the same key (stored as a label) finds the first ticket.

        answers: what a person chose or typed for the fields that only a person can fill, by their names. Raises
        FieldsRequiredError for those that are missing.
        """
        ...

    def check(self) -> str:
        """Return one line that says which account is used. Raises if the settings do not work."""
        ...

    def check_creating(self) -> tuple[str, ...]:
        """Return the names of required fields that are not filled. Raises if no ticket may be created."""
        ...

    def fields_to_ask(self, also: Collection[str] = ...) -> tuple[TicketField, ...]:
        """Return the required fields that only a person can fill, and those named in `also`."""
        ...


class EscalationChannel(Protocol):
    """A channel that calls more people: a Teams webhook. Every call raises only IntegrationError and its subclasses."""

    def escalate(self, card: Card) -> None:
        """Post the card."""
        ...

    def check(self) -> str:
        """Return one line that says where it would post. Raises if the settings do not work."""
        ...
