"""Rises of traffic: which parts get clearly more requests than before, since when, and how many times as many."""

from __future__ import annotations

from dataclasses import dataclass

from detection.statistics.departures import departure
from detection.symptoms import metric_meaning
from detection.types import SymptomKind
from workers.diagnosis.scene.model import Course, Observed

RISEN_AT_LEAST = 1.5
_QUERY_WORDS = ("query", "queries", "qps", "db_", "outbound", "upstream_req", "egress")


@dataclass(frozen=True, slots=True)
class Rise:
    """A series of traffic that rose `ratio` times, beginning between `earliest` and `latest`, seconds UTC."""

    course: Course
    ratio: float
    earliest: float
    latest: float


def rises_of(observed: Observed) -> list[Rise]:
    """Return the series of traffic that rose clearly."""
    return [rise for course in traffic_courses(observed) if (rise := _rise(course)) is not None]


def traffic_courses(observed: Observed) -> list[Course]:
    """Return the series of requests that parts get; those of queries and of calls that they make are left out."""
    return [
        course
        for course in observed.scene.courses
        if metric_meaning(course.name).kind is SymptomKind.TRAFFIC
        and not any(word in course.name.lower() for word in _QUERY_WORDS)
    ]


def _rise(course: Course) -> Rise | None:
    found = departure(course.times, course.values, worse=1)
    if found is None or found.direction < 0 or found.before <= 0:
        return None
    ratio = found.after / found.before
    return Rise(course, ratio, found.earliest, found.latest) if ratio >= RISEN_AT_LEAST else None
