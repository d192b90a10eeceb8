"""What the fake doors received from the shop's stock clients."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Request:
    """One HTTP request that the shop served, read from its traces."""

    endpoint: str
    version: str
    statements: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Received:
    """Everything that the doors received, unchanged."""

    url: str = ""
    trace_bodies: list[bytes] = field(default_factory=list)
    log_bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def requests(self) -> list[Request]:
        """Return the server spans with their SQL statements, ordered by start time."""
        servers: dict[bytes, tuple[int, Request]] = {}
        queries: list[tuple[int, bytes, str]] = []
        for body in list(self.trace_bodies):
            for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {pair.key: pair.value.string_value for pair in resource_spans.resource.attributes}
                assert resource["service.name"] == "shop"
                for span in (span for scope in resource_spans.scope_spans for span in scope.spans):
                    attributes = {
                        pair.key: pair.value.string_value or str(pair.value.int_value) for pair in span.attributes
                    }
                    if span.kind == span.SPAN_KIND_SERVER:
                        request = Request(span.name, resource["service.version"], [], attributes)
                        servers[span.span_id] = (span.start_time_unix_nano, request)
                    else:
                        queries.append(
                            (span.start_time_unix_nano, span.parent_span_id, attributes["db.statement"].strip())
                        )
        for _, parent, statement in sorted(queries):
            if parent in servers:
                servers[parent][1].statements.append(statement)
        return [request for _, request in sorted(servers.values(), key=lambda pair: pair[0])]

    def warnings(self) -> list[str]:
        """Return the text of every log record."""
        return [
            record.body.string_value
            for body in list(self.log_bodies)
            for resource_logs in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource_logs.scope_logs
            for record in scope.log_records
        ]

    def record(self, path: str, secret: str | None, body: bytes) -> None:
        """Record one request."""
        if path == "/v1/traces":
            self.trace_bodies.append(body)
        elif path == "/v1/logs":
            self.log_bodies.append(body)
        elif path == "/batch/":
            batch = json.loads(body)
            secret = batch["api_key"]
            self.events.extend(batch["batch"])
        else:
            self.posted.append((path, json.loads(body)))
        if secret:
            self.secrets.add(secret)
