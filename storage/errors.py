"""The errors of the store.

StorageError
├── NotFoundError              the requested row does not exist
├── UnreadableError            a row holds what cannot be read
├── NameTakenError             a name that must be unique is in use
├── InvalidTransitionError     the incident cannot change from its status to that one
├── NotApprovedError           a proposal is not (or no longer) approved
├── DecisionRefusedError       an approval was refused:
│   ├── AlreadyDecidedError       it was decided before; `decided_by`, `decided_at`
│   ├── ExpiredError              the proposal is too old
│   └── ContentChangedError       what would be done now is not what was shown
└── DatabaseUnavailableError   unreachable, or its schema is not the one this version needs

DatabaseUnavailableError is temporary: retrying may help. All others are permanent. The text of every error may be shown
to a user: it contains no secret and no address.
"""

from __future__ import annotations

from datetime import datetime

from detection.types import IncidentStatus


class StorageError(Exception):
    """Base class of the store's errors."""


class NotFoundError(StorageError):
    """The requested row does not exist."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}.")


class UnreadableError(StorageError):
    """A row holds what cannot be read; `reason` says what is wrong with it."""

    def __init__(self, table: str, key: str, reason: str) -> None:
        super().__init__(f"correct or delete the row {key} of the table {table}: {reason}")


class NameTakenError(StorageError):
    """A name that must be unique is in use."""


class InvalidTransitionError(StorageError):
    """The incident cannot change from status `current` to `wanted`."""

    def __init__(self, current: IncidentStatus, wanted: IncidentStatus) -> None:
        words = (_in_words(current), _in_words(wanted))
        super().__init__(
            f"This incident is already {words[0]}."
            if current == wanted
            else f"This incident is {words[0]}; it cannot become {words[1]}."
        )
        self.current = current
        self.wanted = wanted


class NotApprovedError(StorageError):
    """A proposal is not (or no longer) approved."""


class DecisionRefusedError(StorageError):
    """An approval was refused."""


class AlreadyDecidedError(DecisionRefusedError):
    """The proposal was decided before: it can be approved only once."""

    def __init__(self, decided_by: str, decided_at: datetime) -> None:
        super().__init__(f"{decided_by} already approved this at {decided_at:%H:%M} UTC.")
        self.decided_by = decided_by
        self.decided_at = decided_at


class ExpiredError(DecisionRefusedError):
    """The proposal is too old to be approved."""


class ContentChangedError(DecisionRefusedError):
    """What would be done now is not what the person saw."""


class DatabaseUnavailableError(StorageError):
    """The database cannot be reached, or its schema is not the one this version needs."""


def _in_words(status: IncidentStatus) -> str:
    return status.value.replace("_", " ")
