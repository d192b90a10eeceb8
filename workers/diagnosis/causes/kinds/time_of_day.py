"""It happens at this hour on other days too: the same metric left its course then as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import quoted

CAUSE = "time_of_day"
DAYS = 7
FEWEST_DAYS = 3
MOSTLY = 0.6
DAY_SECONDS, HOUR_SECONDS = 86_400.0, 3_600.0
AS_FAR = 0.5
"""Another day is alike if the metric went at least half as far in the same direction."""

_AT_OTHER_HOURS = 0.2
"""What is as far off in more of the other hours than this has no hour of its own."""


@dataclass(frozen=True, slots=True)
class _Days:
    """In how many of the earlier days that have data the metric left its course at the same hour."""

    course: Course
    alike: int
    known: int


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion for the metric among the first signs that does so at this hour on most days."""
    found = [days for course in observed.scene.daily if (days := _days(course, observed)) is not None]
    if not found:
        return
    best = max(found, key=lambda days: (days.alike / days.known, days.known))
    hypothesis = Hypothesis(
        key=f"{CAUSE}:{best.course.part}"[:300],
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("It comes at this hour on other days too, in {part}.", part=quoted(best.course.part, 60)),
        prior=weights.TIME_OF_DAY_PRIOR,
        service=best.course.part,
    )
    result = ours(
        "“{name}” of {part} left its course at this hour on {alike} of the {known} days before.",
        name=quoted(best.course.name, 80),
        part=quoted(best.course.part, 60),
        alike=best.alike,
        known=best.known,
    )
    weight = weights.SAME_HOUR_BEFORE * best.alike / best.known
    yield Suspicion(hypothesis, (evidence("same_hour", hypothesis.key, result, weight, source="history"),))


def _days(course: Course, observed: Observed) -> _Days | None:
    signs = [sign for sign in observed.first_signs(course.part) if sign.source == "metric" and sign.text == course.name]
    now = next((one for one in observed.scene.courses if _is_same(one, course)), None)
    if not signs or now is None:
        return None
    rise = _rise(now, observed.onset)
    if not rise:
        return None
    hour = np.floor(observed.onset[1] / HOUR_SECONDS) * HOUR_SECONDS
    far = [_is_far(course, hour - day * DAY_SECONDS, rise) for day in range(1, DAYS + 1)]
    known = [answer for answer in far if answer is not None]
    alike = sum(known)
    if len(known) < FEWEST_DAYS or alike < MOSTLY * len(known) or _is_always(course, hour, rise):
        return None
    return _Days(course, alike, len(known))


def _is_same(one: Course, other: Course) -> bool:
    return (one.part, one.name, one.labels) == (other.part, other.name, other.labels)


def _rise(course: Course, onset: tuple[float, float]) -> float:
    """Return by how much the metric differs from before, with its sign, in its own unit."""
    before, after = course.values[course.times < onset[0]], course.values[course.times >= onset[1]]
    return float(np.nanmedian(after) - np.nanmedian(before)) if len(before) and len(after) else 0.0


def _is_far(course: Course, hour: float, rise: float) -> bool | None:
    """Whether the metric was as far off in this hour or the next, against the hours around; None without data."""
    inside = (course.times >= hour) & (course.times < hour + 2 * HOUR_SECONDS)
    around = (np.abs(course.times - hour) <= DAY_SECONDS / 2) & ~inside
    if not inside.any() or around.sum() < FEWEST_DAYS:
        return None
    off = (course.values[inside] - float(np.nanmedian(course.values[around]))) * np.sign(rise)
    return bool(np.nanmax(off) >= AS_FAR * abs(rise))


def _is_always(course: Course, hour: float, rise: float) -> bool:
    """Whether other hours are as far off nearly as often: then it is no matter of the hour."""
    since_hour = np.mod(course.times - hour, DAY_SECONDS)
    others = (since_hour >= 2 * HOUR_SECONDS) & (course.times < hour)
    off = (course.values[others] - float(np.nanmedian(course.values))) * np.sign(rise)
    return bool(others.any() and np.mean(off >= AS_FAR * abs(rise)) > _AT_OTHER_HOURS)
