"""OpenAPI descriptions of the request bodies at the doors of monitoring systems."""

from __future__ import annotations

from typing import Any


def _body(**content: dict[str, Any]) -> dict[str, Any]:
    types = {name.replace("__", "/").replace("_", "-"): description for name, description in content.items()}
    return {"requestBody": {"required": True, "content": types}}


def _example(value: Any, kind: str = "object") -> dict[str, Any]:
    return {"schema": {"type": kind}, "example": value}


_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

DATADOG_DOCS = _body(
    application__json=_example(
        [{"message": "payment refused", "service": "shop", "status": "error", "ddtags": "env:prod,version:v42"}],
        "array",
    )
)

LOKI_DOCS = _body(
    application__json=_example(
        {"streams": [{"stream": {"app": "shop", "level": "error"}, "values": [["1770465600000000000", "refused"]]}]}
    ),
    application__x_protobuf=_BINARY,
)

ALERTMANAGER_DOCS = _body(
    application__json=_example(
        {
            "version": "4",
            "status": "firing",
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "HighErrorRate", "service": "shop", "severity": "critical"},
                    "annotations": {"summary": "5 % of requests fail"},
                    "startsAt": "2026-02-07T12:00:00Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "fingerprint": "a1b2c3d4e5f60718",
                }
            ],
        }
    )
)

ENVELOPE_DOCS = _body(application__x_sentry_envelope=_BINARY)

WEBHOOK_DOCS = _body(application__json={"schema": {"type": "object"}})

BULK_DOCS = _body(
    application__x_ndjson={
        "schema": {"type": "string"},
        "example": '{"create": {"_index": "logs"}}\n{"@timestamp": "2026-02-07T12:00:00Z", "message": "refused"}\n',
    }
)

SUBSCRIPTION_DOCS = _body(application__json=_example({"awslogs": {"data": "H4sIAAAA…"}}))

FIREHOSE_DOCS = _body(
    application__json=_example(
        {"requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f", "timestamp": 1770465600000, "records": [{"data": "aGk="}]}
    )
)

SNS_DOCS = _body(text__plain={"schema": {"type": "string"}}, application__json={"schema": {"type": "object"}})
