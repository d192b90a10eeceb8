"""Open, merge, edit, comment on and label pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.local.github import history, writing
from integrations.local.github.errors import GithubError, invalid
from integrations.local.github.history import Signature
from integrations.local.github.host import EMAIL, LOGIN, CommentRecord, Host, PullRecord

NOT_MERGEABLE = "Pull Request is not mergeable"


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """The options of a merge; `expected_head` None accepts any head."""

    method: str
    expected_head: str | None
    title: str
    message: str


def isoformat(seconds: float) -> str:
    """Format a time (seconds since the epoch) as GitHub does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bot_signature(host: Host) -> Signature:
    """Return the signature of the token's user with the current time."""
    return Signature(LOGIN, EMAIL, isoformat(host.clock()))


def open_pull(host: Host, repository: str, *, title: str, body: str, head: str, base: str) -> PullRecord:
    """Open a pull request.

    Raises GithubError 422 for an unknown branch, a second open one for the same branches, or nothing to merge.
    """
    git = host.git(repository)
    head = head.removeprefix(repository.partition("/")[0] + ":")
    head_sha = history.resolve(git, f"refs/heads/{head}")
    base_sha = history.resolve(git, f"refs/heads/{base}")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if head_sha is None:
        raise invalid("PullRequest", "head")
    with host.lock:
        if any(pull.state == "open" and (pull.head, pull.base) == (head, base) for pull in host.pulls(repository)):
            owner = repository.partition("/")[0]
            raise invalid("PullRequest", "head", "custom", f"A pull request already exists for {owner}:{head}.")
        if writing.is_ancestor(git, head_sha, base_sha):
            raise invalid("PullRequest", "head", "custom", f"No commits between {base} and {head}")
        now = host.clock()
        return host.save(
            PullRecord(
                repository=repository,
                number=host.next_number(repository),
                title=title,
                body=body,
                head=head,
                base=base,
                head_sha=head_sha,
                base_sha=base_sha,
                created_at=now,
                updated_at=now,
            )
        )


def mergeable(host: Host, pull: PullRecord) -> bool | None:
    """Return whether an open pull request would merge cleanly, or None if it is not open."""
    if pull.state != "open":
        return None
    return writing.merged_tree(host.git(pull.repository), pull.base_sha, pull.head_sha) is not None


def merge(host: Host, repository: str, number: int, request: MergeRequest) -> PullRecord:
    """Merge a pull request into its base branch.

    Raises GithubError 405 if it cannot be merged and 409 if its head is not the expected one.
    """
    git = host.git(repository)
    with host.lock:
        pull = host.pull(repository, number)
        if pull.state != "open":
            raise GithubError(405, NOT_MERGEABLE)
        if request.method not in ("merge", "squash"):
            raise GithubError(405, f"{request.method.capitalize()} merges are not allowed on this repository.")
        if request.expected_head is not None and request.expected_head != pull.head_sha:
            raise GithubError(409, "Head branch was modified. Review and try the merge again.")
        tree = writing.merged_tree(git, pull.base_sha, pull.head_sha)
        if tree is None:
            raise GithubError(405, NOT_MERGEABLE)
        who = bot_signature(host)
        parents = [pull.base_sha] if request.method == "squash" else [pull.base_sha, pull.head_sha]
        sha = writing.write_commit(git, tree, parents, _merge_message(pull, request), author=who, committer=who)
        if not writing.move_reference(git, f"refs/heads/{pull.base}", sha, pull.base_sha):
            raise GithubError(405, "Base branch was modified. Review and try the merge again.")
        now = host.clock()
        merged = {"state": "closed", "closed_at": now, "merged_at": now, "merge_commit_sha": sha}
        return host.save(pull.model_copy(update=merged))


def _merge_message(pull: PullRecord, request: MergeRequest) -> str:
    owner = pull.repository.partition("/")[0]
    if request.method == "squash":
        title, text = f"{pull.title} (#{pull.number})", pull.body
    else:
        title, text = f"Merge pull request #{pull.number} from {owner}/{pull.head}", pull.title
    return f"{request.title or title}\n\n{request.message or text}".rstrip("\n") + "\n"


def edit(
    host: Host, repository: str, number: int, *, title: str | None, body: str | None, state: str | None
) -> PullRecord:
    """Change the title or body of a pull request, close it or reopen it. Raises GithubError 422."""
    with host.lock:
        pull = host.pull(repository, number)
        update: dict[str, object] = {}
        if title is not None:
            update["title"] = title
        if body is not None:
            update["body"] = body
        if state is not None and state != pull.state:
            if state not in ("open", "closed") or pull.merged_at:
                raise invalid("PullRequest", "state")
            update |= {"state": state, "closed_at": host.clock() if state == "closed" else None}
        return host.save(pull.model_copy(update=update))


def comment(host: Host, repository: str, number: int, body: str) -> CommentRecord:
    """Add a comment to a pull request."""
    with host.lock:
        pull = host.pull(repository, number)
        added = CommentRecord(id=number * 1000 + len(pull.comments) + 1, body=body, created_at=host.clock())
        host.save(pull.model_copy(update={"comments": [*pull.comments, added]}))
        return added


def label(host: Host, repository: str, number: int, names: list[str]) -> PullRecord:
    """Add labels to a pull request."""
    with host.lock:
        pull = host.pull(repository, number)
        return host.save(pull.model_copy(update={"labels": list(dict.fromkeys([*pull.labels, *names]))}))
