"""OpenAPI descriptions of the doors' request bodies, which FastAPI cannot derive because they are parsed by hand."""

from __future__ import annotations

from typing import Any

EVENT_EXAMPLE: dict[str, Any] = {
    "event": "page_view",
    "properties": {"user_id": "u1", "timestamp": "2026-02-07T12:00:00Z", "page": "/signup"},
}

_EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["event", "properties"],
    "properties": {
        "event": {"type": "string", "description": "What happened, such as page_view."},
        "event_id": {"type": "string", "description": "The sender's own id; the same id is stored once."},
        "properties": {
            "type": "object",
            "required": ["user_id"],
            "properties": {
                "user_id": {"type": "string"},
                "timestamp": {"type": "string", "format": "date-time", "description": "When; now if left out."},
            },
            "additionalProperties": True,
        },
    },
    "example": EVENT_EXAMPLE,
}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

EVENTS_DOCS = _body(
    {
        "application/json": {"schema": {"oneOf": [_EVENT_SCHEMA, {"type": "array", "items": _EVENT_SCHEMA}]}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
    }
)

CAPTURE_DOCS = _body(
    {
        "application/json": {
            "schema": {"type": "object"},
            "example": {
                "api_key": "argux_…",
                "batch": [
                    {
                        "event": "checkout_started",
                        "distinct_id": "u1",
                        "timestamp": "2026-02-07T12:00:00Z",
                        "properties": {"country": "DE"},
                    }
                ],
            },
        }
    }
)

OTLP_DOCS = _body({"application/x-protobuf": _BINARY, "application/json": {"schema": {"type": "object"}}})

SEGMENT_DOCS = _body(
    {
        "application/json": {
            "schema": {"type": "object"},
            "example": {"userId": "u1", "event": "checkout_started", "properties": {"country": "DE"}},
        }
    }
)

SEGMENT_BATCH_DOCS = _body(
    {
        "application/json": {
            "schema": {"type": "object", "required": ["batch"]},
            "example": {
                "batch": [{"type": "track", "userId": "u1", "event": "checkout_started", "messageId": "m-1"}],
                "sentAt": "2026-02-07T12:00:00Z",
            },
        }
    }
)

AMPLITUDE_DOCS = _body(
    {
        "application/json": {
            "schema": {"type": "object", "required": ["api_key", "events"]},
            "example": {
                "api_key": "argux_…",
                "events": [{"user_id": "u1", "event_type": "checkout_started", "insert_id": "e-1"}],
            },
        }
    }
)


def _form(field: str) -> dict[str, Any]:
    """Describe a form with the key and one field of JSON."""
    described = {"type": "string", "description": "One JSON object, or an array of them."}
    schema = {
        "type": "object",
        "required": ["api_key", field],
        "properties": {"api_key": {"type": "string"}, field: described},
    }
    return _body({"application/x-www-form-urlencoded": {"schema": schema}})


AMPLITUDE_IDENTIFY_DOCS = _form("identification")
AMPLITUDE_MAP_DOCS = _form("mapping")

_MIXPANEL_EVENT: dict[str, Any] = {
    "event": "checkout_started",
    "properties": {"token": "argux_…", "distinct_id": "u1", "time": 1770465600, "$insert_id": "e-1"},
}
MIXPANEL_DOCS = _body(
    {
        "application/json": {
            "schema": {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
            "example": [_MIXPANEL_EVENT],
        },
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["data"],
                "properties": {"data": {"type": "string", "description": "The same as JSON or in base64."}},
            }
        },
    }
)

DEPLOY_DOCS = _body(
    {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["service", "version", "commit_sha", "repository"],
                "properties": {
                    "service": {"type": "string"},
                    "version": {"type": "string"},
                    "commit_sha": {"type": "string"},
                    "repository": {"type": "string", "description": "owner/name"},
                    "deployed_at": {
                        "type": "string",
                        "format": "date-time",
                        "description": "Now if left out; the same deploy told again within ten minutes is then one.",
                    },
                    "deployed_by": {"type": "string"},
                },
            },
            "example": {
                "service": "shop",
                "version": "v42",
                "commit_sha": "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b",
                "repository": "acme/shop",
                "deployed_by": "ana",
            },
        }
    }
)
