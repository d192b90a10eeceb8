"""Time zones as they are written behind a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from detection.types import Floats

_OFFSET = re.compile(
    r"(?:UTC|GMT|UT|Z)?\s*([+-])(?:(\d{2}):?(\d{2})(?::?\d{2})?|(\d{1,2})(?::(\d{2}))?)", re.IGNORECASE
)
_NAME_BEHIND_OFFSET = re.compile(r"(?<=\d)\s*(?:[(\[].*[)\]]|[A-Z]{2,5}(?:\s+m=[+-][\d.]+)?)\Z")
"""Such as `(CEST)`, `[Europe/Berlin]`, and what Go writes behind an offset: ` CEST m=+0.11`."""

_ABBREVIATED_HOURS = {
    "Z": 0.0,
    "UTC": 0.0,
    "GMT": 0.0,
    "UT": 0.0,
    "WET": 0.0,
    "WEST": 1.0,
    "CET": 1.0,
    "CEST": 2.0,
    "MEZ": 1.0,
    "MESZ": 2.0,
    "EET": 2.0,
    "EEST": 3.0,
    "MSK": 3.0,
    "EST": -5.0,
    "EDT": -4.0,
    "CDT": -5.0,
    "MST": -7.0,
    "MDT": -6.0,
    "PST": -8.0,
    "PDT": -7.0,
    "AKST": -9.0,
    "AKDT": -8.0,
    "HST": -10.0,
    "BRT": -3.0,
    "ART": -3.0,
    "JST": 9.0,
    "KST": 9.0,
    "SGT": 8.0,
    "HKT": 8.0,
    "AEST": 10.0,
    "AEDT": 11.0,
    "AWST": 8.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    "SAST": 2.0,
    "WIB": 7.0,
}
SEVERAL_MEANINGS = frozenset({"IST", "BST", "CST", "AST", "ADT", "GST", "PKT", "ECT", "AMT", "SST", "WST"})
"""Abbreviations that name several zones: IST is that of India, Israel and Ireland."""


@lru_cache(maxsize=256)
def zone_of(text: str) -> tzinfo | None:
    """Return the zone that is written behind a time, such as `Z`, `+0200`, `UTC+2`, `CEST`, `Europe/Berlin`; or None.

    Offsets are as in ISO 8601: `UTC+2` is two hours ahead of UTC.
    """
    text = _NAME_BEHIND_OFFSET.sub("", text.strip()).strip("()[] ").replace("\u2212", "-")
    hours = _ABBREVIATED_HOURS.get(text.upper())
    if hours is not None:
        return UTC if not hours else timezone(timedelta(hours=hours))
    offset = _OFFSET.fullmatch(text)
    if offset:
        minutes = int(offset[2] or offset[4]) * 60 + int(offset[3] or offset[5] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 24 * 60 else None
    return named_zone(text)


@lru_cache(maxsize=256)
def named_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name such as `Europe/Berlin`, or None."""
    if "/" not in name and name not in ("UTC", "GMT"):
        return None
    try:
        return ZoneInfo(name.replace(" ", "_"))
    except (OSError, ValueError, KeyError):
        return None


def seconds_from_local(local: Floats, zone: tzinfo) -> Floats:
    """Return seconds UTC of local times of one series. local: (n,) as if they were UTC, in the order of the file.

    In the hour that a clock shows twice, what comes first in time is taken to come first in the file, or last in a file
    with the newest first.
    """
    newest_first = len(local) > 1 and local[-1] < local[0]
    seen: set[float] = set()
    seconds = np.empty(len(local))
    places = range(len(local) - 1, -1, -1) if newest_first else range(len(local))
    for place in places:
        value = float(local[place])
        moment = (_EPOCH + timedelta(seconds=value)).replace(tzinfo=zone)
        seconds[place] = moment.replace(fold=int(value in seen)).timestamp()
        seen.add(value)
    return seconds


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time has no zone
