"""Keys that clients put among their properties never reach a row."""

from __future__ import annotations

from typing import Any

import pytest

from detection.types import Event, LogRecord, MetricPoint, Span, SpanKind
from storage.telemetry.rows.keys import (
    events_without_keys,
    logs_without_keys,
    mapping_without_keys,
    points_without_keys,
    spans_without_keys,
    text_without_keys,
)

KEY = "argux_" + "aB3-_" * 8 + "xyz"


def event(properties: dict[str, Any]) -> Event:
    return Event("e1", "view", "u1", 0.0, properties)


def kept(properties: dict[str, Any]) -> Any:
    [found] = events_without_keys([event(properties)])
    return found.properties


@pytest.mark.parametrize(
    "name",
    ["token", "$token", "api_key", "apiKey", "write_key", "writeKey", "whatever", "DD-API-KEY", "Token"],
)
def test_the_senders_own_key_is_left_out_under_any_name_at_any_depth(name: str) -> None:
    assert kept({name: KEY, "page": "/", "context": {name: KEY, "list": [{name: KEY}, 1]}}) == {
        "page": "/", "context": {"list": [{}, 1]},
    }  # fmt: skip


def test_a_key_that_is_a_name_is_replaced() -> None:
    assert kept({KEY: 1, "of": {f"by {KEY}": "x"}}) == {"argux_…": 1, "of": {"by argux_…": "x"}}


def test_a_key_inside_a_text_is_replaced() -> None:
    assert kept({"url": f"https://a/?key={KEY}&x=1"}) == {"url": "https://a/?key=argux_…&x=1"}
    [record] = logs_without_keys([LogRecord("1", "shop", None, 0.0, "INFO", f"Bearer {KEY} refused", None, {"k": KEY})])
    assert (record.body, record.attributes) == ("Bearer argux_… refused", {})


@pytest.mark.parametrize(
    "properties",
    [
        {"api_key": "0123456789abcdef"},
        {"write_key": "s3cret"},
        {"token": "phc_8Q2rJx0LkPz7vWm4"},
        {"$token": "9f86d081884c7d659a2feaa0c55ad015"},
    ],
)
def test_another_systems_key_is_left_out_by_its_name(properties: dict[str, Any]) -> None:
    assert kept({**properties, "plan": "gold"}) == {"plan": "gold"}


@pytest.mark.parametrize(
    "properties",
    [
        {"token": "BTC", "tokens": 117, "api_key": None, "key": "arrow-left"},
        {"token": 7, "product": "argux_mug", "argux_plan": "gold"},
        {"deep": {"list": ["argux_", 1, None]}},
    ],
)
def test_ordinary_properties_are_unchanged(properties: dict[str, Any]) -> None:
    assert kept(properties) == properties


def test_records_without_a_key_pass_untouched() -> None:
    events = [event({"plan": "gold"})]
    points = [MetricPoint("1", "cpu", "shop", 0.0, 1.0, attributes={"host": "a"})]
    assert events_without_keys(events) is events
    assert points_without_keys(points) is points
    assert points_without_keys([MetricPoint("1", "cpu", "shop", 0.0, 1.0, attributes={"k": KEY})])[0].attributes == {}


TEXTS = [
    "paid in 3 ms",
    "",
    f"Bearer {KEY} refused",
    "password=hunter2 was wrong",
    "PASSWORD: hunter2İ",
    "the key of the map: Seoul",
    "postgres://shop:s3cretpw@db:5432/orders",
    "AKIAABCDEFGHIJKLMNOP",
    "token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl and more",
    "\ud800 ghp_abcdefghijklmnopqrstuvwxyz0123",
    "sİgnature=abc",
]


def test_many_lines_together_lose_the_same_as_each_by_itself_and_those_without_a_key_stay_as_they_are() -> None:
    attributes: list[dict[str, Any]] = [
        {},
        {"token": "phc_8Q2rJx0LkPz7vWm4"},
        {"n": float("nan"), "of": [1, {"a": "b"}]},
    ]
    records = [
        LogRecord(f"{text}{number}", "shop", None, 0.0, "INFO", text, None, {**found, "text": text})
        for text in TEXTS
        for number, found in enumerate(attributes)
    ]

    for before, after in zip(records, logs_without_keys(records), strict=True):
        assert after.body == text_without_keys(before.body)
        assert repr(after.attributes) == repr(mapping_without_keys(before.attributes))
        assert (after is before) == (repr(after) == repr(before))


def test_many_spans_together_lose_the_same_as_each_by_itself_and_those_without_a_key_stay_as_they_are() -> None:
    spans = [
        Span("t", "s", None, SpanKind.OTHER, name, "shop", None, 0.0, 1.0, False, endpoint, None, statement)
        for name in TEXTS
        for endpoint in (None, "", *TEXTS[:4])
        for statement in (None, "", *TEXTS[2:5])
    ]

    for before, after in zip(spans, spans_without_keys(spans), strict=True):
        assert after.name == text_without_keys(before.name)
        assert after.endpoint == (before.endpoint and text_without_keys(before.endpoint))
        assert after.statement == (before.statement and text_without_keys(before.statement))
        assert (after is before) == (after == before)
