"""A retry storm: callers ask again what a slow or failing part did not answer, and so give it still more to do.

See "Metastable Failures in Distributed Systems" (Bronson et al., HotOS 2021).
"""

from __future__ import annotations

from collections.abc import Iterator

from detection.chain import Sign
from detection.chain.signs import metric_departure
from detection.symptoms import metric_meaning
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.mechanisms.harm import SLACK_SECONDS, mechanism, signs_of_kinds
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import number, quoted

CAUSE = "retry_storm"
MULTIPLIED_AT = 1.5
_SUFFERS = frozenset(
    (SymptomKind.LATENCY, SymptomKind.TIMEOUTS, SymptomKind.ERRORS, SymptomKind.THREADS, SymptomKind.CONNECTIONS)
)
_OUTBOUND = ("outbound", "upstream", "egress", "client_req", "calls_to")


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the first part that retries calls to another part that suffers."""
    for retried in signs_of_kinds(observed, (SymptomKind.RETRIES,)):
        callees = sorted(_blamed(retried, observed), key=lambda part: _suffers_since(part, observed) or 0.0)
        suffering = [part for part in callees if _suffers_since(part, observed) is not None]
        if not suffering:
            continue
        callee = suffering[0]
        hypothesis = mechanism(
            CAUSE,
            callee,
            ours(
                "{caller} retries its calls to {callee}, which makes more of them than it can serve.",
                caller=quoted(retried.part, 60),
                callee=quoted(callee, 60),
            ),
        )
        checks = [_order(hypothesis.key, retried, callee, observed), _load(hypothesis.key, retried, callee, observed)]
        yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))
        return


def _blamed(retried: Sign, observed: Observed) -> frozenset[str]:
    callees = observed.callees(retried.part)
    return (retried.blames & callees) or callees


def _suffers_since(part: str, observed: Observed) -> float | None:
    return min((sign.earliest for sign in observed.signs_of(part) if sign.kind in _SUFFERS), default=None)


def _order(key: str, retried: Sign, callee: str, observed: Observed) -> Evidence:
    since = _suffers_since(callee, observed) or 0.0
    is_after = since <= retried.latest + SLACK_SECONDS
    result = ours(
        "“{text}” of {caller} rose at {at}, {order} {callee} began to suffer.",
        text=quoted(retried.text, 100),
        caller=quoted(retried.part, 60),
        at=moment(retried.latest),
        order="after" if is_after else "before",
        callee=quoted(callee, 60),
    )
    weight = weights.RETRIES_AFTER_CALLEE if is_after else weights.RETRIES_BEFORE_CALLEE
    return evidence("retries_after", key, result, weight, source="retries")


def _load(key: str, retried: Sign, callee: str, observed: Observed) -> Evidence | None:
    """Compare how much the calls to the callee multiplied with how much more the caller itself is asked."""
    outbound = max((_ratio(course) for course in _calls_to(retried.part, callee, observed)), default=None)
    if outbound is None:
        return None
    inbound = max((_ratio(course) for course in _requests_of(retried.part, observed)), default=1.0)
    is_multiplied = outbound >= MULTIPLIED_AT * max(inbound, 1.0)
    asked = ours("did not rise") if inbound <= 1.0 else ours("rose {inbound} times", inbound=number(inbound))
    result = ours(
        "Calls to {callee} rose {outbound} times, while requests to {caller} {asked}.",
        callee=quoted(callee, 60),
        outbound=number(outbound),
        caller=quoted(retried.part, 60),
        asked=asked,
    )
    weight = weights.CALLS_MULTIPLIED if is_multiplied else weights.CALLS_ROSE_AS_REQUESTS
    return evidence("calls_multiplied", key, result, weight, source="metrics", data={"ratio": outbound})


def _calls_to(caller: str, callee: str, observed: Observed) -> list[Course]:
    outbound = [
        course
        for course in observed.scene.courses
        if course.part == caller and any(word in course.name.lower() for word in _OUTBOUND) and _is_traffic(course)
    ]
    return outbound + _requests_of(callee, observed)


def _requests_of(part: str, observed: Observed) -> list[Course]:
    return [
        course
        for course in observed.scene.courses
        if course.part == part and _is_traffic(course) and not any(word in course.name.lower() for word in _OUTBOUND)
    ]


def _is_traffic(course: Course) -> bool:
    return metric_meaning(course.name).kind is SymptomKind.TRAFFIC


def _ratio(course: Course) -> float:
    """Return how many times as much there is of a course; 1 if it kept its level."""
    found = metric_departure(course.name, course.times, course.values)
    return found.after / found.before if found is not None and found.before > 0 else 1.0
