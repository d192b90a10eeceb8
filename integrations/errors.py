"""The errors that an outside system can cause.

IntegrationError
├── RetryableError        try again later; `retry_after_seconds` is set if the system sent it
│   ├── RateLimitedError      it asks to wait; that is no failure
│   ├── WaitingError          it was understood and is not possible yet; `waits_for` says what for
│   └── PictureNotReadyError  the system has not processed the uploaded picture; the rest of the message is fine
└── PermanentError        a retry cannot help
    ├── AuthenticationError   the token or key was refused
    ├── NotFoundError         the named object does not exist
    │   ├── ChannelRefusedError   we may not write in the channel until a person changes something there
    │   └── MessageGoneError      the message to edit or to answer was deleted
    ├── RejectedError         the request was understood and refused (bad blocks, a closed ticket)
    │   ├── FieldsRequiredError   the tracker wants fields that only a person can fill; `fields` names them
    │   ├── ContentRefusedError   the message's content was refused; a plainer one may be taken
    │   ├── NotEditableError      the message stands, but may not be edited
    │   └── ThreadRefusedError    the message stands, but may not be answered in a thread
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


class WaitingError(RetryableError):
    """What was asked is not possible yet, and will be by itself or once a person has acted.

    waits_for: what has to happen first, such as "the check “test” to end". is_under_way: the system has taken the
    request on, and may carry it out without being asked again, as a merge queue does.
    """

    def __init__(self, system: str, waits_for: str, *, is_under_way: bool = False) -> None:
        super().__init__(system, f"waiting for {waits_for}")
        self.waits_for = waits_for
        self.is_under_way = is_under_way


class PictureNotReadyError(RetryableError):
    """The uploaded picture cannot be shown yet, or not at all; the rest of the message is fine."""


class PermanentError(IntegrationError):
    """A failure that lasts until a person changes something."""


class AuthenticationError(PermanentError):
    """The token or key was refused."""


class NotFoundError(PermanentError):
    """The named repository, channel, project or user does not exist."""


class RejectedError(PermanentError):
    """The request was understood and refused."""


class FieldsRequiredError(RejectedError):
    """The tracker wants fields filled that have neither a default nor one only value.

    fields: their names. keys: the tracker's own ids of them.
    """

    def __init__(self, system: str, message: str, fields: tuple[str, ...], *, keys: tuple[str, ...] = ()) -> None:
        super().__init__(system, message)
        self.fields = fields
        self.keys = keys


class ChannelRefusedError(NotFoundError):
    """We may not write in the channel until a person changes something; the text says what."""


class MessageGoneError(NotFoundError):
    """The message to edit or to answer was deleted."""


class ContentRefusedError(RejectedError):
    """The message's content was refused; a plainer one may be taken."""


class NotEditableError(RejectedError):
    """The message stands, but may not be edited."""


class ThreadRefusedError(RejectedError):
    """The message stands, but may not be answered in a thread."""


class StaleHeadError(PermanentError):
    """The pull request's head moved since it was approved."""


class ConflictError(PermanentError):
    """A revert or merge does not apply cleanly; `paths` names the files."""

    def __init__(self, system: str, message: str, paths: tuple[str, ...] = ()) -> None:
        super().__init__(system, message)
        self.paths = paths
