"""Whether the metrics left their usual course when a change went live, with the delay that its mechanism allows."""

from __future__ import annotations

from collections.abc import Iterable

from detection.chain.signs import metric_departed_when
from workers.diagnosis import weights
from workers.diagnosis.causes.by_change.fit import Fit
from workers.diagnosis.causes.by_change.room import is_missed_at_the_peak
from workers.diagnosis.causes.growth import grows_all_along
from workers.diagnosis.changes import Delay
from workers.diagnosis.scene.model import Course, Observed

WITHIN_SECONDS = {
    Delay.AT_ONCE: 900.0,
    Delay.UNDER_LOAD: 3600.0,
    Delay.WARM: 5400.0,
    Delay.GROWS: 12 * 3600.0,
}
"""How long after a change went live its effect may take to show, by mechanism."""

SLACK_SECONDS = 60.0


def trajectory(live_at: float, found: Fit, services: Iterable[str], observed: Observed) -> float:
    """Return the weight of the time of a change, from -3 to 1.5.

    The course that fits best counts: of the sign that the change explains, else of its services' own signs. Without
    any course the onset of the incident decides.
    """
    within = WITHIN_SECONDS[found.effect.delay if found.effect is not None else Delay.UNDER_LOAD]
    scores = [
        metric_departed_when(course.name, course.times, course.values, live_at, within)
        for course in _courses(found, frozenset(services), observed)
    ]
    weight = max(scores) if scores else _by_onset(live_at, within, observed)
    if weight < weights.MISSED_AT_THE_PEAK and is_missed_at_the_peak(
        found.effect, live_at, frozenset(services), observed
    ):
        weight = weights.MISSED_AT_THE_PEAK
    if began_before_the_samples(live_at, found, observed):
        is_growing = grows_all_along(found.effect, frozenset(services), observed)
        weight = max(weight, weights.GROWS_ALL_ALONG if is_growing else 0.0)
    return max(min(weight, weights.TRAJECTORY_FITS_AT_MOST), weights.TRAJECTORY_DENIES_AT_MOST)


def began_before_the_samples(live_at: float, found: Fit, observed: Observed) -> bool:
    """Whether a change makes something grow, and so long before that no course shows when it began to."""
    grows = found.effect is not None and found.effect.delay is Delay.GROWS
    return grows and live_at < observed.scene.since


def has_course(found: Fit, services: Iterable[str], observed: Observed) -> bool:
    """Whether there is a course to hold a change against, so that not the onset alone decides."""
    return bool(_courses(found, frozenset(services), observed))


def _courses(found: Fit, services: frozenset[str], observed: Observed) -> list[Course]:
    """Return the courses that a change must have moved: the first signs of the part where it all began.

    That is its own service, or what its service uses and ran out. Otherwise those of the sign that it explains, else of
    the first signs of its own services.
    """
    origin = observed.chain.origin
    uses = {callee for service in services for callee in observed.callees(service)}
    explained = found.sign.part if found.sign is not None else origin
    is_cause = origin in services or services & observed.holders() or (origin in uses and explained == origin)
    signs = list(observed.first_signs(origin)) if origin is not None and is_cause else []
    signs += [found.sign] if found.sign is not None else []
    signs += [sign for part in sorted(services) for sign in observed.first_signs(part)]
    for sign in signs:
        courses = [course for course in observed.scene.courses if course.part == sign.part and course.name == sign.text]
        if courses:
            return courses
    return []


def _by_onset(live_at: float, within: float, observed: Observed) -> float:
    earliest, latest = observed.onset
    if live_at > latest + SLACK_SECONDS:
        return weights.TRAJECTORY_DENIES_AT_MOST
    return weights.DEPLOY_AT_ONSET / 2 if earliest - live_at <= within else -1.0
