"""The errors that an outside system can cause.

IntegrationError
├── RetryableError        try again later; `retry_after_seconds` is set if the system sent it
│   └── RateLimitedError      it asks to wait; that is no failure
└── PermanentError        a retry cannot help
    ├── AuthenticationError   the token or key was refused
    ├── NotFoundError         the named object does not exist
    ├── RejectedError         the request was understood and refused (bad blocks, a closed ticket)
    ├── StaleHeadError        a pull request's head moved since it was approved
    └── ConflictError         a revert or merge does not apply cleanly

The text of each error may be shown to a user, so it never contains a secret.
"""

from __future__ import annotations


class IntegrationError(Exception):
    """Base class of all errors of outside systems. `system` is the system's name, such as "Slack"."""

    def __init__(self, system: str, message: str) -> None:
        super().__init__(f"{system}: {message}")
        self.system = system


class RetryableError(IntegrationError):
    """A temporary failure: 429, 5xx, a timeout, a refused connection."""

    def __init__(self, system: str, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(system, message)
        self.retry_after_seconds = retry_after_seconds


class RateLimitedError(RetryableError):
    """The system works, and asks to wait: so many calls are not allowed."""


class PermanentError(IntegrationError):
    """A failure that lasts until a person changes something."""


class AuthenticationError(PermanentError):
    """The token or key was refused."""


class NotFoundError(PermanentError):
    """The named repository, channel, project or user does not exist."""


class RejectedError(PermanentError):
    """The request was understood and refused."""


class StaleHeadError(PermanentError):
    """The pull request's head moved since it was approved."""


class ConflictError(PermanentError):
    """A revert or merge does not apply cleanly; `paths` names the files."""

    def __init__(self, system: str, message: str, paths: tuple[str, ...] = ()) -> None:
        super().__init__(system, message)
        self.paths = paths
