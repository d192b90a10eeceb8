"""OpenAPI descriptions of the request bodies at the doors of the surroundings."""

from __future__ import annotations

from typing import Any


def _json(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _one_or_many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "array", "items": schema}]}


_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}

_FLAG: dict[str, Any] = {
    "type": "object",
    "required": ["flag", "after"],
    "properties": {
        "flag": _TEXT,
        "after": {"description": "The new value: text, number, true or false, or JSON."},
        "before": {"description": "The old value, if it is known."},
        "service": {**_TEXT, "description": "Whom it concerns; everybody if left out."},
        "environment": _TEXT,
        "at": {**_TIME, "description": "Now if left out."},
        "by": _TEXT,
    },
}
FLAG_DOCS = _json(
    _one_or_many(_FLAG),
    {
        "flag": "new-checkout",
        "service": "cart",
        "environment": "production",
        "before": False,
        "after": True,
        "by": "ana",
    },
)

_COMMIT: dict[str, Any] = {
    "type": "object",
    "required": ["sha", "committed_at"],
    "properties": {
        "sha": _TEXT,
        "committed_at": _TIME,
        "parent_sha": _TEXT,
        "author": _TEXT,
        "message": _TEXT,
        "url": _TEXT,
        "repository": {**_TEXT, "description": "owner/name"},
        "service": {**_TEXT, "description": "Whose code it changes, if that is one service."},
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path"],
                "properties": {
                    "path": _TEXT,
                    "status": {**_TEXT, "description": "added, modified, removed or renamed."},
                    "patch": {**_TEXT, "description": "The unified diff of this file."},
                },
            },
        },
    },
}
COMMIT_DOCS = _json(
    _one_or_many(_COMMIT),
    [
        {
            "sha": "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b",
            "committed_at": "2026-02-07T12:00:00Z",
            "repository": "acme/shop",
            "message": "Refresh prices sooner",
            "files": [{"path": "src/cache.py", "patch": "@@ -1 +1 @@\n-TTL = 300\n+TTL = 3\n"}],
        }
    ],
)

KUBERNETES_DOCS = _json(
    {"type": "object"},
    {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "cart-7f9c.17a", "namespace": "shop", "uid": "275ecb36-5aa8-4c2a-9c47-d8bb681b9aff"},
        "involvedObject": {"kind": "Pod", "name": "cart-5d8f7c9b4d-x2x9z", "namespace": "shop"},
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "type": "Warning",
        "count": 3,
        "lastTimestamp": "2026-02-07T12:00:00Z",
    },
)

MAP_DOCS = _json(
    {
        "type": "object",
        "properties": {
            "services": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": _TEXT,
                        "node": _TEXT,
                        "nodes": {"type": "array", "items": _TEXT},
                        "datastores": {"type": "array", "items": _TEXT},
                    },
                },
            },
            "edges": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["from", "to"],
                    "properties": {"from": _TEXT, "to": _TEXT, "kind": {"type": "string", "enum": ["calls", "stores"]}},
                },
            },
        },
    },
    {
        "services": [{"name": "cart", "node": "node-7", "datastores": ["cart-db"]}],
        "edges": [{"from": "checkout", "to": "cart"}],
    },
)

STATUS_DOCS = _json(
    {"type": "object"},
    {
        "page": {"id": "y2j98763l56x", "name": "Payments Inc", "url": "https://status.payments.example"},
        "hosts": ["api.payments.example"],
        "incidents": [
            {
                "id": "p31zjtct2jer",
                "name": "Elevated errors",
                "status": "investigating",
                "impact": "major",
                "created_at": "2026-02-07T12:00:00Z",
                "components": [{"name": "API", "status": "partial_outage"}],
            }
        ],
    },
)
