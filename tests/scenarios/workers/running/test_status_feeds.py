"""Status pages of providers are read, kept current, and hinder nothing when they are down; on a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.setup import probes
from detection.types import ProviderStatus
from integrations import status_feeds as feeds
from integrations.errors import RejectedError
from storage.surroundings.provider_statuses import statuses_between
from tests.scenarios.workers.worker import Clock
from workers.running.status_feeds import read_status_feeds
from workers.services import Services
from workers.watching.status_feeds import FeedState, feed_states

INCIDENT = {"id": "p31", "name": "Elevated errors", "status": "investigating", "impact": "major"}


class Page:
    """A status page: what it says, and with which status it answers."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.status = 200
        self.asked = 0
        self.location = ""

    def say(self, incidents: list[dict[str, Any]], components: list[dict[str, Any]] | None = None) -> None:
        self.documents = {
            "/api/v2/summary.json": {"page": {"name": "Pay"}, "incidents": incidents, "components": components or []},
            "/api/v2/incidents.json": {"page": {"name": "Pay"}, "incidents": incidents},
        }


@pytest.fixture
def page(services: Services) -> Iterator[Page]:
    page = Page()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page.asked += 1
            body = json.dumps(page.documents.get(self.path, {})).encode()
            self.send_response(page.status if self.path in page.documents else 404)
            if page.location:
                self.send_header("Location", page.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    services.settings = services.settings.model_copy(update={"status_feeds": {"pay": address}})
    yield page
    server.shutdown()
    server.server_close()
    thread.join()


def kept(services: Services, clock: Clock) -> list[ProviderStatus]:
    with services.readers() as session:
        return statuses_between(session, clock() - timedelta(days=2), clock() + timedelta(days=1))


def state(services: Services) -> FeedState:
    with services.readers() as session:
        [found] = feed_states(services, session)
    return found


def test_an_incident_is_kept_until_the_page_says_that_it_is_resolved(
    services: Services, clock: Clock, page: Page
) -> None:
    began = clock() - timedelta(minutes=10)
    page.say([{**INCIDENT, "created_at": began.isoformat()}])
    read_status_feeds(services)
    [status] = kept(services, clock)
    assert (status.provider, status.title, status.began_at, status.ended_at) == (
        "pay", "Elevated errors", began.timestamp(), None,
    )  # fmt: skip
    page.say([{**INCIDENT, "status": "resolved", "created_at": began.isoformat(), "resolved_at": clock().isoformat()}])
    read_status_feeds(services)
    assert [one.ended_at for one in kept(services, clock)] == [clock().timestamp()]
    assert state(services).read_at == clock().timestamp()


def test_a_component_that_works_again_is_over(services: Services, clock: Clock, page: Page) -> None:
    page.say([], [{"id": "c1", "name": "API", "status": "major_outage", "updated_at": clock().isoformat()}])
    read_status_feeds(services)
    assert [one.ended_at for one in kept(services, clock)] == [None]
    clock.forward(120)
    page.say([], [{"id": "c1", "name": "API", "status": "operational"}])
    read_status_feeds(services)
    assert [one.ended_at for one in kept(services, clock)] == [clock().timestamp()]


def test_a_page_that_is_down_is_asked_less_often_and_what_is_known_stays(
    services: Services, clock: Clock, page: Page
) -> None:
    page.say([{**INCIDENT, "created_at": clock().isoformat()}])
    read_status_feeds(services)
    page.status, failing_since = 503, clock().timestamp()
    asked = []
    for _ in range(16):
        before = page.asked
        read_status_feeds(services)
        asked.append(page.asked > before)
        clock.forward(60)
    assert asked == [minute in (0, 1, 3, 7, 15) for minute in range(16)]
    failing = state(services)
    assert (failing.failures, failing.failing_since) == (5, failing_since)
    assert "HTTP 503" in failing.reason
    assert [one.ended_at for one in kept(services, clock)] == [None]
    page.status = 200
    clock.forward(1800)
    read_status_feeds(services)
    assert (state(services).failures, state(services).reason) == (0, "")


def test_a_page_that_is_down_does_not_hinder_another(services: Services, clock: Clock, page: Page) -> None:
    page.say([{**INCIDENT, "created_at": clock().isoformat()}])
    working = services.settings.status_feeds["pay"]
    both = {"away": "http://127.0.0.1:1", "pay": working}
    services.settings = services.settings.model_copy(update={"status_feeds": both})
    read_status_feeds(services)
    assert [one.provider for one in kept(services, clock)] == ["pay"]
    with services.readers() as session:
        assert [one.failures for one in feed_states(services, session)] == [1, 0]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://10.0.0.7", "private network"),
        ("http://status.example", "must begin with https://"),
        ("https://169.254.169.254", "private network"),
    ],
)
def test_an_address_within_a_private_network_is_not_asked(address: str, said: str) -> None:
    with pytest.raises(RejectedError, match=said):
        feeds.read_feed("pay", address, now=1_770_465_600.0)


def test_what_is_no_status_page_too_long_or_moved_is_said(
    services: Services, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = services.settings.status_feeds["pay"]
    page.documents = {"/api/v2/summary.json": {"hello": 1}}
    with pytest.raises(RejectedError, match="not a Statuspage's"):
        feeds.read_feed("pay", address, now=1_770_465_600.0)
    page.say([])
    page.status, page.location = 301, "https://elsewhere.example"
    with pytest.raises(RejectedError, match=r"moved to https://elsewhere\.example"):
        feeds.read_feed("pay", address, now=1_770_465_600.0)
    page.status = 200
    monkeypatch.setattr(feeds, "MOST_BYTES", 10)
    with pytest.raises(RejectedError, match="more than 10 bytes"):
        feeds.read_feed("pay", address, now=1_770_465_600.0)


def test_the_doctor_says_how_the_pages_are_and_which_cannot_be_read(
    services: Services, clock: Clock, page: Page
) -> None:
    page.say([])
    assert probes.status_feeds(services.settings) == "pay: all well"
    page.status = 500
    with pytest.raises(probes.TroubleError, match=r"status page of pay.*HTTP 500"):
        probes.status_feeds(services.settings)
