"""An incident of another monitor in a store, with telemetry, changes and surroundings of all kinds."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.investigate.folder import Exported
from bot.investigate.run import fill, open_incident
from detection.types import (
    AlertChange,
    ChangedFile,
    Commit,
    Deploy,
    EdgeKind,
    FlagChange,
    LogRecord,
    MetricPoint,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
    Span,
    SpanKind,
)
from workers.services import Services

NOW = 1_777_894_800.0
ONSET = NOW - 900.0
SHA, BASE = "3f2a9c1d" * 5, "0a1b2c3d" * 5
PATCH = "@@ -1,2 +1,2 @@\n-CACHE_TTL_SECONDS = 900\n+CACHE_TTL_SECONDS = 15"
ALERT = AlertChange(
    identity="slow",
    source="prometheus",
    name="CheckoutSlow",
    service="checkout",
    severity="critical",
    is_firing=True,
    happened_at=ONSET,
    summary="p99 of checkout is 2400 ms",
    values={"value": 2400.0},
)


def records() -> Exported:
    """Return what the store is filled with: ninety minutes of metrics, and the cache of `cart` losing its effect."""
    minutes = [NOW - 5400 + 60 * number for number in range(90)]
    return Exported(
        alert=ALERT,
        logs=[_line(number, minute) for number, minute in enumerate(minutes)],
        points=[_point("checkout", "p99_latency_ms", at, 2400.0 if at >= ONSET else 180.0) for at in minutes]
        + [_point("cart", "cache_hit_ratio", at, 0.1 if at >= ONSET - 300 else 0.97) for at in minutes],
        spans=[span for number in range(6) for span in _trace(number)],
        commits=[
            Commit(
                sha=SHA,
                parent_sha=BASE,
                author="Tom",
                committed_at=ONSET - 700,
                message="Keep carts fresh",
                url="https://git.example/1",
                files=(ChangedFile("lib/cache/defaults.py", "modified", 1, 1, PATCH),),
                service="cart",
                repository="acme/cart",
            )
        ],
        deploys=[
            Deploy(1, "cart", "v1", BASE, None, "acme/cart", ONSET - 80_000, "ana"),
            Deploy(2, "cart", "v2", SHA, BASE, "acme/cart", ONSET - 600, "ana"),
        ],
        flags=[FlagChange("f1", "new_checkout", "checkout", "production", "off", "on", ONSET - 3000, "ben", "door")],
        edges=[
            ServiceEdge("checkout", "cart", EdgeKind.CALLS, "declared", NOW, 12.5),
            ServiceEdge("cart", "cart-db", EdgeKind.STORES, "declared", NOW, None),
        ],
        places=[ServicePlace("cart", "node-7", NOW - 60)],
        events=[
            OrchestratorEvent(
                "e1", ONSET - 590, "Rolled", "cart is at v2", "deployment/cart", "shop", "node-7", "cart", False
            ),
            OrchestratorEvent("e2", ONSET + 60, "Unhealthy", "no answer", "pod/checkout-1", "shop", None, None, True),
        ],
        statuses=[
            ProviderStatus(
                "s1", "Paygate", "Slow answers", "API", "minor", ONSET - 4000, ONSET - 2000,
                ("api.paygate.example",), ((ONSET - 3900, 0.02),),
            )
        ],
        until=NOW,
    )  # fmt: skip


def stored_incident(services: Services) -> int:
    """Fill the store and open the incident; return its id."""
    fill(services, records())
    opened = open_incident(services, ALERT)
    assert opened is not None
    return opened


def _line(number: int, at: float) -> LogRecord:
    is_bad = at >= ONSET
    body = f"cart answered after {2000 + number} ms, gave up" if is_bad else f"order {number} placed"
    attributes = {"user.id": "u-17", "region": "eu"}
    return LogRecord(
        f"l{number}", "checkout", "v9", at + 1, "ERROR" if is_bad else "INFO", body, None, attributes=attributes
    )


def _point(service: str, metric: str, at: float, value: float) -> MetricPoint:
    return MetricPoint(f"{service}:{metric}:{at}", metric, service, at, value, attributes={"shard": "a, b"})


def _trace(number: int) -> list[Span]:
    trace = hashlib.sha256(str(number).encode()).hexdigest()[:32]
    at, is_bad = ONSET - 180 + 60 * number, number >= 3
    took = 2400.0 if is_bad else 180.0
    served = Span(
        trace, f"{number:015x}a", None, SpanKind.SERVER, "POST /checkout", "checkout", "v9", at, took, is_bad,
        endpoint="POST /checkout", status_code=504 if is_bad else 200,
    )  # fmt: skip
    asked = replace(
        served, span_id=f"{number:015x}b", parent_span_id=served.span_id, name="GET /cart", service="cart",
        version="v2", duration_ms=took - 20, endpoint="GET /cart", status_code=200, is_error=False,
    )  # fmt: skip
    query = replace(
        asked, span_id=f"{number:015x}c", parent_span_id=asked.span_id, kind=SpanKind.DATABASE, name="SELECT",
        endpoint=None, status_code=None, statement="SELECT * FROM carts WHERE id = ?", duration_ms=took - 40,
    )  # fmt: skip
    return [served, asked, query]
