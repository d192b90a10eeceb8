"""What a product library sends before and after a sign-in counts as one person in the funnel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detection.types import FunnelDefinition, FunnelStep
from workers.services import Services

NOON = 1_770_465_600
FUNNEL = FunnelDefinition(1, "Club", (FunnelStep("seen", "seen"), FunnelStep("joined", "joined")), 1800.0, 7)

Send = tuple[str, dict[str, Any]]
"""A path, and how to post to it."""


def iso(second: int) -> str:
    return f"2026-02-07T12:{second // 60:02}:{second % 60:02}.000Z"


def segment(key: str) -> list[Send]:
    def one(call: str, second: int, **fields: Any) -> Send:
        return f"/v1/{call}", {"json": {**fields, "writeKey": key, "timestamp": iso(second), "messageId": f"s{second}"}}

    return [
        one("track", 1, event="seen", anonymousId="browser-1"),
        one("identify", 2, userId="ana", anonymousId="browser-1"),
        one("track", 3, event="joined", userId="ana"),
    ]


def segment_alias(key: str) -> list[Send]:
    first, _, last = segment(key)
    alias = {"userId": "ana", "previousId": "browser-1", "writeKey": key, "timestamp": iso(2)}
    return [first, ("/v1/alias", {"json": alias}), last]


def posthog(key: str) -> list[Send]:
    def one(event: str, who: str, second: int, **properties: Any) -> Send:
        sent = {"event": event, "distinct_id": who, "timestamp": iso(second), "properties": properties}
        return "/batch/", {"json": {"api_key": key, "batch": [sent]}}

    return [
        one("seen", "browser-1", 1, **{"$process_person_profile": False}),
        one("$identify", "ana", 2, **{"$anon_distinct_id": "browser-1"}),
        one("joined", "ana", 3),
    ]


def posthog_merge(key: str) -> list[Send]:
    first, _, last = posthog(key)
    merge = {"event": "$merge_dangerously", "distinct_id": "ana", "properties": {"alias": "browser-1"}}
    return [first, ("/capture/", {"json": {**merge, "api_key": key, "timestamp": iso(2)}}), last]


def amplitude(key: str) -> list[Send]:
    def one(event: str, second: int, **ids: str) -> Send:
        return "/2/httpapi", {"json": {"api_key": key, "events": [{"event_type": event, "time": NOON + second, **ids}]}}

    return [
        one("seen", 1, device_id="phone-1"),
        one("session_start", 2, device_id="phone-1", user_id="ana"),
        one("joined", 3, user_id="ana", device_id="laptop-1"),
    ]


def amplitude_identify(key: str) -> list[Send]:
    first, _, last = amplitude(key)
    who = json.dumps({"user_id": "ana", "device_id": "phone-1"})
    return [first, ("/identify", {"data": {"api_key": key, "identification": who}}), last]


def amplitude_mapping(key: str) -> list[Send]:
    first, _, last = amplitude(key)
    who = json.dumps([{"user_id": "phone-1", "global_user_id": "ana"}])
    return [first, ("/usermap", {"data": {"api_key": key, "mapping": who}}), last]


def mixpanel_events(key: str, *events: tuple[str, dict[str, Any]]) -> list[Send]:
    return [
        ("/track", {"json": [{"event": event, "properties": {"token": key, "time": NOON + second, **properties}}]})
        for second, (event, properties) in enumerate(events)
    ]


def mixpanel_simplified(key: str) -> list[Send]:
    both = {"$device_id": "d-1", "$user_id": "ana", "distinct_id": "ana"}
    seen = ("seen", {"distinct_id": "$device:d-1", "$device_id": "d-1"})
    return mixpanel_events(key, seen, ("opened", both), ("joined", {"distinct_id": "ana"}))


def mixpanel_original(key: str) -> list[Send]:
    sign_in = ("$identify", {"$identified_id": "ana", "$anon_id": "d-1"})
    return mixpanel_events(key, ("seen", {"distinct_id": "d-1"}), sign_in, ("joined", {"distinct_id": "ana"}))


def mixpanel_merge(key: str) -> list[Send]:
    merge = ("$merge", {"$distinct_ids": ["ana@acme.example", "ana"]})
    seen = ("seen", {"distinct_id": "ana@acme.example"})
    return mixpanel_events(key, seen, merge, ("joined", {"distinct_id": "ana"}))


def by_hand(key: str) -> list[Send]:
    def one(event: str, second: int, **ids: str) -> Send:
        return "/api/events", {
            "json": {"event": event, "timestamp": NOON + second, **ids},
            "headers": {"X-API-Key": key},
        }

    return [
        one("seen", 1, anonymous_id="cookie-1"),
        one("opened", 2, user_id="ana", anonymous_id="cookie-1"),
        one("joined", 3, user_id="ana"),
    ]


SENDERS = [
    segment, segment_alias, posthog, posthog_merge, amplitude, amplitude_identify, amplitude_mapping,
    mixpanel_simplified, mixpanel_original, mixpanel_merge, by_hand,
]  # fmt: skip


def roll_up(services: Services) -> tuple[int, int]:
    """Roll up what came; return how many entered the funnel and how many converted."""
    while services.telemetry.roll_up([FUNNEL], now=NOON + 1800).events:
        pass
    found = services.telemetry.funnel_series(1, since=NOON, until=NOON + 1800, bucket_seconds=3600, everyone_only=True)
    return int(found[0].entries.sum()), int(found[0].reached[:, -1].sum())


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0)])
@pytest.mark.parametrize("sender_of", SENDERS)
def test_a_funnel_across_the_sign_in_converts_in_whatever_order_it_arrives(
    client: TestClient,
    services: Services,
    sender: dict[str, str],
    sender_of: Callable[[str], list[Send]],
    order: tuple[int, ...],
) -> None:
    sent = sender_of(sender["Authorization"].removeprefix("Bearer "))
    for index in order:
        path, how = sent[index]
        answer = client.post(path, **how)
        assert answer.status_code in (200, 201), answer.text
        roll_up(services)
    assert roll_up(services) == (1, 1)


def test_a_person_is_followed_from_the_browser_to_the_server_whose_keys_and_libraries_differ(
    client: TestClient, services: Services, sender: dict[str, str], operator: dict[str, str]
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    for path, how in posthog(key)[:2]:
        client.post(path, **how)
    joined = {"event": "joined", "timestamp": NOON + 9, "user_id": "ana"}
    assert client.post("/api/events", json=joined, headers=operator).status_code == 201
    assert roll_up(services) == (1, 1)


def test_erasing_a_mixpanel_device_by_the_id_that_mixpanel_shows_erases_the_person(
    client: TestClient, services: Services, sender: dict[str, str], operator: dict[str, str]
) -> None:
    for path, how in mixpanel_simplified(sender["Authorization"].removeprefix("Bearer ")):
        client.post(path, **how)
    answer = client.delete("/api/users/$device:d-1", headers=operator)
    assert answer.json()["erased"]["events"] == 3
    assert services.telemetry.recent_events() == []


def cookieless(key: str, event: str, second: int, who: str = "$posthog_cookieless", **properties: Any) -> Send:
    sent = {"$host": "shop.example", "$cookieless_mode": True, **properties}
    one = {
        "event": event,
        "distinct_id": who,
        "uuid": f"{event}-{second}",
        "timestamp": iso(second),
        "properties": sent,
    }
    return "/e/", {"json": {"api_key": key, "batch": [one]}}


def test_visitors_without_cookies_are_told_apart_and_become_the_user_who_signs_in(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    phone = {"X-Forwarded-For": "198.51.100.7, 10.0.0.1", "User-Agent": "Phone/1"}
    laptop = {"X-Forwarded-For": "203.0.113.9", "User-Agent": "Laptop/2"}
    sign_in = {"$anon_distinct_id": "$posthog_cookieless"}
    sent = [
        (phone, cookieless(key, "seen", 1)),
        (laptop, cookieless(key, "seen", 2)),
        (laptop, cookieless(key, "joined", 4)),
        (phone, cookieless(key, "$identify", 5, "ana", **sign_in)),
        ({}, cookieless(key, "joined", 6, "ana")),
    ]
    for headers, (path, how) in sent:
        assert client.post(path, headers=headers, **how).status_code == 200
    assert roll_up(services) == (2, 2)
    kept = str(services.telemetry.recent_events())
    assert not [told for told in ("198.51.100.7", "203.0.113.9", "Phone/1", "Laptop/2") if told in kept]


def test_a_visitor_without_cookies_is_another_one_the_next_day_or_on_another_site(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    for path, how in (
        cookieless(key, "seen", 1),
        cookieless(key, "seen", 2),
        cookieless(key, "seen", 3, **{"$host": "b"}),
    ):
        client.post(path, **how)
    _, yesterday = cookieless(key, "seen", 4)
    yesterday["json"]["batch"][0]["timestamp"] = "2026-02-06T12:00:00Z"
    client.post("/e/", **yesterday)
    assert len({event.user_id for event in services.telemetry.recent_events()}) == 3
