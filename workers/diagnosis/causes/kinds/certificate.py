"""A certificate expired: lines say so, and its last moment is the onset."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from detection.chain import LineGroup
from detection.symptoms import metric_meaning
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import is_news, lines_in_all
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.causes.validity import ended_at_the_onset, is_near_the_onset
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import counted, quoted

CAUSE = "certificate"
_EXPIRED = re.compile(
    r"(?<!gift )cert\w*\b[^;]{0,60}\b(?:has )?expired|expired.{0,30}cert|certificate_expired|"
    r"notafter .{0,40}(?:past|passed)|cert\w* .{0,40}not yet valid|validity check failed|"
    r"(?:certpath|pkix|(?:root|intermediate|issuing) ca\b).{0,80}\bexpired",
    re.IGNORECASE,
)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if lines speak of an expired certificate, or a countdown reached zero near the onset."""
    lines = [group for group in observed.scene.lines if says_expired(group.text) and is_news(group)]
    ended = [(course, at) for course in observed.scene.courses if (at := _ends_at(course)) is not None]
    near = [(course, at) for course, at in ended if is_near_the_onset(at, observed)]
    if not lines and not near:
        return
    key = CAUSE
    hypothesis = Hypothesis(
        key=key,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("A certificate expired; no change of the code did it."),
        prior=weights.CERTIFICATE_PRIOR,
        service=near[0][0].part if near else lines[0].part,
    )
    checks = (_said(key, lines), _countdown(key, near), _not_after(key, observed))
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def says_expired(text: str) -> bool:
    """Whether a line says that a certificate expired."""
    return bool(_EXPIRED.search(text))


def _said(key: str, lines: list[LineGroup]) -> Evidence | None:
    if not lines:
        return None
    example = max(lines, key=lambda group: group.count)
    result = ours(
        "{count} say so: “{text}” ({part}).",
        count=counted(lines_in_all(lines), "line"),
        text=quoted(example.text, 140),
        part=quoted(example.part, 60),
    )
    return evidence("expired_lines", key, result, weights.LINES_SAY_EXPIRED, source="logs")


def _ends_at(course: Course) -> float | None:
    """Return when a countdown first reached zero; None if it is none, or did not."""
    if not metric_meaning(course.name).is_countdown or not len(course.values):
        return None
    over = course.values <= 0
    return float(course.times[int(np.argmax(over))]) if over.any() and not over.all() else None


def _countdown(key: str, near: list[tuple[Course, float]]) -> Evidence | None:
    if not near:
        return None
    course, at = near[0]
    result = ours(
        "{name} of {part} reached zero at {at}, when it began.",
        name=quoted(course.name, 80),
        part=quoted(course.part, 60),
        at=moment(at),
    )
    return evidence("countdown", key, result, weights.COUNTDOWN_ENDED, source="metrics")


def _not_after(key: str, observed: Observed) -> Evidence | None:
    """Compare the last moment of validity that any text names with the onset."""
    texts = [*observed.scene.alert_texts, *(group.text for group in observed.scene.lines)]
    at = ended_at_the_onset(texts, observed)
    if at is None:
        return None
    result = ours("The certificate was valid until {at}, and it began then.", at=moment(at))
    return evidence("not_after", key, result, weights.VALID_UNTIL_THE_ONSET, source="certificate")
