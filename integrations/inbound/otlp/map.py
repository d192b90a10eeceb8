"""Read the service map from spans: whom a service calls, where it keeps data, and on which node it runs.

The names of a peer: https://opentelemetry.io/docs/specs/semconv/attributes-registry/peer/, …/server/, …/db/ and
…/messaging/; both generations of the conventions are read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from detection.types import EdgeKind, JsonValue, ServiceEdge, ServicePlace, Span, SpanKind
from integrations.inbound.otlp.values import NAME_LIMIT, UNKNOWN_SERVICE, attributes, first_text

MOST_EDGES = 1_000
"""Distinct edges of one body. A service that names its peers by chance, one for each user, must not fill the map."""

_OUTWARD = frozenset((OtlpSpan.SPAN_KIND_CLIENT, OtlpSpan.SPAN_KIND_PRODUCER, OtlpSpan.SPAN_KIND_CONSUMER))
_LOCAL = frozenset(("localhost", "host.docker.internal", "unknown"))
_CLUSTER_ENDS = (".svc.cluster.local", ".svc")

_WITHIN = (
    "messaging.destination.name", "messaging.destination", "db.namespace", "db.name", "rpc.service",
)  # fmt: skip

Peer = tuple[str, str, str, str]
"""What a span says of its peer: (name, address, system of a database or queue, what is addressed within it)."""


@dataclass(slots=True)
class Sights:
    """What the spans of one body say of the service map."""

    peers: set[tuple[str, Peer]] = field(default_factory=set)
    places: set[tuple[str, str]] = field(default_factory=set)

    def told(self, spans: list[Span], *, now: float) -> list[ServiceEdge | ServicePlace]:
        """Return the distinct edges and places, seen at `now`."""
        edges = {
            (service, callee, kind)
            for service, peer in islice(self.peers, MOST_EDGES)
            for callee, kind in [callee_of(peer)]
            if callee and callee != service and not service.startswith(UNKNOWN_SERVICE)
        } | _between_services(spans)
        return [
            *(ServiceEdge(caller, callee, kind, "spans", now) for caller, callee, kind in sorted(edges)),
            *(ServicePlace(service, node, now) for service, node in sorted(self.places)),
        ]


def peer_of(span: OtlpSpan, found: Mapping[str, JsonValue]) -> Peer | None:
    """Return what a span says of its peer; None for one that calls nobody. Every span passes here, so it is quick."""
    system = found.get("db.system.name") or found.get("db.system")
    if system is None:
        if span.kind not in _OUTWARD:
            return None
        system = found.get("messaging.system")
    name = found.get("peer.service")
    address = str(found.get("server.address") or found.get("net.peer.name") or "")
    if name or (address and not address[0].isdigit()):
        return str(name or ""), address, str(system or ""), ""
    within = next((found[key] for key in _WITHIN if key in found), None)
    return ("", address, str(system or ""), str(within or "")) if system or within or address else None


def callee_of(peer: Peer) -> tuple[str, EdgeKind]:
    """Return the name of a peer, empty if it has none, and how it is depended on.

    In this order: its service's name, the host (within a cluster without the cluster's own endings), what is addressed
    in its database or queue, its RPC service.
    """
    name, address, system, within = peer
    kind = EdgeKind.STORES if system else EdgeKind.CALLS
    callee = name or _host(address)
    if not callee and system:
        callee = f"{system}/{within}" if within else system
    elif not callee:
        callee = within.rpartition(".")[2]
    return callee[:NAME_LIMIT], kind


def node_of(resource: Resource | None) -> str | None:
    """Return the node that a resource runs on: a pod's or container's host name is its own and says nothing."""
    if resource is None:
        return None
    found = attributes(resource.attributes)
    node = first_text(found, "k8s.node.name")
    if node is None and not any(name in found for name in ("k8s.pod.name", "container.id", "faas.name")):
        node = first_text(found, "host.name")
    return node[:NAME_LIMIT] if node else None


def _between_services(spans: list[Span]) -> set[tuple[str, str, EdgeKind]]:
    """Return the calls of which both sides are among these spans, as in the batches of a collector."""
    if len({span.service for span in spans}) < 2:
        return set()
    by_id = {span.span_id: span for span in spans}
    calls = set()
    for span in spans:
        if span.kind is SpanKind.SERVER and span.parent_span_id is not None:
            caller = by_id.get(span.parent_span_id)
            if caller is not None and caller.service != span.service and caller.trace_id == span.trace_id:
                calls.add((caller.service, span.service, EdgeKind.CALLS))
    return {call for call in calls if not any(name.startswith(UNKNOWN_SERVICE) for name in call[:2])}


def _host(address: str) -> str:
    """Return a host's name without port and cluster; empty for an IP address and for this machine."""
    host = address.strip().lower().rpartition("@")[2]
    if host.startswith("["):
        return ""
    host = host.partition(":")[0] if host.count(":") == 1 else host
    for end in _CLUSTER_ENDS:
        if host.endswith(end):
            return host.removesuffix(end).partition(".")[0]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "" if host in _LOCAL else host.rstrip(".")
    return ""
