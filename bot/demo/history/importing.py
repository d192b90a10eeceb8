"""Import the past week through the same HTTP endpoints that live traffic uses."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.demo.behaviour import Step
from bot.demo.deployer import INVENTORY, SERVICE
from bot.demo.errors import DemoError, first_error
from bot.demo.history.visits import Visit
from bot.demo.history.wire import answer_spans, posthog_events, reserve_spans, trace_request
from bot.demo.posting import post

EVENTS_PER_BATCH = 2000
SPANS_PER_BATCH = 2000
CONNECTIONS = 2


@dataclass(slots=True)
class ImportCounts:
    """How many visits, events and spans were imported."""

    visits: int = 0
    events: int = 0
    spans: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """One HTTP request to a door, and how much it contains."""

    path: str
    content_type: str
    body: bytes
    counts: ImportCounts


async def import_history(
    base_url: str, api_key: str, batches: Iterator[Batch], report: Callable[[ImportCounts], None]
) -> ImportCounts:
    """Send all batches over CONNECTIONS parallel connections. Call `report` with the running totals after each batch.

    Raises DemoError when a door refuses a batch or stays busy.
    """
    total = ImportCounts()
    queue: asyncio.Queue[Batch | None] = asyncio.Queue(maxsize=2 * CONNECTIONS)

    async def make() -> None:
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            await queue.put(batch)
        for _ in range(CONNECTIONS):
            await queue.put(None)

    async def send(client: httpx.AsyncClient) -> None:
        while (batch := await queue.get()) is not None:
            await _post(client, batch)
            total.visits += batch.counts.visits
            total.events += batch.counts.events
            total.spans += batch.counts.spans
            report(total)

    headers = {"Authorization": f"Bearer {api_key}"}
    client = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, trust_env=False)
    try:
        async with client, asyncio.TaskGroup() as group:
            group.create_task(make())
            for _ in range(CONNECTIONS):
                group.create_task(send(client))
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None
    return total


def make_batches(
    visits: Iterable[Visit],
    api_key: str,
    version_at: Callable[[float], str],
    random: Random,
    *,
    traced_share: float,
    traced_until: float = math.inf,
    inventory_version: str | None = None,
) -> Iterator[Batch]:
    """Turn visits into requests to the doors.

    version_at: returns the version of the shop that was live at a moment (seconds since the epoch).
    traced_share: the share of the visits, chosen at random, that get traces; every visit gets its events.
    traced_until: visits after this (seconds since the epoch) get no traces.
    inventory_version: the version of the inventory that each checkout asks; None if there is no inventory.
    """
    asked: list[Span] = []
    events: list[dict[str, Any]] = []
    spans: list[Span] = []
    version = ""
    visit_count = 0
    for visit in visits:
        visit_count += 1
        events += posthog_events(visit, random)
        if len(events) >= EVENTS_PER_BATCH:
            yield _event_batch(events, api_key, visit_count)
            events, visit_count = [], 0
        if random.random() >= traced_share or visit.answers[0].started_at > traced_until:
            continue
        version_now = version_at(visit.answers[0].started_at)
        if spans and (len(spans) >= SPANS_PER_BATCH or version_now != version):
            yield _span_batch(spans, version)
            spans = []
        version = version_now
        for answer in visit.answers:
            own = answer_spans(answer, random)
            spans += own
            if inventory_version is not None and answer.step is Step.CHECKOUT:
                asked += reserve_spans(own[0], random)
        if inventory_version is not None and len(asked) >= SPANS_PER_BATCH:
            yield _span_batch(asked, inventory_version, INVENTORY)
            asked = []
    if inventory_version is not None and asked:
        yield _span_batch(asked, inventory_version, INVENTORY)
    if events:
        yield _event_batch(events, api_key, visit_count)
    if spans:
        yield _span_batch(spans, version)


def _event_batch(events: list[dict[str, Any]], api_key: str, visits: int) -> Batch:
    body = json.dumps({"api_key": api_key, "historical_migration": True, "batch": events}).encode()
    return Batch("/batch/", "application/json", body, ImportCounts(visits=visits, events=len(events)))


def _span_batch(spans: list[Span], version: str, service: str = SERVICE) -> Batch:
    body = trace_request(spans, version, service)
    return Batch("/v1/traces", "application/x-protobuf", body, ImportCounts(spans=len(spans)))


async def _post(client: httpx.AsyncClient, batch: Batch) -> None:
    """Post one batch; wait and retry while the door is busy. Raises DemoError."""
    try:
        response = await post(client, batch.path, content=batch.body, headers={"Content-Type": batch.content_type})
    except httpx.TransportError as error:
        raise DemoError(f"{batch.path} did not take the history: {error!r}") from error
    if response.is_error:
        raise DemoError(f"{batch.path} refused a part of the history: {response.text[:300]}")
