"""More users came than the system can serve: traffic rose everywhere alike, before anything failed."""

from __future__ import annotations

from collections.abc import Iterator

from detection.statistics.departures import departure
from detection.symptoms.metric_names import split_words
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.causes.rises import Rise, rises_of, traffic_courses
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Course, Observed
from workers.words.text import number, quoted

CAUSE = "surge"
NEARLY_ALL = 0.8
"""The share of the measured parts that a crowd reaches at least."""

LEAD_SECONDS = 240.0
MANY_TIMES = 3.0
"""From here on a rise without one more success is no crowd."""

_REFUSED = frozenset((SymptomKind.AUTHENTICATION, SymptomKind.CLIENT_ERRORS, SymptomKind.THROTTLED))
_SUCCESS = frozenset(("success", "successes", "successful", "succeeded", "ok", "2xx", "accepted"))
_SENDERS = frozenset(("client", "clients", "ip", "ips", "user", "users", "visitor", "visitors", "sender", "senders"))
_DIFFERENT = frozenset(("distinct", "unique", "different", "active", "concurrent"))
_SHARES = frozenset(("ratio", "rate_pct", "pct", "percent", "percentage", "share"))


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if the traffic of a part that nothing else of the incident calls rose clearly."""
    rises = rises_of(observed)
    if not rises:
        return
    entries = [rise for rise in rises if not _called_by_hurt(rise.course.part, observed)]
    if not entries:
        return
    callers = {edge.callee for edge in observed.scene.edges}
    largest = max(entries, key=lambda rise: (rise.course.part not in callers, rise.ratio))
    hypothesis = Hypothesis(
        key=CAUSE,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("More users came than the system can serve; no change of the code did it."),
        prior=weights.SURGE_PRIOR,
        service=largest.course.part,
    )
    strangers = _strangers(largest, observed) or _few_senders(largest, observed)
    checks = (_risen(largest, observed), strangers or _alike(largest, rises, observed), _retries(observed))
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _called_by_hurt(part: str, observed: Observed) -> bool:
    """Whether a caller of this part has trouble of its own that is not traffic: its calls may be retries or a loop."""
    return any(
        kind in (SymptomKind.RETRIES, SymptomKind.QUERY_COUNT)
        for caller in observed.callers(part)
        for kind in observed.kinds.get(caller, frozenset())
    )


def _risen(rise: Rise, observed: Observed) -> Evidence:
    first_harm = min(
        (
            sign.latest
            for sign in observed.signs
            if sign.part in observed.scene.alerted and sign.kind not in (SymptomKind.TRAFFIC, SymptomKind.LOG_VOLUME)
        ),
        default=observed.onset[1],
    )
    before_harm = rise.earliest <= first_harm + LEAD_SECONDS
    result = ours(
        "Traffic of {part} rose {ratio} times at {at}, {order} the first trouble.",
        part=quoted(rise.course.part, 60),
        ratio=number(rise.ratio),
        at=moment(rise.latest),
        order="with or before" if before_harm else "after",
    )
    weight = weights.TRAFFIC_ROSE_FIRST if before_harm else weights.TRAFFIC_ROSE_LATER
    return evidence("traffic_rose", CAUSE, result, weight, source="metrics", data={"ratio": rise.ratio})


def _strangers(rise: Rise, observed: Observed) -> Evidence | None:
    """Check whether only what is refused became more, and what succeeds did not: bots at one door, and no crowd.

    A crowd brings both; a loop or a retrying caller of one's own is not refused from its first request on.
    """
    part = rise.course.part
    refused = [
        sign
        for sign in observed.signs
        if sign.part == part
        and sign.kind in _REFUSED
        and sign.source == "metric"
        and abs(sign.earliest - rise.earliest) <= LEAD_SECONDS
    ]
    succeeds = [
        course
        for course in observed.scene.courses
        if course.part == part and split_words(course.name) & _SUCCESS and not split_words(course.name) & _SHARES
    ]
    if rise.ratio < MANY_TIMES or not refused or not succeeds or any(_moved(course) for course in succeeds):
        return None
    result = ours(
        "“{refused}” of {part} rose with it, and “{succeeds}” did not: bots, and not more users.",
        refused=quoted(refused[0].text, 60),
        part=quoted(part, 60),
        succeeds=quoted(succeeds[0].name, 60),
    )
    return evidence("strangers", CAUSE, result, weights.STRANGERS_ONLY, source="traffic")


def _few_senders(rise: Rise, observed: Observed) -> Evidence | None:
    """Check whether many times more requests come from as many senders as before: few of them send it all."""
    part = rise.course.part
    senders = [
        course
        for course in observed.scene.courses
        if course.part == part
        and split_words(course.name) & _SENDERS
        and split_words(course.name) & _DIFFERENT
        and len(course.values)
    ]
    if rise.ratio < MANY_TIMES or not senders or any(_moved(course) for course in senders):
        return None
    result = ours(
        "“{senders}” of {part} did not rise with it: few senders make it all, and not more users.",
        senders=quoted(senders[0].name, 60),
        part=quoted(part, 60),
    )
    return evidence("strangers", CAUSE, result, weights.STRANGERS_ONLY, source="traffic")


def _moved(course: Course) -> bool:
    return departure(course.times, course.values) is not None


def _is_one_route(entry: Rise, rises: list[Rise], observed: Observed) -> bool:
    """Whether nothing calls the entry, and all else that gets more is called by it, directly or through others."""
    below, edge = {entry.course.part}, [entry.course.part]
    while edge:
        edge = [callee for part in edge for callee in observed.callees(part) if callee not in below]
        below.update(edge)
    is_entry = len(below) > 1 and not observed.callers(entry.course.part)
    return is_entry and {rise.course.part for rise in rises} <= below


def _alike(largest: Rise, rises: list[Rise], observed: Observed) -> Evidence | None:
    """Check whether every part that has a traffic series gets more: a crowd reaches all, a loop or retries do not."""
    measured = {course.part for course in traffic_courses(observed)}
    if len(measured) < 2:
        return None
    risen = {rise.course.part for rise in rises}
    if len(risen) >= NEARLY_ALL * len(measured):
        result = ours(
            "{count} of {all} measured parts get more: {parts}.",
            count=len(risen),
            all=len(measured),
            parts=listed([theirs(quoted(part, 40)) for part in sorted(risen)[:5]]),
        )
        return evidence("traffic_alike", CAUSE, result, weights.TRAFFIC_ROSE_ALIKE, source="traffic")
    if _is_one_route(largest, rises, observed):
        result = ours(
            "{count} of {all} measured parts get more, from {entry} on down: more users come for one thing.",
            count=len(risen),
            all=len(measured),
            entry=quoted(largest.course.part, 60),
        )
        return evidence("traffic_alike", CAUSE, result, weights.TRAFFIC_ROSE_ON_ONE_ROUTE, source="traffic")
    result = ours(
        "Only {count} of {all} measured parts get more: a crowd would reach all.", count=len(risen), all=len(measured)
    )
    weight = 0.0 if len(risen) > len(measured) / 2 else weights.TRAFFIC_ROSE_IN_SOME
    return evidence("traffic_alike", CAUSE, result, weight, source="traffic")


def _retries(observed: Observed) -> Evidence | None:
    retrying = sorted(part for part, kinds in observed.kinds.items() if SymptomKind.RETRIES in kinds)
    if not retrying:
        return None
    result = ours("{part} retries what failed, which makes traffic by itself.", part=quoted(retrying[0], 60))
    return evidence("retries", CAUSE, result, weights.TRAFFIC_FROM_RETRIES, source="retries")
