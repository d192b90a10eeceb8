"""The last moment of validity that texts name: of a certificate, a token, a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from workers.diagnosis.scene.model import Observed

NEAR_SECONDS = 600.0
_NOT_AFTER = re.compile(
    r"(?:not.?after|valid.?(?:until|to)|expires?(?:.?at|.?on)?)[\"'=:\s]+"
    r"(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)Z?",
    re.IGNORECASE,
)


def ended_at_the_onset(texts: Iterable[str], observed: Observed) -> float | None:
    """Return the moment, seconds UTC, until which one of the texts says that something is valid, if it began then."""
    found = {at for text in texts for match in _NOT_AFTER.finditer(text) if (at := _seconds(match["at"])) is not None}
    return next((at for at in sorted(found) if is_near_the_onset(at, observed)), None)


def is_near_the_onset(at: float, observed: Observed) -> bool:
    """Whether a moment is within minutes of the onset."""
    earliest, latest = observed.onset
    return earliest - NEAR_SECONDS <= at <= latest + NEAR_SECONDS


def _seconds(written: str) -> float | None:
    try:
        return datetime.fromisoformat(written.replace(" ", "T")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
