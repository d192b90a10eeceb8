"""Generate the shop's telemetry, healthy or broken, for any period, as its clients would have sent it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import cycle
from random import Random

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.demo.behaviour import Shopper, Step, draw_shopper
from bot.demo.history.visits import HistoryPlan, Visit, make_visits
from bot.demo.history.wire import answer_spans, posthog_events, trace_request
from tests.functional.stack import posted

HEALTHY = {
    Step.SIGN_UP: [0.020, 0.022, 0.025, 0.031],
    Step.CART: [0.030, 0.034, 0.036, 0.045],
    Step.CHECKOUT: [0.050, 0.054, 0.060, 0.075],
    Step.PAYMENT: [0.025, 0.028, 0.030, 0.041],
}
BROKEN = HEALTHY | {Step.CHECKOUT: [0.95, 1.02, 1.1, 1.2]}
EXTRA_STATEMENT = "SELECT stock FROM products WHERE sku = ?"
EXTRA_QUERIES = 15
"""Three times what a healthy checkout makes; each is a span to write, to send, to parse and to store."""

BATCH = 2000
HISTORY_VISITS = 3000
SHOPPERS_PER_SECOND = 6.0
LONGEST_VISIT_SECONDS = 30.0
CROWD, EVERY, STRIDE = 101, 100, 39

Send = Callable[[str, bytes], None]
"""A function that sends a body to the door at a path."""


def to_doors(key: str, client: httpx.Client) -> Send:
    """Return a Send that posts to a running Argux."""

    def send(path: str, body: bytes) -> None:
        content_type = "application/json" if path == "/batch/" else "application/x-protobuf"
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type}
        posted(client, path, content=body, headers=headers)

    return send


def week_of_history(send: Send, *, now: float, version: str) -> None:
    """Send seven healthy days of telemetry that end half an hour ago."""
    plan = HistoryPlan(visits=HISTORY_VISITS, days=7.0, quiet_seconds=1800.0)
    _send(send, list(make_visits(plan, HEALTHY, now, Random(1), draw=usual_mix())), version, broken=False)


def traffic(send: Send, *, since: float, until: float, version: str, broken: bool) -> None:
    """Send the telemetry of shoppers who arrive between two times, with everything that they did until `until`."""
    visits = _arrivals(since, until, broken, usual_mix())
    _send(send, [_between(visit, 0.0, until) for visit in visits], version, broken=broken)


def usual_mix() -> Callable[[Random], Shopper]:
    """Return a source of shoppers in which any few dozen in a row have the same conversion rate as the whole crowd.

    With random shoppers the conversion rate would vary by a few percent between hours and between runs, so that the
    start time of a test would decide whether a recovery is visible in time.
    """
    dealt = cycle(_crowd())
    return lambda _: next(dealt)


@cache
def _crowd() -> list[Shopper]:
    random = Random(1)
    crowd = sorted(
        (draw_shopper(random) for _ in range(CROWD * EVERY)),
        key=lambda shopper: (len(shopper.wants), shopper.patience_seconds),
    )
    # A stride of the golden ratio visits all shoppers, and every short sequence contains each kind.
    return [crowd[place * STRIDE % CROWD * EVERY + EVERY // 2] for place in range(CROWD)]


def _arrivals(since: float, until: float, broken: bool, draw: Callable[[Random], Shopper]) -> list[Visit]:
    seconds = until - since
    plan = HistoryPlan(visits=int(SHOPPERS_PER_SECOND * seconds), days=seconds / 86_400, quiet_seconds=0.0)
    return list(make_visits(plan, BROKEN if broken else HEALTHY, until, Random(since), draw=draw))


def _between(visit: Visit, since: float, until: float) -> Visit:
    """Return the part of a visit that was answered after `since` and until `until`."""
    done = tuple(answer for answer in visit.answers if since < answer.started_at + answer.seconds <= until)
    return Visit(visit.user_id, visit.shopper, done)


def _send(send: Send, visits: Sequence[Visit], version: str, *, broken: bool) -> None:
    # Seed with the content, not only with the user: repeated ids would count as duplicates of earlier events.
    random = Random(str(visits[:1]))
    events = [event for visit in visits for event in posthog_events(visit, random)]
    spans = [
        span for visit in visits for answer in visit.answers for span in _spans(answer_spans(answer, random), broken)
    ]
    for start in range(0, len(events), BATCH):
        send("/batch/", json.dumps({"batch": events[start : start + BATCH]}).encode())
    for start in range(0, len(spans), BATCH):
        send("/v1/traces", trace_request(spans[start : start + BATCH], version))


def _spans(spans: list[Span], broken: bool) -> list[Span]:
    """Return the spans with children first, as an exporter sends them. A broken checkout adds a query per product."""
    server, *queries = spans
    if broken and server.name == f"POST {Step.CHECKOUT}":
        for number in range(EXTRA_QUERIES):
            extra = Span()
            extra.CopyFrom(queries[-1])
            extra.span_id = (int.from_bytes(server.span_id) ^ (number + 1)).to_bytes(8)
            for attribute in extra.attributes:
                if attribute.key == "db.statement":
                    attribute.value.string_value = EXTRA_STATEMENT
            queries.append(extra)
    return [*queries, server]


class Feeder:
    """Sends the shop's telemetry every two seconds until stopped. `version` and `broken` may change in between."""

    def __init__(self, send: Send, *, version: str, broken: bool) -> None:
        self.version, self.broken = version, broken
        self.failed = 0
        self._send = send
        self._draw = usual_mix()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> Feeder:
        self._sent_until = time.time()
        self._under_way: list[Visit] = []
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)

    def _feed(self) -> None:
        while not self._stop.wait(2.0):
            since, until = self._sent_until, time.time()
            self._under_way += _arrivals(since, until, self.broken, self._draw)
            news = [_between(visit, since, until) for visit in self._under_way]
            try:
                _send(self._send, [visit for visit in news if visit.answers], self.version, broken=self.broken)
            except httpx.TransportError:
                self.failed += 1
            self._sent_until = until
            recently = until - LONGEST_VISIT_SECONDS
            self._under_way = [visit for visit in self._under_way if visit.answers[0].started_at > recently]
