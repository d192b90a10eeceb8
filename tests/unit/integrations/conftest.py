from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from tests.unit.integrations.loopback import Loopback, handler_of


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    found = Loopback(url="")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(found)) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()
