"""What can go wrong in the store.

StorageError
├── NotFoundError              the row asked for is not there
├── NameTakenError             a name that must be unique is in use
├── InvalidTransitionError     the incident cannot go from its status to that one
├── NotApprovedError           a proposal is not (or no longer) approved
├── DecisionRefusedError       an approval that does not count:
│   ├── AlreadyDecidedError       somebody decided before; `decided_by`, `decided_at`
│   ├── ExpiredError              the proposal is too old
│   └── ContentChangedError       what was shown is not what would be done now
└── DatabaseUnavailableError   unreachable, or its schema is not the one this version needs

All but DatabaseUnavailableError are permanent; that one may pass. The text of every one of them may be shown to a
user: it holds no secret and no address.
"""

from __future__ import annotations

from datetime import datetime

from detection.types import IncidentStatus


class StorageError(Exception):
    """Base of everything the store refuses."""


class NotFoundError(StorageError):
    """The row asked for is not there."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}.")


class NameTakenError(StorageError):
    """A name that must be unique is in use."""


class InvalidTransitionError(StorageError):
    """The incident cannot go from `current` to `wanted`."""

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
    """An approval that does not count."""


class AlreadyDecidedError(DecisionRefusedError):
    """Somebody decided before: an approval is used once."""

    def __init__(self, decided_by: str, decided_at: datetime) -> None:
        super().__init__(f"{decided_by} already approved this at {decided_at:%H:%M} UTC.")
        self.decided_by = decided_by
        self.decided_at = decided_at


class ExpiredError(DecisionRefusedError):
    """The proposal is too old to be approved."""


class ContentChangedError(DecisionRefusedError):
    """What the person saw is not what would be done now."""


class DatabaseUnavailableError(StorageError):
    """The database cannot be reached, or its schema is not the one this version needs."""


def _in_words(status: IncidentStatus) -> str:
    return status.value.replace("_", " ")
