"""How much longer a fault takes to become an incident while events keep coming, on SQLite and on PostgreSQL.

A whole Argux (web, worker, scheduler, broker, the local workspace), detection every 10 s. For two minutes each of no
load, single posts and batches, alerts of other monitors are fired one after the other, at moments spread over the
interval; the figure is how much longer the slowest of them took than the slowest without load. The lag is that of the
events at the end of the load.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.stacks import DATABASES, stack_on
from tests.functional.load import (
    QUIET,
    Load,
    define_funnel,
    lag_seconds,
    seconds_until_an_alert_is_an_incident,
    sending,
)
from tests.functional.stack import Stack, eventually

LOADS = {"50": Load(50), "200": Load(200), "1000": Load(1000), "batches": Load(20, events_a_post=1000)}
SECONDS = 120.0
LONGER_BY_AT_MOST, LAG_AT_MOST = 5.0, 60.0
CALM_SECONDS = 300.0


def run(data: Path) -> Iterator[Figure]:
    for database in DATABASES:
        with stack_on(database) as (stack, _):
            yield from _measured(stack, database)


def _measured(stack: Stack, database: str) -> Iterator[Figure]:
    key = stack.key
    define_funnel(stack)
    quiet, _, _ = _slowest(stack, key, QUIET)
    for name, load in LOADS.items():
        slowest, lag, events_a_second = _slowest(stack, key, load)
        peer = f"without load, s; sent {events_a_second:,.0f} events/s"
        yield Figure(f"{database}_{name}_alert_s", slowest - quiet, "s", peer, quiet, at_most=LONGER_BY_AT_MOST)
        yield Figure(f"{database}_{name}_lag_s", lag, "s", "sent, events/s", events_a_second, at_most=LAG_AT_MOST)
        eventually(lambda: max(lag_seconds(stack).values()) < 1, seconds=CALM_SECONDS, what="everything to be counted")


def _slowest(stack: Stack, key: str, load: Load) -> tuple[float, float, float]:
    """Return the slowest alert in seconds, the lag of events at the end in seconds, and events sent per second."""
    began, slowest, turn = time.monotonic(), 0.0, 0
    with sending(stack, key, load) as counts:
        while time.monotonic() - began < SECONDS:
            name = f"{load.posts_a_second:g}-{load.events_a_post}-{turn}"
            slowest = max(slowest, seconds_until_an_alert_is_an_incident(stack, f"alert-{name}"))
            turn += 1
        lag, seconds = lag_seconds(stack)["events"], time.monotonic() - began
    return slowest, lag, counts.get("sent", 0) * load.events_a_post / seconds
