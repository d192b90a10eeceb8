"""What can go wrong in the background.

WorkerError
├── NotConfiguredError   a setting is missing; its text names it and may be shown to a user
├── BrokerAwayError      the broker does not answer; what was to be sent was not sent
├── BrokerStartError     the embedded broker did not come up; its text says how to mend it
├── NotYetError          it is another job's turn; put off a moment, which counts as no failure
└── RefusedError         a person's click is not allowed or no longer fits; its text is shown to them
"""

from __future__ import annotations


class WorkerError(Exception):
    """Base of all that goes wrong in this package."""


class NotConfiguredError(WorkerError):
    """A setting is missing; the message names it."""


class BrokerAwayError(WorkerError):
    """The broker does not answer; what was to be sent was not sent."""


class BrokerStartError(WorkerError):
    """The embedded broker did not come up."""


class NotYetError(WorkerError):
    """It is another job's turn: this one comes again `after_seconds`, however often that takes."""

    def __init__(self, message: str, *, after_seconds: float = 0.5) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class RefusedError(WorkerError):
    """A person's click is not allowed, or no longer fits what is there."""
