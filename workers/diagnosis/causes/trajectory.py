"""Whether the metrics left their usual course when a change went live, with the delay that its mechanism allows."""

from __future__ import annotations

from collections.abc import Iterable

from detection.statistics.departures import departed_when
from detection.symptoms import Worse, metric_meaning
from workers.diagnosis import weights
from workers.diagnosis.causes.fit import Fit
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
        departed_when(course.times, course.values, live_at, within, worse=_worse(course))
        for course in _courses(found, frozenset(services), observed)
    ]
    weight = max(scores) if scores else _by_onset(live_at, within, observed)
    return max(min(weight, weights.TRAJECTORY_FITS_AT_MOST), weights.TRAJECTORY_DENIES_AT_MOST)


def _worse(course: Course) -> int:
    worse = metric_meaning(course.name).worse
    return 0 if worse is Worse.EITHER else worse.value


def _courses(found: Fit, services: frozenset[str], observed: Observed) -> list[Course]:
    """Return the courses that a change must have moved: the first signs of its service where it began there.

    Otherwise those of the sign that it explains, else of the first signs of its own services.
    """
    began_here = services & ({observed.chain.origin} if observed.chain.origin else set())
    signs = [sign for part in began_here for sign in observed.first_signs(part)]
    if not signs and found.sign is not None:
        signs = [found.sign]
    if not signs:
        signs = [sign for part in services for sign in observed.first_signs(part)]
    for part, kind in dict.fromkeys((sign.part, sign.kind) for sign in sorted(signs, key=lambda sign: sign.latest)):
        courses = [
            course
            for course in observed.scene.courses
            if course.part == part and metric_meaning(course.name).kind is kind
        ]
        if courses:
            return courses
    return []


def _by_onset(live_at: float, within: float, observed: Observed) -> float:
    earliest, latest = observed.onset
    if live_at > latest + SLACK_SECONDS:
        return weights.TRAJECTORY_DENIES_AT_MOST
    return weights.DEPLOY_AT_ONSET / 2 if earliest - live_at <= within else -1.0
