"""A fake of Argux's doors that records what the stock clients post to it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.unit.bot.demo.doors import Received


@pytest.fixture(scope="module")
def received() -> Iterator[Received]:
    """Serve the doors on a loopback port for one test module, and return what they receive."""
    doors = Received()

    class Doors(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            doors.record(self.path, self.headers.get("X-API-Key"), body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Doors)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    doors.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield doors
    server.shutdown()
    thread.join()
    server.server_close()
