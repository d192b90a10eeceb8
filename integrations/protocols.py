"""What Argux needs of an outside system, whichever vendor stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from integrations.cards import Card, Modal


@dataclass(frozen=True, slots=True)
class MessageReference:
    """Where a posted message is: enough to edit it or to answer in its thread."""

    channel: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ChannelUser:
    """A person as the channel knows them; `timezone` is an IANA name."""

    user_id: str
    name: str
    timezone: str


class ChatChannel(Protocol):
    """A place where people talk: Slack today. Every call raises IntegrationError's tree and nothing else."""

    def post(
        self,
        channel: str,
        card: Card,
        *,
        idempotency_key: str,
        thread: MessageReference | None = None,
        look_first: bool = False,
    ) -> MessageReference:
        """Post, marked with `idempotency_key`; `look_first` returns the message an earlier try may have posted."""
        ...

    def update(self, message: MessageReference, card: Card) -> None:
        """Replace a message in place."""
        ...

    def post_ephemeral(self, channel: str, user_id: str, text: str, thread: MessageReference | None = None) -> None:
        """Say something that only one person sees."""
        ...

    def respond(self, response_url: str, card: Card) -> None:
        """Answer a slash command or a click through the address it came with; only the asker sees it."""
        ...

    def upload_picture(self, png: bytes, *, filename: str, alt_text: str) -> str:
        """Upload a PNG; return the reference that a CardPicture takes."""
        ...

    def open_modal(self, trigger_id: str, modal: Modal) -> None:
        """Show a dialog to the person whose click gave `trigger_id` (valid for 3 seconds, once)."""
        ...

    def update_modal(self, modal: Modal) -> None:
        """Replace what the dialog with this `dialog_id` shows; NotFoundError where it is not open."""
        ...

    def user(self, user_id: str) -> ChannelUser:
        """Look a person up."""
        ...

    def check(self) -> str:
        """One line that says who we are there; raises where the settings do not work."""
        ...


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file of a commit: `patch` is its unified diff, empty for a binary or a very large one."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit with its diff against its first parent. `committed_at` is seconds, UTC."""

    sha: str
    parent_sha: str | None
    author: str
    committed_at: float
    message: str
    url: str
    files: tuple[ChangedFile, ...]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it stands. `state` is "open", "merged" or "closed".

    Once merged: `merge_commit_sha`, and when (`merged_at`, seconds, UTC).
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


class CodeHost(Protocol):
    """Where the code lives: GitHub. `repository` is "owner/name". Raises IntegrationError's tree."""

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        """The commits in head and not in base, oldest first, with their diffs; only head where base is None."""
        ...

    def open_revert(
        self, repository: str, commit_shas: tuple[str, ...], *, branch: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request that undoes these commits on the default branch, or find it where `branch` exists.

        Raises ConflictError where later changes touch the same lines.
        """
        ...

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """Read one pull request."""
        ...

    def diff(self, repository: str, number: int) -> str:
        """The pull request's unified diff."""
        ...

    def merge(self, repository: str, number: int, *, head_sha: str) -> PullRequest:
        """Merge only while its head is `head_sha` (else StaleHeadError); already merged at that head is success."""
        ...

    def close(self, repository: str, number: int, *, comment: str) -> None:
        """Close without merging, saying why."""
        ...

    def check(self) -> str:
        """One line that says who we are there; raises where the settings do not work."""
        ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket in the tracker, such as SHOP-12."""

    key: str
    url: str


class TicketTracker(Protocol):
    """Where work is tracked: Jira. Raises IntegrationError's tree."""

    def create(self, *, idempotency_key: str, title: str, body: str, severity: str) -> Ticket:
        """Create once: the same key (kept as a label) finds the ticket already made."""
        ...

    def check(self) -> str:
        """One line that says who we are there; raises where the settings do not work."""
        ...


class EscalationChannel(Protocol):
    """Where more people are called: a Teams webhook. Raises IntegrationError's tree."""

    def escalate(self, card: Card) -> None:
        """Post the card."""
        ...

    def check(self) -> str:
        """One line that says where it would post; raises where the settings do not work."""
        ...
