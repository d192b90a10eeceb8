"""A stand-in for Elasticsearch: implements the parts of its documented search API that a pull uses.

A point in time is a snapshot, hits are sorted by time and shard position, search_after continues after a hit.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Elasticsearch:
    """The server's state. The next point in time sees `documents`; the search number `fail_at` (from 1) answers 503."""

    api_key: str
    url: str = ""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    searches: list[dict[str, Any]] = field(default_factory=list)
    fail_at: int | None = None

    def open_point(self) -> str:
        name = f"point-{len(self.points)}"
        self.points[name] = dict(self.documents)
        return name

    def field_caps(self, index: str, name: str) -> tuple[int, dict[str, Any]]:
        """There is the index logs-shop; a pattern that matches nothing is answered with no index, a name with 404."""
        pattern = unquote(index)
        if not fnmatch("logs-shop", pattern):
            missing = {"error": {"type": "index_not_found_exception", "reason": f"no such index [{pattern}]"}}
            return (200, {"indices": [], "fields": {}}) if "*" in pattern else (404, missing)
        has_it = any(name in source for source in self.documents.values())
        return 200, {"indices": ["logs-shop"], "fields": {name: {"date": {"type": "date"}}} if has_it else {}}

    def search(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.searches.append(request)
        if self.fail_at == len(self.searches):
            return 503, {"error": {"type": "unavailable", "reason": "shards are moving"}, "status": 503}
        name = request["pit"]["id"]
        if name not in self.points:
            return 404, {"error": {"type": "search_context_missing_exception", "reason": "no such point"}}
        [between], [words] = ([each[kind] for each in request["query"]["bool"]["filter"] if kind in each]
                              for kind in ("range", "query_string"))  # fmt: skip
        [(time_field, bounds)] = between.items()
        assert [list(each) for each in request["sort"]] == [[time_field], ["_shard_doc"]]
        assert words["query"]
        hits: list[dict[str, Any]] = []
        for place, (document_id, source) in enumerate(self.points[name].items()):
            moment = milliseconds(source[time_field])
            if bounds["gte"] <= moment <= bounds["lte"]:
                hits.append({"_index": "logs-shop", "_id": document_id, "_source": source, "sort": [moment, place]})
        hits.sort(key=lambda hit: hit["sort"])
        after = request.get("search_after")
        following = [hit for hit in hits if after is None or hit["sort"] > after]
        return 200, {"pit_id": name, "timed_out": False, "hits": {"hits": following[: request["size"]]}}


def milliseconds(written: str) -> int:
    return round(datetime.fromisoformat(written).timestamp() * 1000)


def _handler(server: Elasticsearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            if self.headers.get("Authorization") != f"ApiKey {server.api_key}":
                self._answer(401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}})
            elif self.command == "POST" and parts.path.endswith("/_pit"):
                assert parse_qs(parts.query)["keep_alive"]
                self._answer(200, {"id": server.open_point()})
            elif self.command == "POST" and parts.path == "/_search":
                self._answer(*server.search(json.loads(content)))
            elif self.command == "DELETE" and parts.path == "/_pit":
                gone = server.points.pop(json.loads(content)["id"], None)
                self._answer(200, {"succeeded": gone is not None, "num_freed": int(gone is not None)})
            elif self.command == "GET" and parts.path.endswith("/_field_caps"):
                self._answer(*server.field_caps(parts.path.split("/")[1], parse_qs(parts.query)["fields"][0]))
            else:
                self._answer(200, {"cluster_name": "acme", "version": {"number": "9.0.0"}})

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@contextmanager
def running_elasticsearch(api_key: str) -> Iterator[Elasticsearch]:
    found = Elasticsearch(api_key)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(found)) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()
