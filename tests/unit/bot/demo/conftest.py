"""A stand-in for Argux's doors that keeps what the stock clients post to it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Request:
    """One served call as the traces tell it."""

    endpoint: str
    version: str
    statements: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Received:
    """Everything that came through the doors, as it was sent."""

    url: str = ""
    trace_bodies: list[bytes] = field(default_factory=list)
    log_bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def requests(self) -> list[Request]:
        """Server spans with the statements under them, in the order of their start."""
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
        """The text of every log record."""
        return [
            record.body.string_value
            for body in list(self.log_bodies)
            for resource_logs in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource_logs.scope_logs
            for record in scope.log_records
        ]

    def take(self, path: str, secret: str | None, body: bytes) -> None:
        """Keep one request."""
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


@pytest.fixture(scope="module")
def received() -> Iterator[Received]:
    """The doors, open on a loopback port for one test module."""
    kept = Received()

    class Doors(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kept.take(self.path, self.headers.get("X-API-Key"), body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Doors)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()
