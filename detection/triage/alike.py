"""Which firings are one trouble, and which of them is its root: one is told, the others join it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from detection.symptoms import metric_meaning, named_in, symptoms_of_text
from detection.symptoms.metric_names import split_words
from detection.triage.signs import HARM, Seen
from detection.triage.words import Context, Firing
from detection.types import Severity, SymptomKind

SIGNATURE_SECONDS = 1800.0
NEAR_SECONDS = 600.0
REPEAT_SECONDS = 3600.0
_CAUSE_FIRST_SECONDS = 120.0
_SPREADING = frozenset({SymptomKind.NETWORK, SymptomKind.NAME_LOOKUP, SymptomKind.CERTIFICATE})
"""One fault of these kinds makes many services log the same thing in different words."""
_STORM_SECONDS = 300.0
_REGION = frozenset(
    [
        "eu",
        "us",
        "ap",
        "sa",
        "af",
        "me",
        "ca",
        "east",
        "west",
        "north",
        "south",
        "central",
        "northeast",
        "southeast",
        "prod",
    ]
)
_STORES = frozenset(
    [
        "db",
        "database",
        "postgres",
        "postgresql",
        "mysql",
        "mongo",
        "redis",
        "kafka",
        "primary",
        "queue",
        "broker",
        "cache",
        "memcached",
        "etcd",
        "zookeeper",
        "consul",
        "vault",
        "rabbitmq",
        "rabbit",
        "nats",
        "ldap",
        "dns",
        "coredns",
        "resolver",
    ]
)
_OUTSIDE = frozenset({"synthetic", "synthetics", "probe", "blackbox", "uptime", "apdex", "rum", "healthcheck"})
_CAUSES = frozenset(
    {
        SymptomKind.CONNECTIONS,
        SymptomKind.MEMORY,
        SymptomKind.DISK,
        SymptomKind.FILE_HANDLES,
        SymptomKind.THREADS,
        SymptomKind.CERTIFICATE,
        SymptomKind.LOCKS,
        SymptomKind.NETWORK,
        SymptomKind.NAME_LOOKUP,
    }
)
_WRITER = re.compile(r"^\s*[\w./-]+:\s+")
_SEVERE = {Severity.SEV1: 0.75, Severity.SEV2: 0.4, Severity.SEV3: 0.15}
"""Less than who was first by a minute: what people feel is often called more severe than its cause."""


_TOSS_UP, _SOME = 0.35, 0.1
"""A second service so nearly as close to the cause is told as well: to leave out the true cause would be worse."""


def troubles(serious: Sequence[Seen], context: Context) -> list[tuple[Seen, list[Seen]]]:
    """Return each trouble as its root and the others, which are its symptoms or the same thing again.

    Firings belong together when one is like another of the trouble; each firing is in exactly one.
    """
    callees = reachable(context)
    left = sorted(serious, key=lambda one: (one.firing.fired_at, one.firing.firing_id))
    groups: list[list[Seen]] = []
    for one in left:
        mine = [group for group in groups if any(_belong(one.firing, other.firing, callees) for other in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([*(other for group in mine for other in group), one])
    found: list[tuple[Seen, list[Seen]]] = []
    for group in groups:
        closeness = {one.firing.firing_id: _closeness(one, group, callees) for one in group}
        ranked = sorted(group, key=lambda one: (-closeness[one.firing.firing_id], one.firing.fired_at))
        root, others = ranked[0], ranked[1:]
        # A chain of likenesses may lead too far: what is most severe joins only what it is like itself.
        apart = [
            one
            for one in others
            if one.firing.severity is Severity.SEV1 and not _is_explained(one, root, group, callees)
        ]
        if others and others[0] not in apart and _is_toss_up(root, others[0], closeness):
            apart.append(others[0])
        found.append((root, [one for one in others if one not in apart]))
        if apart:
            found += troubles(apart, context)
    return found


def _is_toss_up(root: Seen, second: Seen, closeness: Mapping[str, float]) -> bool:
    """Return whether another service may have begun it: nearly as close, and the time says other than the rest.

    One alert in two regions is one thing, whichever of them it is told of.
    """
    one, other = root.firing, second.firing
    if not one.service or not other.service or one.service == other.service or _is_other_region(one, other):
        return False
    lead, later = closeness[one.firing_id] - closeness[other.firing_id], other.fired_at - one.fired_at
    return lead < _TOSS_UP and (later < 0 or _seconds_weigh(later) - lead > _SOME)


def _seconds_weigh(seconds: float) -> float:
    """Return how much further from the cause a firing is for having come so much later."""
    return min(3.0, seconds / 60.0)


def _is_explained(one: Seen, root: Seen, group: Sequence[Seen], callees: dict[str, frozenset[str]]) -> bool:
    """Return whether a way leads from the firing to the root, each step from what complains to what it complains of."""
    waiting, known = [one.firing], {one.firing.firing_id}
    while waiting:
        at = waiting.pop()
        if _belong(at, root.firing, callees):
            return True
        for other in group:
            if other.firing.firing_id not in known and _complains_of(at, other.firing, callees):
                known.add(other.firing.firing_id)
                waiting.append(other.firing)
    return False


def passes_on(one: Firing, other: Firing, callees: dict[str, frozenset[str]]) -> bool:
    """Return whether a firing only shows what another does to it: its logs name it, or its service calls it."""
    return _names(one, other) or _calls_a_cause(one, other, callees)


def _complains_of(one: Firing, other: Firing, callees: dict[str, frozenset[str]]) -> bool:
    same_error = bool(one.signature) and one.signature == other.signature and one.signature_is_bad is not False
    is_view = one.service == other.service and is_outside_view(one.metric) and _sees_from_outside(one, other)
    return same_error or is_view or passes_on(one, other, callees)


def reachable(context: Context) -> dict[str, frozenset[str]]:
    """Return the services that each service calls, directly or through others."""
    direct: dict[str, set[str]] = {}
    for edge in context.edges:
        direct.setdefault(edge.caller, set()).add(edge.callee)
    found = {}
    for caller in direct:
        known: set[str] = set()
        waiting = list(direct[caller])
        while waiting:
            callee = waiting.pop()
            if callee not in known:
                known.add(callee)
                waiting += direct.get(callee, ())
        found[caller] = frozenset(known - {caller})
    return found


def _belong(one: Firing, other: Firing, callees: dict[str, frozenset[str]]) -> bool:
    gap = abs(one.fired_at - other.fired_at)
    # A usual line, such as a pause of the garbage collector, is written by many services; an error has one cause.
    is_error = one.signature_is_bad is not False or one.service == other.service
    if one.signature and one.signature == other.signature and is_error:
        return gap <= (REPEAT_SECONDS if one.service == other.service else SIGNATURE_SECONDS)
    if gap > NEAR_SECONDS:
        return (
            one.service == other.service
            and one.metric == other.metric
            and gap <= REPEAT_SECONDS
            and _any_tie(one, other)
        )
    if _names(one, other) or _names(other, one):
        return True
    if one.service == other.service and _faults(one) & _faults(other):
        return True
    if one.service == other.service and _sees_from_outside(one, other):
        return True
    if _any_tie(one, other) and (one.service == other.service or _is_other_region(one, other)):
        return True
    if _calls_a_cause(one, other, callees) or _calls_a_cause(other, one, callees):
        return True
    return gap <= _STORM_SECONDS and bool(_spreading(one) & _spreading(other))


def _sees_from_outside(one: Firing, other: Firing) -> bool:
    """Return whether one of them only shows from outside that the service hurts people, which the other explains."""
    views = [is_outside_view(firing.metric) for firing in (one, other)]
    return any(views) and all(view or _kind(firing) in HARM for view, firing in zip(views, (one, other), strict=True))


def is_outside_view(metric: str) -> bool:
    """Return whether a metric is measured from outside: by a probe, or by what people's browsers tell."""
    return bool(split_words(metric) & _OUTSIDE)


