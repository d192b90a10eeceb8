"""A resource of the chain is at its limit: connections, threads, memory, file handles, a disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detection.symptoms import Worse, metric_meaning, symptoms_of_text
from detection.symptoms.metric_names import split_words
from detection.types import Floats, SymptomKind
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines
from workers.diagnosis.causes.mechanisms.harm import mechanism, parts_of_harm
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import number, percent, quoted

CAUSE = "saturation"
FULL_AT = 0.95
BELOW = 0.9
"""What was above this share of its limit before the onset is full at all times, and that is its usual course."""

_WHAT = {
    SymptomKind.CONNECTIONS: "connections",
    SymptomKind.THREADS: "threads",
    SymptomKind.MEMORY: "memory",
    SymptomKind.FILE_HANDLES: "file handles",
    SymptomKind.DISK: "disk",
    SymptomKind.CPU: "CPU",
}
_PERCENT = frozenset(("pct", "percent", "percentage"))
_SHARE = frozenset(("ratio", "share", "fraction", "utilization", "utilisation", "saturation"))
_OF = re.compile(
    r"(?:connections?|conns?|pool\w*|threads?|workers?|active|used|in use|fds?|descriptors?|sessions?|slots?)\W{1,4}"
    r"(?P<used>\d{1,7})\s*(?:/|of)\s*(?P<limit>\d{1,7})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Full:
    """A resource of a part at its limit. share: 0 to 1 of the limit. told: the evidence in words."""

    part: str
    kind: SymptomKind
    share: float
    told: Markup
    source: str


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the fullest resource of each part of the chain that reached a limit since the onset."""
    found: dict[tuple[str, SymptomKind], list[_Full]] = {}
    for full in (*_measured(observed), *_said(observed)):
        found.setdefault((full.part, full.kind), []).append(full)
    for (part, kind), fulls in sorted(found.items(), key=lambda item: (item[0][0] != observed.chain.origin, item[0])):
        statement = ours("{part} has no {what} left.", part=quoted(part, 60), what=_WHAT[kind])
        hypothesis = mechanism(CAUSE, part, statement, which=kind)
        by_source = {full.source: full for full in sorted(fulls, key=lambda full: full.share)}
        checks = [
            evidence(f"full_by_{source}", hypothesis.key, full.told, _weight(source), source=source)
            for source, full in sorted(by_source.items(), reverse=True)
        ]
        yield Suspicion(hypothesis, tuple(checks))


def _weight(source: str) -> float:
    return weights.AT_ITS_LIMIT if source == "metrics" else weights.LINES_SAY_FULL


def _measured(observed: Observed) -> Iterator[_Full]:
    parts = parts_of_harm(observed)
    for course in observed.scene.courses:
        meaning = metric_meaning(course.name)
        kind = meaning.kind
        if course.part not in parts or kind not in _WHAT or meaning.is_limit or kind is None:
            continue
        limit = _limit(course, kind, observed)
        if limit is None:
            continue
        shares = course.values / limit if meaning.worse is not Worse.DOWN else 1.0 - course.values / limit
        now, before = _reached(course.times, shares, observed.onset)
        if now is None or now < FULL_AT or (before is not None and before > BELOW):
            continue
        told = ours(
            "“{name}” of {part} reached {share} of its limit.",
            name=quoted(course.name, 100),
            part=quoted(course.part, 60),
            share=percent(min(now, 1.0)),
        )
        yield _Full(course.part, kind, now, told, "metrics")


def _limit(course: Course, kind: SymptomKind, observed: Observed) -> float | None:
    """Return the limit of a course in its own unit: 1 or 100 of a share, else what a metric of limits of it says."""
    words = split_words(course.name)
    if words & _PERCENT:
        return 100.0
    if words & _SHARE:
        return 1.0 if len(course.values) and float(np.nanmax(course.values)) <= 1.0 else 100.0
    limits = [
        float(np.nanmedian(other.values))
        for other in observed.scene.courses
        if other.part == course.part
        and len(other.values)
        and metric_meaning(other.name).is_limit
        and metric_meaning(other.name).kind is kind
        and split_words(other.name) & words
    ]
    # Of several pools the largest: to call the smaller one's limit reached would be a guess.
    return max(limits, default=0.0) or None


def _reached(times: Floats, shares: Floats, onset: tuple[float, float]) -> tuple[float | None, float | None]:
    """Return the highest share that three samples since the onset reached, and the median before it; None without."""
    since = shares[times >= onset[0]]
    before = shares[times < onset[0]]
    highest = float(np.nanmedian(np.sort(since)[-3:])) if len(since) else None
    return highest, (float(np.nanmedian(before)) if len(before) else None)


def _said(observed: Observed) -> Iterator[_Full]:
    """Yield what bad lines say is used up: n of m, with n at least m."""
    parts = parts_of_harm(observed)
    for group in bad_lines(observed):
        match = _OF.search(group.text[:2000])
        kinds = [kind for kind in _WHAT if kind in symptoms_of_text(group.text)]
        if group.part not in parts or match is None or not kinds or int(match["limit"]) == 0:
            continue
        share = int(match["used"]) / int(match["limit"])
        if share < FULL_AT:
            continue
        told = ours(
            "{part} says {used} of {limit} are used: “{text}”.",
            part=quoted(group.part, 60),
            used=number(int(match["used"])),
            limit=number(int(match["limit"])),
            text=quoted(group.text, 120),
        )
        yield _Full(group.part, kinds[0], share, told, "logs")
