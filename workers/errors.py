"""Errors raised by background work.

WorkerError
├── NotConfiguredError   a setting is missing; its text names it and may be shown to a user
├── BrokerAwayError      the broker does not answer; the message was not sent
├── BrokerStartError     the embedded broker did not start; its text says how to fix it
├── NotYetError          the job must wait for another one; it is postponed, which is not counted as a failure
└── RefusedError         a person's click is not allowed or no longer applies; its text is shown to that person
    └── NotAllowedError     this person may not do that
"""

from __future__ import annotations

from integrations.text import Markup, theirs


class WorkerError(Exception):
    """Base of all errors of this package."""


class NotConfiguredError(WorkerError):
    """A setting is missing; the message names it."""


class BrokerAwayError(WorkerError):
    """The broker does not answer; the message was not sent."""


class BrokerStartError(WorkerError):
    """The embedded broker did not start."""


class NotYetError(WorkerError):
    """The job must wait for another one. It is retried after `after_seconds`, without a limit on retries."""

    def __init__(self, message: str, *, after_seconds: float = 0.5) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class RefusedError(WorkerError):
    """A person's click is not allowed, or no longer applies to the current state."""


class NotAllowedError(RefusedError):
    """This person may not do that: a guest, a stranger, a bot, or nobody's approver."""


def told(error: Exception) -> Markup:
    """Return an error's text for a message to people: as it is if it was raised with text of ours, else as theirs."""
    text = _own_text(error)
    return theirs(str(error)) if text is None else text


def told_plainly(error: Exception) -> str:
    """Return an error's text for the API, a terminal or a record: without the marks of text of ours."""
    # Imported here, because it loads numpy, which the supervisor does without.
    from integrations.wording import plain

    text = _own_text(error)
    return str(error) if text is None else plain(text)


def _own_text(error: Exception) -> Markup | None:
    text = error.args[0] if len(error.args) == 1 else None
    return text if isinstance(text, Markup) else None
