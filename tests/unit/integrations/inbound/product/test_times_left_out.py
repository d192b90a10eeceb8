"""An event whose time was left out, or is of a clock without a zone that runs ahead of Greenwich."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from detection.types import Event
from integrations.inbound.product.amplitude import parse_upload
from integrations.inbound.product.events import parse_events
from integrations.inbound.product.mixpanel import parse_tracked
from integrations.inbound.product.posthog import parse_capture
from integrations.inbound.product.segment import parse_messages
from integrations.inbound.reading.records import Parsed

NOW = 1_770_465_600.0
"""2026-02-07 12:00:00 UTC"""
Read = Callable[[Any, float], Event]


def options(now: float) -> dict[str, Any]:
    return {"now": now, "max_decoded_bytes": 1_000_000}


def segment(time: Any, now: float) -> Event:
    body = {"batch": [{"type": "track", "event": "paid", "userId": "ana", "timestamp": time}]}
    return parse_messages(json.dumps(body).encode(), **options(now)).events.records[0]


def rudderstack(time: Any, now: float) -> Event:
    body = {"batch": [{"type": "track", "event": "paid", "anonymousId": "b-1", "originalTimestamp": time}]}
    return parse_messages(json.dumps(body).encode(), **options(now)).events.records[0]


def posthog(time: Any, now: float) -> Event:
    body = {"api_key": "k", "batch": [{"event": "paid", "distinct_id": "ana", "timestamp": time}]}
    [event] = parse_capture(json.dumps(body).encode(), **options(now)).records.records
    assert isinstance(event, Event)
    return event


def amplitude(time: Any, now: float) -> Event:
    body = {"api_key": "k", "events": [{"event_type": "paid", "user_id": "ana", "time": time}]}
    return parse_upload(json.dumps(body).encode(), **options(now)).events.records[0]


def mixpanel(time: Any, now: float) -> Event:
    body = [{"event": "paid", "properties": {"token": "k", "distinct_id": "ana", "time": time}}]
    return parse_tracked(json.dumps(body).encode(), needs_time=False, **options(now)).events.records[0]


LIBRARIES = [segment, rudderstack, posthog, amplitude, mixpanel]


@pytest.mark.parametrize("time", [None, "", 0])
@pytest.mark.parametrize("read", LIBRARIES)
def test_an_event_whose_time_was_left_out_happened_when_it_came_and_counts_each_time(read: Read, time: Any) -> None:
    first, second = read(time, NOW), read(time, NOW + 3)
    assert (first.happened_at, second.happened_at) == (NOW, NOW + 3)
    assert first.event_id != second.event_id


@pytest.mark.parametrize("time", ["2026-02-07T11:59:48Z", NOW - 12, str(int(NOW - 12) * 1000)])
@pytest.mark.parametrize("read", LIBRARIES)
def test_an_event_with_a_time_is_the_same_when_it_is_sent_again(read: Read, time: Any) -> None:
    first, second = read(time, NOW), read(time, NOW + 3)
    assert first.happened_at == second.happened_at == NOW - 12
    assert first.event_id == second.event_id


@pytest.mark.parametrize("time", ["2026-02-07T12:59:55", "2026-02-07 17:29:55", "07.02.2026 23:00:00"])
@pytest.mark.parametrize("read", LIBRARIES)
def test_a_time_without_a_zone_that_lies_in_the_future_of_greenwich_happened_when_it_came(
    read: Read, time: str
) -> None:
    assert read(time, NOW).happened_at == NOW


def test_the_own_door_needs_a_time_and_history_too() -> None:
    own: Parsed[Event] = parse_events(b'{"event": "paid", "user_id": "ana", "timestamp": ""}', **options(NOW))
    history = parse_tracked(
        b'[{"event": "paid", "properties": {"token": "k", "distinct_id": "ana", "time": 0}}]',
        needs_time=True,
        **options(NOW),
    ).events
    assert [parsed.rejections[0].message for parsed in (own, history)] == ["is missing", "is missing"]
