"""Who is woken: whether a firing alert is told now, waits for the digest, or is only recorded, and why."""

from detection.triage.judge import triage
from detection.triage.words import (
    Context,
    Decision,
    Firing,
    Judgement,
    KnownLimit,
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
    "OpenIncident",
    "PastWords",
    "QuietWindow",
    "RecentChange",
    "Weight",
    "triage",
]
