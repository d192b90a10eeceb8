"""Nothing is wrong: what another monitor alerted on keeps its usual course, or is back in it, and so does the rest.

Only where alerts alone brought the incident and name what they watch: what Argux's own detectors noticed is held
against weeks of history, and the few hours of a scene cannot speak against that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.chain import Sign
from detection.chain.observed import HARM
from detection.chain.signs import metric_departure
from detection.symptoms import metric_meaning
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import counted, quoted

CAUSE = "no_fault"
FEWEST_SAMPLES = 20
"""With fewer samples a course is not known well enough to say that a metric kept it."""

_A_HANDFUL = frozenset({"trace"})
"""Sources of which there are few: what they show beside the alerted part speaks neither for harm nor against it."""

RECENT_SECONDS = 300.0
"""A series must reach as near to the alert as this, or it says nothing about it."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if the series that were alerted on are known, and none of them is off its course now."""
    if observed.scene.is_seen_by_argux:
        return
    watched = _watched(observed)
    if not watched:
        return
    on_course = [_stands(course) for course in watched]
    if None in on_course:
        return
    came_back = not all(on_course)
    part = watched[0].part
    hypothesis = Hypothesis(
        key=CAUSE,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("Nothing looks broken: {part} behaves as usual.", part=quoted(part, 60)),
        prior=weights.NO_FAULT_PRIOR,
        service=part,
    )
    checks = (_alerted(watched, came_back), _beside({course.part for course in watched}, observed))
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _watched(observed: Observed) -> list[Course]:
    """Return the series that the alerts name, up to their time; nothing if an alert names none that is known."""
    scene = observed.scene
    found = []
    for text in scene.alert_texts:
        named = [
            course
            for course in scene.courses
            if course.part in scene.alerted and _names(text, course.name) and _is_known(course, scene.alerted_at)
        ]
        if not named:
            return []
        found += named
    return found


def _names(text: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", text))


def _is_known(course: Course, alerted_at: float) -> bool:
    return len(course.times) >= FEWEST_SAMPLES and float(course.times[-1]) >= alerted_at - RECENT_SECONDS


def _stands(course: Course) -> bool | None:
    """Return True if a series never left its course, False if it is back in it, None if it is off."""
    found = metric_departure(course.name, course.times, course.values)
    if found is None:
        return True
    return False if found.ended_at is not None else None


def _alerted(watched: list[Course], came_back: bool) -> Evidence:
    name, part = quoted(watched[0].name, 80), quoted(watched[0].part, 60)
    stands = "is back in its usual course" if came_back else "never left its usual course"
    result = ours("{name} of {part}, which was alerted on, {stands}.", name=name, part=part, stands=stands)
    weight = weights.ALERTED_IS_BACK if came_back else weights.ALERTED_ON_ITS_COURSE
    return evidence("alerted_metric", CAUSE, result, weight, source="metrics")


def _beside(parts: set[str], observed: Observed) -> Evidence | None:
    """Check whether the alerted parts, who calls them and what they call show any sign of harm that lasts.

    What passed just before the alert, or began only after it, speaks neither way; nor does harm elsewhere where nobody
    told who depends on whom. What had passed long before is no matter.
    """
    alerted_at = observed.scene.alerted_at
    around = set(parts)
    for part in parts:
        around |= observed.callers(part) | observed.callees(part)
    if not observed.scene.edges:
        # Who depends on whom is not known, so everything counts.
        around |= observed.parts
    harm = [sign for sign in observed.signs if sign.kind in HARM and not _had_passed(sign, alerted_at)]
    near = [sign for sign in harm if sign.part in around]
    lasting = [sign for sign in near if sign.ended_at is None and sign.earliest <= alerted_at]
    clear = [sign for sign in lasting if sign.source not in _A_HANDFUL or sign.part in parts]
    if clear:
        return _harmed(clear[0].part, clear[0].kind.in_words)
    if near or (harm and not observed.knows_the_map()):
        return None
    others = [
        course
        for course in observed.scene.courses
        if course.part in around and metric_meaning(course.name).kind in HARM and _is_known(course, alerted_at)
    ]
    if len(others) < 2:
        return None
    metrics = counted(len(others), "metric")
    result = ours("None of the {metrics} there and next to it shows harm, nor does a log line.", metrics=metrics)
    return evidence("no_harm", CAUSE, result, weights.NO_HARM_SEEN, source="no harm")


def _had_passed(sign: Sign, alerted_at: float) -> bool:
    return sign.ended_at is not None and sign.ended_at <= alerted_at - RECENT_SECONDS


def _harmed(part: str, kind: str) -> Evidence:
    result: Markup = ours("But {part} shows {kind}.", part=quoted(part, 60), kind=kind)
    return evidence("no_harm", CAUSE, result, weights.HARM_SEEN, source="no harm")
