"""What has been growing since before the samples begin: such growth shows no beginning, and yet it is one."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from detection.symptoms import metric_meaning
from detection.types import Floats, SymptomKind
from workers.diagnosis.changes import Delay, Effect
from workers.diagnosis.scene.model import Course, Observed

FEWEST_SAMPLES = 20
STEADY = 0.9
"""The rank correlation with time from which on a rise is steady."""

LEAST_RATIO = 1.2

_GROWS = frozenset(
    (
        SymptomKind.MEMORY,
        SymptomKind.CONNECTIONS,
        SymptomKind.FILE_HANDLES,
        SymptomKind.THREADS,
        SymptomKind.DISK,
        SymptomKind.GARBAGE_COLLECTION,
    )
)


def grows_all_along(effect: Effect | None, services: Collection[str], observed: Observed) -> bool:
    """Whether what a change makes grow has grown in these services from the first sample until it began."""
    if effect is None or effect.delay is not Delay.GROWS:
        return False
    return any(course.part in services for course in growing(effect.causes & _GROWS, observed))


def growing(kinds: Collection[SymptomKind], observed: Observed) -> Iterator[Course]:
    """Yield the courses of these kinds that have climbed from the first sample until it began."""
    for course in observed.scene.courses:
        if metric_meaning(course.name).kind in kinds and _climbs(*_until(course, observed.onset[0])):
            yield course


def _until(course: Course, moment: float) -> tuple[Floats, Floats]:
    before = (course.times <= moment) & np.isfinite(course.values)
    return course.times[before], course.values[before]


def _climbs(times: Floats, values: Floats) -> bool:
    if len(values) < FEWEST_SAMPLES:
        return False
    third = len(values) // 3
    first, middle, last = (float(np.median(part)) for part in (values[:third], values[third:-third], values[-third:]))
    # In the first half of the time as in the second: what begins in between has a beginning.
    if first <= 0 or last < LEAST_RATIO * first or middle - first < (last - first) / 4:
        return False
    ranks = np.argsort(np.argsort(values)).astype(np.float64)
    return float(np.corrcoef(np.argsort(np.argsort(times)).astype(np.float64), ranks)[0, 1]) >= STEADY
