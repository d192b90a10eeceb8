"""Fakes of the external systems: they keep the contracts of integrations.protocols and can be made to fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from detection.types import Commit
from integrations.cards import Card, Modal
from integrations.errors import FieldsRequiredError, IntegrationError, NotFoundError, StaleHeadError
from integrations.protocols import ChannelUser, MessageReference, PullRequest, Standing, Ticket, TicketField
from integrations.text import Markup
from workers.services import Services

TICKET = Ticket("SHOP-1", "https://tickets.example/SHOP-1")
DIFF = "diff --git a/shop.py b/shop.py\n--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-bad\n+good\n"


@dataclass
class Posted:
    """A message in its current state in the channel."""

    key: str
    card: Card
    thread: str | None
    edits: int = 0


@dataclass
class FakeChat:
    """A chat channel that stores everything. `failures` are raised by the next posts and edits, in order.

    `lost_answers` are raised by the next posts after they succeeded, as when the response is lost. `standings`: who is
    no member of the workspace. `team_id`: the workspace of all of them, if it is known. `respond_failures`,
    `ephemeral_failures` and `look_up_failures` are raised by the next answers at response URLs, ephemeral messages and
    look-ups of people. `direct`: the messages to one person. A subclass that fails in its own way does so
    in `before_post`.
    """

    messages: dict[str, Posted] = field(default_factory=dict)
    ephemerals: list[tuple[str, str]] = field(default_factory=list)
    responses: list[Card] = field(default_factory=list)
    modals: list[Modal] = field(default_factory=list)
    direct: list[Card] = field(default_factory=list)
    pictures: int = 0
    standings: dict[str, Standing] = field(default_factory=dict)
    look_ups: list[str] = field(default_factory=list)
    team_id: str = ""
    failures: deque[IntegrationError] = field(default_factory=deque)
    lost_answers: deque[IntegrationError] = field(default_factory=deque)
    respond_failures: deque[IntegrationError] = field(default_factory=deque)
    ephemeral_failures: deque[IntegrationError] = field(default_factory=deque)
    look_up_failures: deque[IntegrationError] = field(default_factory=deque)

    def post(
        self,
        channel: str,
        card: Card,
        *,
        idempotency_key: str,
        thread: MessageReference | None = None,
        look_first: bool = False,
    ) -> MessageReference:
        if channel.startswith("D"):
            self._fail()
            self.direct.append(card)
            return MessageReference(channel, str(len(self.direct)))
        self.before_post(card)
        if look_first:
            for message_id, posted in self.messages.items():
                if posted.key == idempotency_key:
                    return MessageReference("C1", message_id)
        self._fail()
        message_id = str(len(self.messages) + 1)
        self.messages[message_id] = Posted(idempotency_key, card, thread.message_id if thread else None)
        if self.lost_answers:
            raise self.lost_answers.popleft()
        return MessageReference("C1", message_id)

    def before_post(self, card: Card) -> None:
        """Accept the message that is about to be posted, or raise."""

    def update(self, message: MessageReference, card: Card) -> None:
        self._fail()
        posted = self.messages[message.message_id]
        posted.card = card
        posted.edits += 1

    def post_ephemeral(self, channel: str, user_id: str, text: str, thread: MessageReference | None = None) -> None:
        if self.ephemeral_failures:
            raise self.ephemeral_failures.popleft()
        self.ephemerals.append((user_id, text))

    def direct_channel(self, user_id: str) -> str:
        return f"D{user_id}"

    def respond(self, response_url: str, card: Card) -> None:
        if self.respond_failures:
            raise self.respond_failures.popleft()
        self.responses.append(card)

    def upload_picture(self, png: bytes, *, filename: str, alt_text: str) -> str:
        assert png.startswith(b"\x89PNG")
        self.pictures += 1
        return f"F{self.pictures}"

    def open_modal(self, trigger_id: str, modal: Modal) -> None:
        self._fail()
        self.modals.append(modal)

    def update_modal(self, modal: Modal) -> None:
        for place, shown in enumerate(self.modals):
            if modal.dialog_id and shown.dialog_id == modal.dialog_id:
                self._fail()
                self.modals[place] = modal
                return
        raise NotFoundError("Slack", "not_found")

    def user(self, user_id: str) -> ChannelUser:
        self.look_ups.append(user_id)
        if self.look_up_failures:
            raise self.look_up_failures.popleft()
        standing = self.standings.get(user_id, Standing.MEMBER)
        return ChannelUser(user_id, user_id.removeprefix("U").capitalize(), "UTC", standing, self.team_id)

    def check(self) -> str:
        return "a fake channel"

    def check_channel(self, channel: str) -> str:
        return f"posts to {channel}"

    def check_person(self, user_id: str) -> str:
        return self.user(user_id).name

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.popleft()

    def root(self) -> Posted:
        """Return the only root message of an incident."""
        (root,) = [p for p in self.messages.values() if p.thread is None and not p.key.startswith("jobs:")]
        return root

    def thread_titles(self) -> list[str]:
        return [posted.card.title for posted in self.messages.values() if posted.thread is not None]

    def buttons(self) -> list[str]:
        return [action.action_id for action in self.root().card.actions]


def chat(services: Services) -> FakeChat:
    """Return the channel of a scenario."""
    assert isinstance(services.chat, FakeChat)
    return services.chat


@dataclass
class FakeCodeHost:
    """A code host with one pull request whose head may move; merges are counted.

    `failures` are raised by the next reads and merges, in order; `lost_answers` by the next merges after they
    succeeded. `refusals`, `merge_refusals`, `diff_failures` and `close_failures` are raised by the next openings,
    merges, readings of the diff and closings.
    `is_queued`: it waits in a merge queue. `queue_failures` are raised by the next leavings of the queue.
    `merged_elsewhere_at` (seconds, UTC): when somebody merged it by hand. `number`: that of the next one opened.
    """

    head_sha: str = "a" * 40
    merges: int = 0
    opened: int = 0
    failures: deque[IntegrationError] = field(default_factory=deque)
    lost_answers: deque[IntegrationError] = field(default_factory=deque)
    refusals: deque[IntegrationError] = field(default_factory=deque)
    merge_refusals: deque[IntegrationError] = field(default_factory=deque)
    diff_failures: deque[IntegrationError] = field(default_factory=deque)
    close_failures: deque[IntegrationError] = field(default_factory=deque)
    closed: list[int] = field(default_factory=list)
    number: int = 7
    merged_elsewhere_at: float | None = None
    state: str = "open"
    base_branch: str = "main"
    diff_text: str = DIFF
    comments: list[str] = field(default_factory=list)
    is_queued: bool = False
    queue_failures: deque[IntegrationError] = field(default_factory=deque)
    left_queue: list[int] = field(default_factory=list)
    branches: dict[str, int] = field(default_factory=dict)

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        return ()

    def open_revert(
        self, repository: str, commit_shas: tuple[str, ...], *, branch: str, title: str, body: str
    ) -> PullRequest:
        if self.refusals:
            raise self.refusals.popleft()
        self.opened += 1
        self.branches[branch] = self.number
        return self.pull_request(repository, self.number)

    def pull_request(self, repository: str, number: int) -> PullRequest:
        self._fail()
        is_merged = bool(self.merges) or self.merged_elsewhere_at is not None
        return PullRequest(
            repository, number, f"https://code.example/pull/{number}", "Revert", "merged" if is_merged else self.state,
            "argux/revert", self.head_sha, "b" * 40, "c" * 40 if is_merged else None, self.merged_elsewhere_at,
            self.base_branch,
        )  # fmt: skip

    def diff(self, repository: str, number: int) -> str:
        if self.diff_failures:
            raise self.diff_failures.popleft()
        return self.diff_text

    def merge(self, repository: str, number: int, *, head_sha: str) -> PullRequest:
        if head_sha != self.head_sha:
            raise StaleHeadError("GitHub", f"pull request #{number} has a new head")
        self._fail()
        if self.merge_refusals and self.merged_elsewhere_at is None:
            raise self.merge_refusals.popleft()
        if self.merges == 0 and self.merged_elsewhere_at is None:
            self.merges += 1
        if self.lost_answers:
            raise self.lost_answers.popleft()
        return self.pull_request(repository, number)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.popleft()

    def leave_queue(self, repository: str, number: int) -> bool:
        if self.queue_failures:
            raise self.queue_failures.popleft()
        was_queued, self.is_queued = self.is_queued, False
        self.left_queue += [number] if was_queued else []
        return was_queued

    def find_open(self, repository: str, branch: str) -> PullRequest | None:
        number = self.branches.get(branch)
        if number is None or number in self.closed:
            return None
        found = self.pull_request(repository, number)
        return found if found.state == "open" else None

    def close(self, repository: str, number: int, *, comment: Markup) -> None:
        if self.close_failures:
            raise self.close_failures.popleft()
        if number not in self.closed:
            self.closed.append(number)
            self.comments.append(comment)

    def check(self) -> str:
        return "a fake code host"

    def check_repository(self, repository: str) -> str:
        return f"{repository} (main)"


@dataclass
class FakeTickets:
    """A ticket tracker that stores tickets by their idempotency key. `failures` are raised by the next creations.

    wanted: the fields that it wants and only a person can fill; those in `unlisted` only a refused creation names.
    `check_failures` are raised by the next questions about fields. ticket: what each creation returns.
    """

    ticket: Ticket = TICKET
    made: dict[str, str] = field(default_factory=dict)
    failures: deque[IntegrationError] = field(default_factory=deque)
    check_failures: deque[IntegrationError] = field(default_factory=deque)
    wanted: tuple[TicketField, ...] = ()
    unlisted: tuple[TicketField, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)

    def create(
        self,
        *,
        idempotency_key: str,
        title: str,
        body: str,
        severity: str,
        answers: Mapping[str, str] = MappingProxyType({}),
    ) -> Ticket:
        if self.failures:
            raise self.failures.popleft()
        missing = [one for one in (*self.wanted, *self.unlisted) if not answers.get(one.name)]
        if missing:
            labels = tuple(one.label for one in missing)
            text = f"the project SHOP wants {', '.join(labels)} filled in"
            raise FieldsRequiredError("Jira", text, labels, keys=tuple(one.name for one in missing))
        self.answers = dict(answers)
        self.made.setdefault(idempotency_key, title)
        return self.ticket

    def check(self) -> str:
        return "a fake tracker"

    def check_creating(self) -> tuple[str, ...]:
        if self.check_failures:
            raise self.check_failures.popleft()
        return tuple(one.label for one in self.wanted)

    def fields_to_ask(self, also: Collection[str] = ()) -> tuple[TicketField, ...]:
        if self.check_failures:
            raise self.check_failures.popleft()
        return (*self.wanted, *(one for one in self.unlisted if one.name in also))


@dataclass
class FakeEscalation:
    """An escalation channel that records the posted cards. `failures` are raised by the next posts, in order."""

    cards: list[Card] = field(default_factory=list)
    failures: deque[IntegrationError] = field(default_factory=deque)

    def escalate(self, card: Card) -> None:
        if self.failures:
            raise self.failures.popleft()
        self.cards.append(card)

    def check(self) -> str:
        return "a fake webhook"
