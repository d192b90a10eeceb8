"""Something ran full with no change behind it: a disk, memory, connections, file handles, a queue, a quota."""

from __future__ import annotations

from collections.abc import Iterator

from detection.chain import Sign
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.growth import growing
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.changes import makes_something_grow
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "capacity"
FIRST_WITHIN_SECONDS = 120.0

_FILLS = frozenset((SymptomKind.DISK, SymptomKind.FILE_HANDLES, SymptomKind.CONNECTIONS))
_WHAT = {
    SymptomKind.DISK: "its disk",
    SymptomKind.MEMORY: "its memory",
    SymptomKind.CONNECTIONS: "its connections",
    SymptomKind.FILE_HANDLES: "its file handles",
    SymptomKind.THREADS: "its threads",
    SymptomKind.QUEUE: "its queue",
    SymptomKind.CPU: "its CPU",
    SymptomKind.THROTTLED: "its quota",
}


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the first resource of the origin, or of another part, that ran full first of all."""
    full = [sign for sign in observed.signs if sign.kind in _WHAT and sign.part in observed.involved()]
    if not full:
        return
    first = min(full, key=lambda sign: (sign.part != observed.chain.origin, sign.latest))
    others = [
        sign
        for sign in observed.signs
        if sign.part in observed.involved() and sign.kind not in (first.kind, SymptomKind.TRAFFIC)
    ]
    earliest_other = min((sign.latest for sign in others), default=first.latest)
    leads = first.earliest <= earliest_other + FIRST_WITHIN_SECONDS
    checks = (_led(first, leads=leads), _climbed(first, observed))
    yield Suspicion(_hypothesis(first), tuple(item for item in checks if item is not None))


def _climbed(first: Sign, observed: Observed) -> Evidence | None:
    """Check whether something of this kind has filled for hours, and no change that is known makes anything grow."""
    course = next(growing((first.kind,), observed), None)
    if first.kind not in _FILLS or course is None or makes_something_grow(observed.scene.commits):
        return None
    result = ours(
        "“{metric}” of {part} has climbed as far back as the samples reach.",
        metric=quoted(course.name, 80),
        part=quoted(course.part, 60),
    )
    return evidence("climbed", _hypothesis(first).key, result, weights.CLIMBED_UNTIL_FULL, source="climb")


def _hypothesis(first: Sign) -> Hypothesis:
    return Hypothesis(
        key=f"{CAUSE}:{first.part}:{first.kind}"[:300],
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours(
            "{part} has used up {what}, and no change is behind it.",
            part=quoted(first.part, 60),
            what=_WHAT[first.kind],
        ),
        prior=weights.CAPACITY_PRIOR,
        service=first.part,
    )


def _led(first: Sign, *, leads: bool) -> Evidence:
    result = ours(
        "“{text}” of {part} from {at}, {order} the other signs.",
        text=quoted(first.text, 100),
        part=quoted(first.part, 60),
        at=moment(first.latest),
        order="before" if leads else "after some of",
    )
    strong = first.kind in (SymptomKind.DISK, SymptomKind.THROTTLED, SymptomKind.FILE_HANDLES)
    weight = (weights.FULL_FIRST if strong else weights.FULL_FIRST / 2) if leads else weights.FULL_LATER
    return evidence("full", _hypothesis(first).key, result, weight, source="metrics")
