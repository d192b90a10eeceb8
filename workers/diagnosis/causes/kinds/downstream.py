"""Another part than the alerted one failed first, and why is not known here: a partial answer, for its owner.

It stays below every change that could have done it: a store is often broken by those who use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detection.types import Commit, Deploy
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.candidates import Brought, services_of
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import percent, quoted

CAUSE = "downstream"
SLACK_SECONDS = 60.0


def suspects(
    observed: Observed, brought: Sequence[Brought], alone: Sequence[Commit], outside: Sequence[Suspicion]
) -> Iterator[Suspicion]:
    """Yield one suspicion if the chain began elsewhere, and no change and no other cause is known there.

    brought, alone: the deploys with their commits, and the commits without one. outside: causes besides changes.
    """
    origin, chain = observed.chain.origin, observed.chain
    if origin is None or origin in observed.scene.alerted or not chain.links:
        return
    if _is_changed(origin, observed, brought, alone) or _is_explained(origin, observed, outside):
        return
    hypothesis = Hypothesis(
        key=f"{CAUSE}:{origin}"[:300],
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("{part} failed first; why is not known here.", part=quoted(origin, 60)),
        prior=weights.DOWNSTREAM_PRIOR,
        service=origin,
    )
    first = ours(
        "{part} left its course before what depends on it: {reason} ({sure} sure).",
        part=quoted(origin, 60),
        reason=quoted((chain.reasons[0] if chain.reasons else "it was first").rstrip("."), 160),
        sure=percent(chain.confidence),
    )
    nothing = ours("No change of {part} and no other cause is known there.", part=quoted(origin, 60))
    checks = (
        evidence("failed_first", hypothesis.key, first, weights.DOWNSTREAM_FIRST * chain.confidence, source="chain"),
        evidence("nothing_known_there", hypothesis.key, nothing, weights.DOWNSTREAM_UNEXPLAINED, source="changes"),
    )
    yield Suspicion(hypothesis, checks)


def _around(origin: str, observed: Observed) -> frozenset[str]:
    """Return the parts whose change could have broken the origin: itself, who uses it, what it calls, its nodes."""
    users = observed.holders() | observed.callers(origin)
    return frozenset({origin}) | users | observed.callees(origin) | observed.nodes_of(origin)


def _is_changed(origin: str, observed: Observed, brought: Sequence[Brought], alone: Sequence[Commit]) -> bool:
    around, latest = _around(origin, observed), observed.onset[1] + SLACK_SECONDS
    live = [item for item in brought if item.deploy.deployed_at <= latest]
    deployed = any(_touches(item.deploy, item.commits, around, observed) for item in live)
    committed = any(services_of(commit, observed.parts) & around for commit in alone if commit.committed_at <= latest)
    switched = any(
        flag.service is None or flag.service in around for flag in observed.scene.flags if flag.changed_at <= latest
    )
    return deployed or committed or switched


def _touches(deploy: Deploy, commits: Sequence[Commit], around: frozenset[str], observed: Observed) -> bool:
    return deploy.service in around or any(services_of(commit, observed.parts) & around for commit in commits)


def _is_explained(origin: str, observed: Observed, outside: Sequence[Suspicion]) -> bool:
    around = _around(origin, observed)
    return any(
        suspicion.hypothesis.service in around and sum(item.weight for item in suspicion.evidence) > 0
        for suspicion in outside
    )
