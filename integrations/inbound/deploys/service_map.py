"""Read the body of POST /api/service-map: services, where they run and what they depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from detection.types import EdgeKind, ServiceEdge, ServicePlace
from integrations.inbound.reading.batches import decode_strictly
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import PayloadError

MOST_SERVICES = 5_000
MOST_EDGES = 50_000

_Name = Annotated[str, Meta(min_length=1, max_length=200)]


class _Service(msgspec.Struct):
    name: _Name
    node: _Name | None = None
    nodes: list[_Name] = []
    datastores: list[_Name] = []


class _Edge(msgspec.Struct):
    caller: _Name = msgspec.field(name="from")
    callee: _Name = msgspec.field(name="to")
    kind: str = EdgeKind.CALLS


class _Map(msgspec.Struct):
    services: list[_Service] = []
    edges: list[_Edge] = []


_MAP = msgspec.json.Decoder(_Map)


@dataclass(frozen=True, slots=True)
class DeclaredMap:
    """The declared edges, and the nodes that services run on now."""

    edges: list[ServiceEdge]
    places: list[ServicePlace]


def parse_service_map(body: bytes, *, now: float) -> DeclaredMap:
    """Read a service map. Raises PayloadError with the invalid field."""
    text = without_nul(body)
    raw = decode_strictly(_MAP, text)
    if not raw.services and not raw.edges and b'"services"' not in text and b'"edges"' not in text:
        raise PayloadError("is missing: send services, edges or both; empty ones forget what was declared", "services")
    for field, found, most in (("services", raw.services, MOST_SERVICES), ("edges", raw.edges, MOST_EDGES)):
        if len(found) > most:
            raise PayloadError(f"holds more than {most:,}", field)
    for at, edge in enumerate(raw.edges):
        if edge.kind not in set(EdgeKind):
            raise PayloadError(f"must be {' or '.join(EdgeKind)}, not {edge.kind[:40]!r}", f"edges[{at}].kind")
        if edge.caller == edge.callee:
            raise PayloadError("is the same as `from`: a service does not depend on itself", f"edges[{at}].to")
    edges = {(edge.caller, edge.callee, EdgeKind(edge.kind)) for edge in raw.edges}
    edges |= {
        (one.name, store, EdgeKind.STORES) for one in raw.services for store in one.datastores if store != one.name
    }
    places = {(one.name, node) for one in raw.services for node in (one.node, *one.nodes) if node}
    return DeclaredMap(
        [ServiceEdge(caller, callee, kind, "declared", now) for caller, callee, kind in sorted(edges)],
        [ServicePlace(service, node, now) for service, node in sorted(places)],
    )
