"""What a person who connects a sender should look at, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.reception.arrivals.door_words import door_words
from bot.reception.arrivals.glance import LATE_SECONDS
from bot.reception.arrivals.reading import Report
from workers.words.text import counted

AHEAD_SECONDS = 5.0
"""A clock that is ahead by less disturbs nothing."""

_HALF_HOUR = 1800.0
_NEAR_SECONDS = 90.0

REMEDIES: Mapping[str, str] = {
    "cut_short": "the sender gave up before it had sent everything: look at its timeout and at proxies on the way",
    "too_slow": "send smaller bodies, or look at proxies on the way",
    "too_large": "send less at once, or compress it",
    "busy": "the sender was asked to send it again; there is nothing to mend unless it goes on",
    "no_door": "docs/connecting.md has the address for each sender",
    "unavailable": "the sender was asked to send it again; `argux doctor` says whether the database is well",
}
"""How to mend a refusal whose own message does not say it, by its reason."""


def remedy(reason: str, message: str) -> str | None:
    """Return how to mend a refusal, or None where its message says it: an address tells which one is meant."""
    is_said = reason == "no_door" and (": " in message or "meant?" in message)
    return None if is_said else REMEDIES.get(reason)


def hints(report: Report) -> Sequence[str]:
    """Return the sentences about a report, the gravest first."""
    found = [_refused_only(report), _duplicates_only(report), _unnamed(report), _clock(report), _late(report)]
    return [hint for hint in found if hint]


def span_text(seconds: float) -> str:
    """Return how long something lasts: 0.4 s, 12 s, 7 min, 5 h, 5 h 30 min, 3 days."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes >= 3 * 1440:
        return f"{round(minutes / 1440):,} days"
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def offset_text(offset: float | None) -> str:
    """Return the clock offset in words, such as "0.4 s" or "12 s ahead"; "?" where it is not known."""
    if offset is None:
        return "?"
    return f"{span_text(-offset)} ahead" if offset < -0.05 else span_text(abs(offset))


def _refused_only(report: Report) -> str:
    return "Nothing of this was stored." if report.is_only_refused else ""


def _duplicates_only(report: Report) -> str:
    if report.records or not report.duplicates:
        return ""
    return "All of this was stored before. Is it new? Then each record needs an id or a time of its own."


def _unnamed(report: Report) -> str:
    if not report.unnamed:
        return ""
    records = f"{counted(report.unnamed, 'record')} {'names' if report.unnamed == 1 else 'name'} no service"
    naming = door_words(report.door).naming
    return f"{records}: {naming}." if naming else f"{records}."


def _clock(report: Report) -> str:
    offset = report.clock_offset_seconds
    if offset is None:
        return ""
    side = "ahead" if offset < 0 else "behind"
    zones = round(abs(offset) / _HALF_HOUR)
    if zones and abs(abs(offset) - zones * _HALF_HOUR) <= _NEAR_SECONDS:
        return (
            f"Its times are {span_text(zones * _HALF_HOUR)} {side}, as local times without their zone are: "
            "send UTC, or times with their zone."
        )
    if offset < -AHEAD_SECONDS:
        return f"Its clock is {span_text(-offset)} ahead: does NTP run there?"
    if offset >= LATE_SECONDS:
        return (
            f"Even the newest records are {span_text(offset)} old when they come. Is its clock behind, or does it send "
            "history or what had waited?"
        )
    return ""


def _late(report: Report) -> str:
    if not report.late:
        return ""
    came, whose = ("record came", "its") if report.late == 1 else ("records came", "their")
    since = span_text(LATE_SECONDS)
    return f"{report.late:,} {came} {since} late or later: kept, but {whose} time had been judged already."
