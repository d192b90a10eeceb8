"""The time at the start of a BSD syslog message, in the forms that real senders write.

RFC 3164 knows only `Nov 29 20:40:00`. rsyslog, Go and syslog-ng also write ISO 8601; Cisco and others add years,
fractions and names of zones, or write for how long the device has been up.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"

_ZONES = (
    "UTC|GMT|CES?T|MES?T|EES?T|WES?T|BST|IST|MSK|SAST|EAT|WAT|[AECMP][SD]T|AK[SD]T|HST|AE[SD]T|AC[SD]T|AWST|NZ[SD]T"
    "|JST|KST|SGT|HKT|PHT|WIB|PKT|BRT|ART|CLT|COT"
)

TIME = rf"""
(?:
    (?P<iso>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)
  | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ +)?
    (?:(?P<year>\d{{4}})\ +)?
    (?i:(?P<month>{_MONTHS}))\ +(?P<day>\d{{1,2}})\ +(?:(?P<year_after_day>\d{{4}})\ +)?
    (?P<clock>\d\d:\d\d:\d\d)(?:[.,]\d+)?
    (?:\ (?P<year_at_end>\d{{4}})(?=:?\s))?
  | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ +)?\d{{1,2}}[\ -](?i:{_MONTHS})[\ -]\d{{4}}\ \d\d:\d\d:\d\d(?:[.,]\d+)?
  | (?:\d{{4}}/\d\d/\d\d[\ T]|\d\d/\d\d/\d{{4}}[\ :])\d\d:\d\d:\d\d(?:[.,]\d+)?
  | (?P<uptime>(?:\d+[ywdh]){{1,4}}|\d\d:\d\d:\d\d)(?=:\s)
)
(?P<zone>\ ?(?:Z\b|[+-]\d\d:?\d\d)|\ [A-Z]{{2,5}}(?=\s?:\s)|\ (?:{_ZONES})(?=\s))?(?:\ 20\d\d(?=:?\s))?
"""
"""A verbose regular expression. The zone is a number, Z, a name before a colon, or one that no host would have."""

_UNIVERSAL = frozenset({"Z", "UTC", "GMT"})
_NEAR_SECONDS = 200 * 86_400.0


def time_said(found: dict[str, str | None], *, now: float) -> float | None:
    """Return the time that TIME matched, if it is plausible and says its zone, else None.

    Without a zone the time of arrival is better: the device's zone is not known, and syslog comes at once.
    """
    zone = (found["zone"] or "").strip()
    if found["iso"]:
        text = found["iso"].replace(",", ".") + ("Z" if zone in _UNIVERSAL else zone)
        return plausible(text, now=now) if zone in _UNIVERSAL or zone[:1] in ("+", "-") else None
    if zone not in _UNIVERSAL or not found["clock"]:
        return None
    said = found["year"] or found["year_after_day"] or found["year_at_end"]
    this_year = datetime.fromtimestamp(now, UTC).year
    years = [int(said)] if said else [this_year, this_year - 1, this_year + 1]
    month = _MONTHS.index((found["month"] or "").title()) // 4 + 1
    texts = [f"{year}-{month:02}-{int(found['day'] or 0):02}T{found['clock']}Z" for year in years]
    times = [time for text in texts if (time := plausible(text, now=now)) is not None]
    return next((time for time in times if said or abs(time - now) < _NEAR_SECONDS), None)


def plausible(text: str, *, now: float) -> float | None:
    """Return an ISO 8601 time in seconds, or None if it is none or lies where no message can come from."""
    try:
        return parse_time(text, now=now, field="time")
    except FieldError:
        return None
