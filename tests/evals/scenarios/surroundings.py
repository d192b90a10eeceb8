"""The service map, the orchestrator's events and the provider's status feed of a scene."""

from __future__ import annotations

import random
from typing import Any

from tests.evals.scenarios.scene import Scene
from tests.evals.scenarios.system import CALLS, DATABASES, SERVICES, STORES

_WORKLOADS = (*SERVICES, "worker", "batch")
_STORES = (*DATABASES, "cache", "queue")


def service_map(scene: Scene) -> dict[str, Any]:
    """Return who calls whom, where everyone runs, and who keeps data where."""
    stores = {role: [scene.name(store) for caller, store in STORES if caller == role] for role in _WORKLOADS}
    return {
        "description": "An edge {from: A, to: B} means that A calls B; datastores hold a service's data.",
        "generated_at": scene.at(0),
        "services": [
            {"name": scene.name(role), "node": scene.placed[role], "datastores": stores[role]} for role in _WORKLOADS
        ],
        "datastores": [{"name": scene.name(role)} for role in _STORES],
        "edges": [
            {"from": scene.name(caller), "to": scene.name(callee), "call_rate_rps": 50 + 10 * place}
            for place, (caller, callee) in enumerate(CALLS)
        ],
    }


def events(scene: Scene, deploys: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the roll-outs, a few ordinary events, and what the fault made the orchestrator say."""
    rng = random.Random(scene.rng.randrange(2**32))
    found = [
        {
            "timestamp": deploy["timestamp"],
            "type": "Deployment",
            "object": f"deploy/{deploy['service']}",
            "reason": "ScalingReplicaSet",
            "message": f"Scaled up replica set {deploy['version']} to {rng.randint(2, 8)}",
        }
        for deploy in deploys
    ]
    found.append(
        {
            "timestamp": scene.at(rng.uniform(0, scene.minutes)),
            "type": "Normal",
            "object": f"pod/{scene.name('account')}-5d4",
            "reason": "Scheduled",
            "message": f"Successfully assigned default/{scene.name('account')}-5d4 to {scene.placed['account']}",
        }
    )
    for event in scene.fault.events:
        if event["at"] < scene.minutes:
            found.append({"timestamp": scene.at(event["at"]), **{k: v for k, v in event.items() if k != "at"}})
    return {
        "window": f"{scene.at(0)}..{scene.at(scene.minutes)}",
        "events": sorted(found, key=lambda event: str(event["timestamp"])),
    }


def status_feed(scene: Scene) -> dict[str, Any] | None:
    """Return the provider's feed, where the variant has one."""
    status = scene.fault.status
    if status is None:
        return None
    host, since = scene.shop.provider_host, float(status["since"])
    return {
        "provider": scene.shop.provider,
        "source": f"https://status.{scene.shop.provider}.com/api/v2/incidents.json",
        "fetched_at": scene.at(scene.minutes),
        "components": [
            {"name": "Payments API", "endpoint": f"{host}{scene.shop.provider_path}", "status": "partial_outage"},
            {"name": "Dashboard", "endpoint": f"dashboard.{scene.shop.provider}.com", "status": "operational"},
        ],
        "incidents": [
            {
                "id": "inc_payments",
                "name": "Elevated error rates of the Payments API",
                "impact": "major",
                "status": "investigating",
                "started_at": scene.at(since),
                "updates": [
                    {"timestamp": scene.at(since + 4), "body": "We are seeing elevated errors and investigate."}
                ],
            }
        ],
        "api_error_rate_pct": [
            {
                "timestamp": scene.at(minute),
                "endpoint": f"{host}{scene.shop.provider_path}",
                "value": round(float(status["failing"]) * 100, 1) if minute >= since else 0.3,
            }
            for minute in range(max(int(since) - 15, 0), scene.minutes, 5)
        ],
    }