def _any_tie(one: Firing, other: Firing) -> bool:
    """Return whether nothing says that they are two things: one of them names no log pattern."""
    return not one.signature or not other.signature


def _names(caller: Firing, cause: Firing) -> bool:
    """Return whether the caller's log pattern names the service of the cause, which began before it or about then."""
    if not cause.service or caller.service == cause.service or not caller.signature_text:
        return False
    is_first = cause.fired_at <= caller.fired_at + _CAUSE_FIRST_SECONDS
    return is_first and not _was_over(cause, caller) and _text_names(caller, cause.service, caller.signature_text)


def _calls_a_cause(caller: Firing, cause: Firing, callees: dict[str, frozenset[str]]) -> bool:
    """Return whether the caller only passes on what its callee does to it: it shows what people feel, and began later.

    A caller whose own logs say something else that is much more frequent than usual has a trouble of its own.
    """
    if not caller.service or not cause.service or cause.service not in callees.get(caller.service, frozenset()):
        return False
    if cause.fired_at > caller.fired_at + _CAUSE_FIRST_SECONDS or _was_over(cause, caller):
        return False
    shown = _kind(caller)
    passes_on = shown in HARM or shown in (
        SymptomKind.QUEUE,
        SymptomKind.RETRIES,
        SymptomKind.TRAFFIC,
        SymptomKind.CANCELLED,
    )
    return passes_on and _own_trouble(caller) is None


