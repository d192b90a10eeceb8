"""Say when a log line happened, by the time that it begins with.

Most of these times name no zone, and some no year.
"""

from __future__ import annotations

import re
from datetime import datetime

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import Zoneless, as_utc, check_time
from integrations.inbound.reading.written_times.reading import at_start

AHEAD_SECONDS = 60.0
"""A time without a zone that lies further in the future than this is not in UTC: its zone is east of it."""

_READ_AS_UTC = re.compile(r"\[?\d{4}-")
"""The lines whose time is taken for UTC where nothing is known of the zone."""


def leading_time(line: str, *, now: float, zoneless: Zoneless | None = None) -> float:
    """Return the time that the line begins with, or `now` without one or where it is not plausible.

    zoneless: what a time without a zone means. Where that is not known, only times of the form of ISO 8601 are taken,
    as UTC, unless that lies in the future.
    """
    written = written_time(line, now=now)
    if written is None:
        return now
    try:
        if written.tzinfo is not None:
            return check_time(written.timestamp(), now=now, field="line")
        if zoneless is not None:
            return check_time(zoneless(written), now=now, field="line")
        return check_time(arriving(now)(written), now=now, field="line") if _READ_AS_UTC.match(line) else now
    except (FieldError, OverflowError):
        return now


def arriving(now: float) -> Zoneless:
    """Return the rule for times without a zone that came over the network: UTC, but `now` instead of the future."""

    def moment(written: datetime) -> float:
        seconds = as_utc(written)
        return now if seconds > now + AHEAD_SECONDS else seconds

    return moment


def written_time(line: str, *, now: float) -> datetime | None:
    """Return the time as it is written, with its zone if it has one. A missing year is the one nearest before `now`."""
    return at_start(line, now=now)
