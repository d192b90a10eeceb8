"""What surrounds the services, of an export: the service map, orchestrator events, status feeds, other incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bot.exporting.incident import OtherIncident, moment
from detection.types import EdgeKind, OrchestratorEvent, ProviderStatus, ServiceEdge, ServicePlace

_HURT = "degraded_performance"
"""The state of a component that an incident names; the feed's own word for it is the incident's impact."""


def service_map_json(edges: Sequence[ServiceEdge], places: Sequence[ServicePlace], *, at: float) -> dict[str, object]:
    """Return who calls whom, where each keeps its data, and on which nodes each ran. at: seconds UTC."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for place in places:
        nodes[place.service].append(place.node)
    stores: dict[str, list[str]] = defaultdict(list)
    rates: dict[tuple[str, str], float | None] = {}
    for edge in edges:
        if edge.kind is EdgeKind.STORES:
            if edge.callee not in stores[edge.caller]:
                stores[edge.caller].append(edge.callee)
        elif rates.get((edge.caller, edge.callee)) is None:
            rates[edge.caller, edge.callee] = edge.calls_per_second
    return {
        "generated_at": moment(at),
        "services": [{"name": service, "nodes": names} for service, names in nodes.items()],
        "datastores": dict(stores),
        "edges": [
            {"from": caller, "to": callee, **({"calls_per_second": rate} if rate is not None else {})}
            for (caller, callee), rate in rates.items()
        ],
    }


def events_json(events: Sequence[OrchestratorEvent]) -> dict[str, object]:
    """Return the orchestrator's events."""
    return {
        "events": [
            {
                "timestamp": moment(event.happened_at),
                "type": "Warning" if event.is_warning else "Normal",
                "reason": event.reason,
                "message": event.message,
                "object": event.object_name,
                "namespace": event.namespace,
                "node": event.node,
                "service": event.service,
            }
            for event in events
        ]
    }


def status_feed_json(statuses: Sequence[ProviderStatus]) -> list[dict[str, object]]:
    """Return one feed for each incident of a provider: its components and hosts are those of that incident."""
    return [
        {
            "provider": status.provider,
            "components": _components(status),
            "incidents": [
                {
                    "id": status.status_id,
                    "name": status.title,
                    "impact": status.impact,
                    "started_at": moment(status.began_at),
                    "resolved_at": None if status.ended_at is None else moment(status.ended_at),
                }
            ],
            "api_error_rate_pct": [
                {"timestamp": moment(at), "value": round(100 * share, 6)} for at, share in status.error_rates
            ],
        }
        for status in statuses
    ]


def _components(status: ProviderStatus) -> list[dict[str, object]]:
    if not status.hosts and not status.component:
        return []
    named: dict[str, object] = {"name": status.component, "status": _HURT}
    return [named | {"endpoint": host} for host in status.hosts] or [named]


def incidents_open_json(others: Sequence[OtherIncident]) -> list[dict[str, object]]:
    """Return the other incidents that were open at the time."""
    return [
        {
            "incident_id": f"argux-{other.incident_id}",
            "service": other.service,
            "metric": other.metric or None,
            "opened_at": moment(other.opened_at),
            "status": str(other.status),
            "severity": str(other.severity),
            "owner": other.owner,
            "summary": other.title,
        }
        for other in others
    ]
