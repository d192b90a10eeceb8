"""What can go wrong with an outside system.

IntegrationError
├── RetryableError        try again later; `retry_after_seconds` where the system said when
└── PermanentError        trying again cannot help
    ├── AuthenticationError   the token or key was refused
    ├── NotFoundError         the thing named is not there
    ├── RejectedError         the request was understood and refused (bad blocks, a closed ticket)
    ├── StaleHeadError        a pull request's head moved since it was approved
    └── ConflictError         a revert or merge does not apply cleanly

The text of every one of them may be shown to a user: it never holds a secret.
"""

from __future__ import annotations


class IntegrationError(Exception):
    """Base of all that an outside system can do to us; `system` is its name, such as "Slack"."""

    def __init__(self, system: str, message: str) -> None:
        super().__init__(f"{system}: {message}")
        self.system = system


class RetryableError(IntegrationError):
    """A fault that passes: 429, 5xx, a time-out, a refused connection."""

    def __init__(self, system: str, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(system, message)
        self.retry_after_seconds = retry_after_seconds


class PermanentError(IntegrationError):
    """A fault that stays until a person changes something."""


class AuthenticationError(PermanentError):
    """The token or key was refused."""


class NotFoundError(PermanentError):
    """The repository, channel, project or user named is not there."""


class RejectedError(PermanentError):
    """The request was understood and refused."""


class StaleHeadError(PermanentError):
    """The pull request's head moved since it was approved."""


class ConflictError(PermanentError):
    """A revert or merge does not apply cleanly; `paths` names the files."""

    def __init__(self, system: str, message: str, paths: tuple[str, ...] = ()) -> None:
        super().__init__(system, message)
        self.paths = paths
