"""The last moment of validity that texts name: of a certificate, a token, a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from workers.diagnosis.scene.model import Observed

NEAR_SECONDS = 600.0
_NOT_AFTER = re.compile(
    r"(?:not.?after|valid.?(?:until|to)|expires?(?:.?at|.?on)?)[\"'=:\s]+"
    r"(?:(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)Z?|"
    r"(?:[a-z]{3},? )?(?P<month>[a-z]{3}) +(?P<day>\d\d?) (?P<clock>\d\d:\d\d:\d\d) (?:UTC |GMT )?(?P<year>\d{4}))",
    re.IGNORECASE,
)
"""The last moment in the form of ISO 8601, or as OpenSSL and Java write it: "Dec 31 23:59:59 2026 GMT"."""


def ended_at_the_onset(texts: Iterable[str], observed: Observed) -> float | None:
    """Return the moment, seconds UTC, until which one of the texts says that something is valid, if it began then."""
    found = {at for text in texts for match in _NOT_AFTER.finditer(text) if (at := _seconds(match)) is not None}
    return next((at for at in sorted(found) if is_near_the_onset(at, observed)), None)


def is_near_the_onset(at: float, observed: Observed) -> bool:
    """Whether a moment is within minutes of the onset."""
    earliest, latest = observed.onset
    return earliest - NEAR_SECONDS <= at <= latest + NEAR_SECONDS


def _seconds(match: re.Match[str]) -> float | None:
    try:
        if match["at"]:
            return datetime.fromisoformat(match["at"].replace(" ", "T")).replace(tzinfo=UTC).timestamp()
        words = " ".join(match[name] for name in ("month", "day", "clock", "year"))
        return datetime.strptime(words, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
