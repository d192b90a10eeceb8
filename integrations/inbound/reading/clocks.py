"""Correct the times of a sender whose clock is wrong.

Many senders say at what time of their own clock they sent a request (`sent_at` and the like). What happened some
seconds before that happened as many seconds before the request arrived, whatever their clock says. PostHog, Segment,
Amplitude and Sentry correct times in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from integrations.inbound.reading.line_times import arriving
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import EARLIEST, check_time, parse_seconds

AHEAD_SECONDS = 2.0
"""A clock that is ahead by more than this is corrected: nothing arrives before it is sent."""

BEHIND_SECONDS = 60.0
"""A clock that is behind by more than this is corrected; less may be the time that the request took."""

SENT_BEFORE_SECONDS = 60.0
"""A record may be this much later than the time of sending. If it is later still, the two are of different clocks."""


@dataclass(frozen=True, slots=True)
class SenderClock:
    """The clock of one request's sender. sent_at: its time of sending, None if it is not known; now: of arrival."""

    now: float
    sent_at: float | None = None

    def corrected(self, value: object, *, field: str) -> float:
        """Parse a time of this clock and correct it. Raises FieldError if it is no time or not plausible.

        A time without a zone is UTC, unless that lies in the future: then it happened when it arrived.
        """
        seconds = parse_seconds(value, now=self.now, field=field)
        age = None if self.sent_at is None else self.sent_at - seconds
        if age is not None and age >= -SENT_BEFORE_SECONDS and self._is_wrong():
            seconds = self.now - max(age, 0.0)
        elif seconds > self.now and not isinstance(value, int | float):
            seconds = parse_seconds(value, now=self.now, field=field, zoneless=arriving(self.now))
        return check_time(seconds, now=self.now, field=field)

    def _is_wrong(self) -> bool:
        return self.sent_at is not None and not -BEHIND_SECONDS <= self.sent_at - self.now <= AHEAD_SECONDS


def is_unset(value: object) -> bool:
    """Whether a sender left the time out, or wrote what its language has for none: null, an empty text, 0."""
    return value is None or value == "" or value == 0


def clock_of(*sent_at: object, now: float) -> SenderClock:
    """Return the clock by the first of these times of sending that is one: ISO 8601, a number, or digits as text.

    A time before the year 2000 counts where there is no other: it is of a device that does not know the date.
    """
    found = [moment for value in sent_at if value is not None and (moment := _moment(value, now)) is not None]
    return SenderClock(now, next((moment for moment in found if moment >= EARLIEST), next(iter(found), None)))


def moment_ago(milliseconds: object, *, now: float) -> float | None:
    """Return the moment this many milliseconds before `now`; None if that is no number, or before the year 2000."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not milliseconds <= (now - EARLIEST) * 1000:
        return None
    return now - max(milliseconds, 0) / 1000


def _moment(value: object, now: float) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:25])
    try:
        found = parse_seconds(value, now=now, field="sent_at")
    except FieldError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
