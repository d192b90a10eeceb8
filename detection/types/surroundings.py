"""What surrounds the services: who calls whom, where they run, what the orchestrator and the providers report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from detection.types.values import JsonValue


class EdgeKind(StrEnum):
    """How the caller depends on the callee: it calls a service, or it keeps its data there."""

    CALLS = "calls"
    STORES = "stores"


@dataclass(frozen=True, slots=True)
class ServiceEdge:
    """`caller` depends on `callee`. source: "spans" or "declared". calls_per_second: None if not known."""

    caller: str
    callee: str
    kind: EdgeKind
    source: str
    seen_at: float
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class ServicePlace:
    """`service` runs, or ran, on `node`."""

    service: str
    node: str
    seen_at: float


@dataclass(frozen=True, slots=True)
class OrchestratorEvent:
    """An event of Kubernetes or another orchestrator, such as an OOM kill, an eviction or a rollout.

    object_name: "pod/cart-7f9c", "node/node-7". service: the service that the object belongs to, if known. is_warning:
    the orchestrator's own judgement.
    """

    event_id: str
    happened_at: float
    reason: str
    message: str
    object_name: str
    namespace: str = ""
    node: str | None = None
    service: str | None = None
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """What a provider's status feed says of one incident or component of theirs.

    hosts: addresses of theirs that it concerns, such as "api.stripe.com". impact: their own word. ended_at: None while
    it lasts. error_rates: (seconds UTC, share 0 to 1) measured by the feed, if it publishes any.
    """

    status_id: str
    provider: str
    title: str
    component: str
    impact: str
    began_at: float
    ended_at: float | None
    hosts: tuple[str, ...] = ()
    error_rates: tuple[tuple[float, float], ...] = ()
    details: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogSignature:
    """Log lines of one form that another tool counted from `since` to `until` (seconds UTC).

    text: the form, with what varies left out. usual_count: in a period of the same length. is_bad: that tool's own
    judgement. Each is None where the tool does not say.
    """

    service: str
    text: str
    count: int
    usual_count: float | None
    first_seen_at: float | None
    is_bad: bool | None
    since: float
    until: float
