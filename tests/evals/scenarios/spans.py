"""Some traces of a scene, from before the fault and from within it."""

from __future__ import annotations

import random
from typing import Any

from tests.evals.scenarios.scene import Scene
from tests.evals.scenarios.system import CALLS

_BEFORE, _WITHIN = 6, 9


def traces(scene: Scene) -> list[list[dict[str, Any]]]:
    """Return traces, each a list of spans from the root on."""
    rng = random.Random(scene.rng.randrange(2**32))
    fault = scene.fault
    before = [rng.uniform(2, max(fault.onset - 4, 3)) for _ in range(_BEFORE)]
    within = [rng.uniform(max(fault.onset, scene.alert_minute - 6), scene.minutes - 0.5) for _ in range(_WITHIN)]
    way = _way(fault.origin if fault.origin not in ("node", "dns", "worker") else fault.victims[0][1])
    return [_trace(scene, minute, way, minute >= fault.onset, rng) for minute in sorted(before + within)]


def _way(role: str) -> list[str]:
    """Return the calls from the frontend down to `role`."""
    way = [role] if any(role in edge for edge in CALLS) else ["checkout"]
    while way[0] != "frontend":
        above = [caller for caller, callee in CALLS if callee == way[0]]
        way.insert(0, "checkout" if "checkout" in above else above[0])
    return way


def _trace(scene: Scene, minute: float, way: list[str], is_within: bool, rng: random.Random) -> list[dict[str, Any]]:
    """Return the spans of one request at `minute`: one a service on the way, and what the last of them calls."""
    fault = scene.fault
    spans: list[dict[str, Any]] = []
    for depth, role in enumerate(way):
        span = _span(scene, f"a{depth}", f"a{depth - 1}" if depth else None, role, f"{scene.name(role)}.handle", minute)
        span["duration_ms"] = scene.value(role, "latency", minute) * rng.uniform(0.7, 1.0)
        if is_within and rng.random() < scene.value(role, "errors", minute) * 1.5:
            span["status"] = "ERROR"
        spans.append(span)
    longest = 0.0
    for span in reversed(spans):
        longest = max(longest * 1.05, span["duration_ms"])
        span["duration_ms"] = round(longest, 1)
    if fault.mechanism == "n_plus_one":
        spans += _queries(scene, spans[-1], way[-1], minute, 30 if is_within else 2)
    elif fault.kind == "third_party":
        spans.append(_outward(scene, spans[-1], way[-1], minute))
    trace_id = f"{rng.randrange(2**128):032x}"
    return [{"trace_id": trace_id, **span} for span in spans]


def _queries(scene: Scene, parent: dict[str, Any], role: str, minute: float, many: int) -> list[dict[str, Any]]:
    each = {"duration_ms": round(parent["duration_ms"] / many * 0.9, 1), "db.system": "postgresql"}
    return [_span(scene, f"q{n}", parent["span_id"], role, "SELECT one row by sku", minute) | each for n in range(many)]


def _outward(scene: Scene, parent: dict[str, Any], role: str, minute: float) -> dict[str, Any]:
    """Return the call to the provider, which fails where its caller fails."""
    shop = scene.shop
    return _span(
        scene, "p0", parent["span_id"], role, f"HTTP POST {shop.provider_host}{shop.provider_path}", minute
    ) | {
        "duration_ms": round(parent["duration_ms"] * 0.95, 1),
        "status": parent["status"],
        "peer.service": shop.provider,
        "server.address": shop.provider_host,
        "http.status_code": 503 if parent["status"] == "ERROR" else 200,
    }


def _span(scene: Scene, span_id: str, parent: str | None, role: str, name: str, minute: float) -> dict[str, Any]:
    return {
        "span_id": span_id,
        "parent_id": parent,
        "service": scene.name(role),
        "name": name,
        "start": scene.at(minute),
        "duration_ms": 0.0,
        "status": "OK",
    }
