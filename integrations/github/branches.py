"""The branch that holds a revert. It is created last and complete, and recognised by its content, not just its name."""

from __future__ import annotations

from itertools import islice

from github import GithubException, InputGitTreeElement
from github.GitCommit import GitCommit
from github.Repository import Repository

from integrations.errors import ConflictError, NotFoundError, RejectedError
from integrations.github import revert
from integrations.github.errors import SYSTEM
from integrations.github.objects import Entry, GitObjects

HISTORY_SEARCHED = 2_500


def revert_branch(repository: Repository, commit_shas: tuple[str, ...], branch: str, body: str) -> str:
    """Return the head of the branch that reverts these commits. Create the branch if it is missing.

    Raises ConflictError if the branch holds anything but the revert.
    """
    head_sha = _branch_head(repository, branch)
    if head_sha is None:
        made = _push_revert(repository, commit_shas, branch, body)
        if made is not None:
            return made
        head_sha = _branch_head(repository, branch)
    if head_sha is None or not _is_revert(repository, head_sha, commit_shas):
        raise changed_branch_error(branch)
    return head_sha


def changed_branch_error(branch: str) -> ConflictError:
    """Return the error for a branch that holds something other than the revert."""
    return ConflictError(
        SYSTEM,
        f"somebody has changed the branch {branch}: it holds something other than the revert. "
        "Look at it, and merge it by hand if it is right; or delete it to have the revert made anew",
    )


def _branch_head(repository: Repository, branch: str) -> str | None:
    found = repository.get_git_matching_refs(f"heads/{branch}")
    return next((ref.object.sha for ref in found if ref.ref == f"refs/heads/{branch}"), None)


def _push_revert(repository: Repository, commit_shas: tuple[str, ...], branch: str, body: str) -> str | None:
    """Commit the revert on the default branch's head as `branch`. Return None if that name was taken meanwhile."""
    head = repository.get_git_commit(repository.get_branch(repository.default_branch).commit.sha)
    commits = _commits(repository, head.sha, commit_shas)
    changed = revert.undo_commits(GitObjects(repository), head.tree.sha, [_trees(repository, item) for item in commits])
    if not changed:
        raise RejectedError(SYSTEM, f"{repository.default_branch} holds nothing of these commits any more")
    tree = repository.create_git_tree([_tree_element(path, entry) for path, entry in changed.items()], head.tree)
    text = revert.commit_message([(item.sha, item.message) for item in commits], body)
    made = repository.create_git_commit(text, tree, [head])
    try:
        repository.create_git_ref(f"refs/heads/{branch}", made.sha)
    except GithubException as error:
        if error.status == 422 and _branch_head(repository, branch) is not None:
            return None
        raise
    return made.sha


def _is_revert(repository: Repository, head_sha: str, commit_shas: tuple[str, ...]) -> bool:
    """Whether the head is one commit on top of the default branch, with the revert's message and the revert's tree.

    Only the start of the message is compared, because the evidence at its end differs between diagnoses.
    """
    made = repository.get_git_commit(head_sha)
    if len(made.parents) != 1:
        return False
    base = repository.get_git_commit(made.parents[0].sha)
    if repository.compare(repository.default_branch, base.sha).status not in ("identical", "behind"):
        return False
    objects = GitObjects(repository)
    try:
        commits = _commits(repository, base.sha, commit_shas)
        wanted = revert.undo_commits(objects, base.tree.sha, [_trees(repository, item) for item in commits])
    except (ConflictError, NotFoundError):
        return False
    words = revert.commit_message([(item.sha, item.message) for item in commits], "").strip()
    holds = {change.path: change.after for change in objects.changes(base.tree.sha, made.tree.sha)}
    return made.message.startswith(words) and holds == wanted


def _commits(repository: Repository, head_sha: str, commit_shas: tuple[str, ...]) -> list[GitCommit]:
    """Return the commits in the order in which they must be reverted: newest first in the history of `head_sha`."""
    missing = set(commit_shas)
    if not missing:
        raise RejectedError(SYSTEM, "there is no commit to revert")
    ordered: list[str] = []
    for item in islice(repository.get_commits(sha=head_sha), HISTORY_SEARCHED):
        if item.sha in missing:
            ordered.append(item.sha)
            missing.discard(item.sha)
        if not missing:
            return [repository.get_git_commit(sha) for sha in ordered]
    raise NotFoundError(SYSTEM, f"{', '.join(sorted(missing))} is not on {repository.default_branch}")


def _trees(repository: Repository, commit: GitCommit) -> tuple[str, str]:
    """Return the trees before and after a commit. A merge is reverted against its first parent (the target branch)."""
    if not commit.parents:
        raise RejectedError(SYSTEM, f"{commit.sha} is the first commit: there is nothing to go back to")
    return repository.get_git_commit(commit.parents[0].sha).tree.sha, commit.tree.sha


def _tree_element(path: str, entry: Entry | None) -> InputGitTreeElement:
    if entry is None:
        return InputGitTreeElement(path, "100644", "blob", sha=None)
    return InputGitTreeElement(path, entry.mode, entry.kind, sha=entry.sha)
