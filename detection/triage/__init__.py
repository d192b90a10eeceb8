"""Who is woken: whether a firing alert is told now, waits for the digest, or is only recorded, and why."""

from detection.triage.alike import family
from detection.triage.judge import triage
from detection.triage.limits import numbers_named
from detection.triage.words import (
    Context,
    Decision,
    Firing,
    Judgement,
    KnownLimit,
    LogPattern,
    OpenIncident,
    PastWords,
    QuietWindow,
    RecentChange,
    Weight,
)

__all__ = [
    "Context",
    "Decision",
    "Firing",
    "Judgement",
    "KnownLimit",
    "LogPattern",
    "OpenIncident",
    "PastWords",
    "QuietWindow",
    "RecentChange",
    "Weight",
    "family",
    "numbers_named",
    "triage",
]