def _was_over(cause: Firing, other: Firing) -> bool:
    """Return whether the cause had ended before the other began, which goes on: then it is not what the other has."""
    if cause.ended_at is None or other.ended_at is not None or cause.ended_at >= other.fired_at:
        return False
    if cause.value is None or cause.threshold is None:
        return True
    sign = 1.0 if cause.value >= cause.threshold else -1.0
    return not bool((cause.values[cause.times > cause.ended_at] * sign >= cause.threshold * sign).any())


def _own_trouble(firing: Firing) -> SymptomKind | None:
    """Return the kind of fault within the service that its log pattern tells of; None if it only tells of others."""
    inner = (
        SymptomKind.CRASH,
        SymptomKind.MEMORY,
        SymptomKind.DISK,
        SymptomKind.FILE_HANDLES,
        SymptomKind.CERTIFICATE,
        SymptomKind.SCHEMA,
        SymptomKind.DECODING,
        SymptomKind.AUTHENTICATION,
    )
    told = set(symptoms_of_text(firing.signature_text)) if firing.signature_is_bad else set()
    return next((kind for kind in inner if kind in told), None)


def _faults(firing: Firing) -> frozenset[SymptomKind]:
    """Return the particular faults that the metric or the log pattern shows, such as a full disk."""
    kind = metric_meaning(firing.metric).kind
    shown = frozenset(symptoms_of_text(firing.signature_text)) | (frozenset({kind}) if kind else frozenset())
    return shown & _CAUSES


def _spreading(firing: Firing) -> frozenset[SymptomKind]:
    kind = metric_meaning(firing.metric).kind
    shown = frozenset(symptoms_of_text(firing.signature_text)) | (frozenset({kind}) if kind else frozenset())
    return shown & _SPREADING


def _is_other_region(one: Firing, other: Firing) -> bool:
    """Return whether they are the same metric of the same service in two regions, such as cart-eu and cart-us."""
    if one.metric != other.metric or not one.service or not other.service:
        return False
    return bool(family(one.service)) and family(one.service) == family(other.service)


def family(service: str) -> frozenset[str]:
    """Return the words of a service's name without its region, such as {"cart"} of cart-eu-west-1."""
    return frozenset(word for word in split_words(service) if word not in _REGION and not word.isdigit())


def _kind(firing: Firing) -> SymptomKind | None:
    return metric_meaning(firing.metric).kind


def _closeness(one: Seen, group: Sequence[Seen], callees: dict[str, frozenset[str]]) -> float:
    """Return how near a firing is to the cause of its group: who is named, who is called, who was first, how bad."""
    firing = one.firing
    first = min(other.firing.fired_at for other in group)
    score = -_seconds_weigh(firing.fired_at - first)
    score += _SEVERE.get(firing.severity, 0.0) if firing.severity else 0.0
    # Where something of it goes on, people are told of that, and not of what is over.
    score -= 4.0 if one.heals else 0.0
    score += 1.0 if one.meaning.kind in _CAUSES else 0.0
    score -= 1.0 if one.meaning.kind is SymptomKind.RESTARTS else 0.0
    score -= 2.0 if is_outside_view(firing.metric) else 0.0
    if not firing.service:
        return score
    score += 0.5 if split_words(firing.service) & _STORES else 0.0
    others = [other.firing for other in group if other.firing.service != firing.service]
    if any(_complains(other, firing.service) for other in others):
        score += 2.0
    elif any(_text_names(other, firing.service, other.signature_text) for other in others):
        score += 0.75
    # What itself complains of another of them passes on what that one does to it.
    score -= 2.0 if any(_complains(firing, other.service) for other in others if other.service) else 0.0
    called = sum(firing.service in callees.get(other.service or "", frozenset()) for other in others)
    return score + (2.0 * called / len(others) if others else 0.0)


def _complains(firing: Firing, service: str) -> bool:
    """Return whether the firing's log pattern complains of the service, which is more than that the service wrote it.

    A line such as "cart: upstream timed out" begins with who writes it.
    """
    return _text_names(firing, service, _WRITER.sub("", firing.signature_text))


def _text_names(firing: Firing, service: str, text: str) -> bool:
    """Return whether a text of the firing's logs names the service as what it is about.

    That of its database, such as cart-db of cart, is about another part, and so is the firing's own name, such as
    cart-eu. A name that could not be looked up is the name of what was wanted, not of what failed.
    """
    if SymptomKind.NAME_LOOKUP in symptoms_of_text(text):
        return False
    parts = [f"{service}-{store}" for store in _STORES]
    return service in named_in(text, [service, firing.service or "", *parts])
