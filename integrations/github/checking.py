"""Ask GitHub whether a repository can be read and written with our token."""

from __future__ import annotations

from github.Repository import Repository

from integrations.errors import AuthenticationError, RejectedError, RetryableError
from integrations.github.errors import SYSTEM


def check_writable(repository: Repository) -> str:
    """Return the repository's name and default branch. Raises if no pull request could be opened and merged there."""
    name = repository.full_name
    if not name or not repository.default_branch:
        raise RetryableError(SYSTEM, "the answer was not GitHub's")
    if repository.archived:
        raise RejectedError(SYSTEM, f"{name} is archived: nothing can be merged there")
    permissions = repository.permissions
    if permissions is not None and not permissions.push:
        raise AuthenticationError(
            SYSTEM, f"the token may read {name} but not write to it: give it contents and pull requests, read and write"
        )
    return f"{name} ({repository.default_branch})"
