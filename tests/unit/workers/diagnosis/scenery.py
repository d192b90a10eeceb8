"""Shared by the tests of causes and scenes: a small shop in trouble, as plain data. Times are seconds UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import dedent

import numpy as np

from detection.chain import Chain, LineGroup, Sign
from detection.types import (
    ChangedFile,
    Commit,
    Deploy,
    EdgeKind,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
    SymptomKind,
)
from workers.diagnosis.causes.suspicion import Suspicion
from workers.diagnosis.model import Characterisation, Evidence
from workers.diagnosis.scene.model import Course, Observed, Scene

ONSET = 1_700_000_000.0
MINUTE = 60.0
HOUR = 3600.0
START = ONSET - HOUR
END = ONSET + HOUR / 2

K = SymptomKind


def line(
    part: str, text: str, *, count: float = 50.0, usual: float = 0.0, at: float = ONSET, bad: bool = True
) -> LineGroup:
    return LineGroup(part, text, count, usual, at, bad)


def sign(part: str, kind: SymptomKind, *, at: float = ONSET, text: str = "", source: str = "metric") -> Sign:
    return Sign(part, kind, at - MINUTE, at, 8.0, text, source=source)


def calls(caller: str, callee: str, kind: EdgeKind = EdgeKind.CALLS) -> ServiceEdge:
    return ServiceEdge(caller, callee, kind, "spans", ONSET)


def on_node(service: str, node: str) -> ServicePlace:
    return ServicePlace(service, node, ONSET)


def event(
    reason: str, message: str, *, at: float = ONSET, node: str | None = None, name: str = "pod/x"
) -> OrchestratorEvent:
    return OrchestratorEvent(f"{reason}{at}", at, reason, message, name, node=node, is_warning=True)


def status(provider: str, host: str, *, began: float = ONSET, ended: float | None = None) -> ProviderStatus:
    return ProviderStatus(f"{provider}1", provider, "Elevated errors", "API", "major", began, ended, (host,))


def course(part: str, name: str, before: float, after: float, *, since: float = ONSET) -> Course:
    """Return a sample a minute, a little uneven, that steps from one level to the other."""
    times = np.arange(START, END, MINUTE)
    uneven = 1 + 0.01 * np.sin(np.arange(len(times)) * 2.4)
    return Course(part, name, times, np.where(times >= since, after, before) * uneven)


def growing(part: str, name: str, start: float, per_minute: float, *, since: float = ONSET) -> Course:
    """Return a sample a minute that rises steadily from a moment on."""
    times = np.arange(START, END, MINUTE)
    uneven = start * 0.01 * np.sin(np.arange(len(times)) * 2.4)
    return Course(part, name, times, start + uneven + np.maximum(times - since, 0) / MINUTE * per_minute)


def observed(
    *,
    signs: Sequence[Sign] = (),
    origin: str | None = "checkout",
    victims: Sequence[str] = (),
    lines: Sequence[LineGroup] = (),
    courses: Sequence[Course] = (),
    edges: Sequence[ServiceEdge] = (),
    places: Sequence[ServicePlace] = (),
    events: Sequence[OrchestratorEvent] = (),
    statuses: Sequence[ProviderStatus] = (),
    more: Scene | None = None,
    alerted: Sequence[str] = ("checkout",),
    alert_texts: Sequence[str] = (),
    parts: Sequence[str] = (),
    confidence: float = 1.0,
) -> Observed:
    """Return what was observed, with a chain that is given and not worked out."""
    scene = replace(
        more or Scene(START, END, tuple(alerted), ONSET + 5 * MINUTE),
        alert_texts=tuple(alert_texts),
        courses=tuple(courses),
        lines=tuple(lines),
        edges=tuple(edges),
        places=tuple(places),
        events=tuple(events),
        statuses=tuple(statuses),
    )
    named = {*parts, *alerted, *victims, *(item.part for item in signs), *(group.part for group in lines)}
    named |= {end for edge in edges for end in (edge.caller, edge.callee)} | {item.part for item in courses}
    named |= {end for place in places for end in (place.service, place.node)} | ({origin} if origin else set())
    kinds: dict[str, frozenset[SymptomKind]] = {}
    for item in signs:
        kinds[item.part] = kinds.get(item.part, frozenset()) | {item.kind}
    chain = Chain(origin, (), tuple(victims), (), confidence if origin else 0.0, ())
    return Observed(scene, frozenset(named), tuple(signs), chain, (ONSET - MINUTE, ONSET), kinds)


def described(*services: str) -> Characterisation:
    return Characterisation(1, END, ONSET - MINUTE, ONSET, services or ("checkout",), (), ())


def commit(
    path: str,
    diff: str,
    *,
    message: str = "update",
    sha: str = "c0ffee12",
    at: float = ONSET - 5 * MINUTE,
    service: str | None = None,
) -> Commit:
    file = ChangedFile(path, "modified", 1, 1, dedent(diff).strip("\n"))
    return Commit(sha, None, "ann", at, message, "", (file,), service)


def deploy(service: str, sha: str, *, at: float = ONSET - 2 * MINUTE, deploy_id: int = 1) -> Deploy:
    return Deploy(deploy_id, service, f"v{deploy_id}", sha, None, "shop/app", at)


def weights_of(suspicion: Suspicion) -> Mapping[str, float]:
    """Return the weight of each check."""
    return {item.check: item.weight for item in suspicion.evidence}


def weight(found: Sequence[Evidence], check: str) -> float:
    return next(item.weight for item in found if item.check == check)


def total(suspicion: Suspicion) -> float:
    """Return how much speaks for a suspicion in all."""
    return sum(item.weight for item in suspicion.evidence)
