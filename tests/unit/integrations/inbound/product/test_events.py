from __future__ import annotations

import gzip
import json
import re
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.types import Event
from integrations.inbound.product.events import parse_events
from integrations.inbound.reading.records import Parsed, PayloadError, PayloadTooLargeError

NOW = 1_770_465_600.0  # 2026-02-07T12:00:00Z
LIMIT = 1_000_000


def event(**changes: Any) -> dict[str, Any]:
    properties = {"user_id": "u1", "timestamp": "2026-02-07T12:00:00Z", "page": "/signup"}
    return {"event": "page_view", "properties": properties, **changes}


def parsed(payload: object, **options: Any) -> Parsed[Event]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return parse_events(body, **{"now": NOW, "max_decoded_bytes": LIMIT, **options})


def properties(**changes: Any) -> dict[str, Any]:
    return event(properties={**event()["properties"], **changes})


def test_one_object_an_array_and_ndjson_give_the_same_event() -> None:
    line = json.dumps(event()).encode()
    one = parsed(event()).records
    assert one == parsed([event()]).records
    assert one == parsed(line + b"\n\n" + line + b"\n").records[:1]
    assert one == parsed(line, content_type="application/x-ndjson").records
    assert one[0].event == "page_view"
    assert one[0].user_id == "u1"
    assert one[0].happened_at == NOW
    assert one[0].properties["page"] == "/signup"


def test_an_indented_object_over_several_lines_is_one_event() -> None:
    assert len(parsed(json.dumps(event(), indent=2).encode()).records) == 1


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-07T12:00:00Z",
        "2026-02-07T13:00:00+01:00",
        "2026-02-07T12:00:00.000",
        1_770_465_600,
        1_770_465_600.0,
        1_770_465_600_000,
        1_770_465_600_000_000,
        1_770_465_600_000_000_000,
    ],
)
def test_a_time_is_parsed_in_every_common_format(written: object) -> None:
    assert parsed(properties(timestamp=written)).records[0].happened_at == NOW


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"properties": {}}, "event"),
        (event(event=""), "event"),
        (event(event=7), "event"),
        (event(properties=[]), "properties"),
        (event(properties={"timestamp": 1_770_465_600}), "properties.user_id"),
        (properties(user_id=""), "properties.user_id"),
        (properties(user_id=["u1"]), "properties.user_id"),
        (properties(user_id=True), "properties.user_id"),
        (event(properties={"user_id": "u1"}), "properties.timestamp"),
        (properties(timestamp="yesterday"), "properties.timestamp"),
        (properties(timestamp=True), "properties.timestamp"),
        (properties(timestamp={}), "properties.timestamp"),
        (properties(timestamp=0), "properties.timestamp"),
        (properties(timestamp=-1), "properties.timestamp"),
        (properties(timestamp="9999-12-31T00:00:00Z"), "properties.timestamp"),
        (properties(timestamp=NOW + 7200), "properties.timestamp"),
        (event(event_id="x" * 201), "event_id"),
    ],
)
def test_a_malformed_event_is_refused_with_the_path_of_its_field(payload: dict[str, Any], field: str) -> None:
    alone = parsed(payload)
    assert (alone.records, [rejection.field for rejection in alone.rejections]) == ([], [field])
    among_others = parsed([event(), payload, event()])
    assert len(among_others.records) == 2
    assert [(rejection.index, rejection.field) for rejection in among_others.rejections] == [(1, f"[1].{field}")]


@pytest.mark.parametrize("bad", [b'{"event": ', b'{"event": "deep", "properties": {"a": ' + b"[" * 5_000])
def test_a_line_that_is_not_json_affects_only_itself(bad: bytes) -> None:
    line = json.dumps(event()).encode()
    result = parsed(b"\n".join([line, bad, line]), content_type="application/x-ndjson")
    assert len(result.records) == 2
    assert result.rejections[0].field == "[1]"


@pytest.mark.parametrize("body", [b"", b"  \n", b"hello", b"[{]", b'{"event"', b"\xff\xfe", b"[" * 50_000])
def test_a_body_that_is_not_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(PayloadError):
        parsed(body)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b'{"event": "\xff"}', "is not UTF-8"),
        (b'{"event": "nan", "properties": {"a": [NaN, "],\\"{"], "timestamp": 1770465600}}', "NaN is not JSON"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b'{"event": "huge", "properties": {"user_id": "u", "timestamp": 1' + b"0" * 400 + b"}}", "too large"),
        (b'{"event": "long", "properties": {"user_id": 1' + b"0" * 4_000 + b"}}", "at most|characters"),
    ],
)
def test_an_unreadable_event_affects_only_itself(bad: bytes, message: str) -> None:
    good = json.dumps(event()).encode()
    result = parsed(b"[" + b",".join([good, bad, good]) + b"]")
    assert len(result.records) == 2
    assert result.rejections[0].field.startswith("[1]")
    assert re.search(message, result.rejections[0].message)


@pytest.mark.parametrize(
    ("body", "told"),
    [(b"7", "it is 7"), (b"null", "it is null"), (b'"text"', "it is a text"), (b"-Infinity", "it is not JSON")],
)
def test_the_error_for_a_body_of_the_wrong_shape_says_what_to_send(body: bytes, told: str) -> None:
    with pytest.raises(PayloadError, match=rf"{told}; send an event \(an object\), an array") as refused:
        parsed(body)
    assert refused.value.field == ""


def test_array_elements_that_are_not_objects_are_rejected() -> None:
    result = parsed(b"[1, null]")
    assert (result.records, [rejection.field for rejection in result.rejections]) == ([], ["[0]", "[1]"])


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"NaN", "NaN is not JSON (byte 51 of this record)"),
        (b"-Infinity", "-Infinity is not JSON (byte 51 of this record)"),
        (b"1e999", "is too large a number"),
    ],
)
def test_a_number_that_is_none_is_named_by_its_property(written: bytes, told: str) -> None:
    bad = b'{"event": "paid", "properties": {"prices": [1.5, 2,' + written + b"]}}"
    [rejection] = parsed(b"[" + bad + b"]").rejections
    assert (rejection.index, rejection.field) == (0, "[0].properties.prices[2]")
    assert rejection.message.startswith(told)
    [of_a_line] = parsed(bad + b"\n", content_type="application/x-ndjson").rejections
    assert (of_a_line.field, of_a_line.message) == (rejection.field, rejection.message)


def test_the_senders_own_id_is_kept() -> None:
    for name in ("event_id", "uuid", "insert_id"):
        assert parsed(event(**{name: "abc"})).records[0].event_id == "abc"


def test_without_an_id_the_same_content_in_any_order_gets_the_same_id() -> None:
    turned = {"properties": dict(reversed(event()["properties"].items())), "event": "page_view"}
    first = parsed(event()).records[0].event_id
    assert parsed(turned).records[0].event_id == first
    assert parsed(properties(page="/other")).records[0].event_id != first


def test_a_gzip_body_is_read_with_or_without_a_content_encoding() -> None:
    body = json.dumps([event()] * 3).encode()
    assert len(parsed(gzip.compress(body), content_encoding="gzip").records) == 3
    assert len(parsed(gzip.compress(body)).records) == 3
    assert len(parsed(zlib.compress(body), content_encoding="deflate").records) == 3
    assert len(parsed(gzip.compress(body[:20]) + gzip.compress(body[20:])).records) == 3


def test_a_decompression_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"[" + b" " * 20_000_000 + b"]")
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLargeError, match="larger than 1,000,000 bytes"):
            parsed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"[]" * 100, mtime=0)[:-12], "gzip"), (b"[]", "gzip"), (b"[]", "br"), (b"\x1f\x8b garbage", "")],
)
def test_broken_or_unknown_compression_is_refused(body: bytes, encoding: str) -> None:
    with pytest.raises(PayloadError):
        parsed(body, content_encoding=encoding)


def test_a_nul_is_replaced_and_an_escaped_backslash_is_kept() -> None:
    body = json.dumps(properties(page="a\x00b", path="c:\\u0000")).encode()
    kept = parsed(body).records[0].properties
    assert kept["page"] == "a\ufffdb"
    assert kept["path"] == "c:\\u0000"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_raise_payload_error(body: bytes) -> None:
    try:
        result = parsed(body)
    except PayloadError:
        return
    assert result.records or result.rejections or body.strip() == b"[]"


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "event": st.text() | st.integers(),
                "properties": st.dictionaries(
                    st.sampled_from(["user_id", "timestamp", "page"]),
                    st.none()
                    | st.booleans()
                    | st.integers()
                    | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(),
                ),
            },
        ),
        max_size=8,
    )
)
def test_every_event_of_a_batch_is_either_accepted_or_refused(batch: list[dict[str, Any]]) -> None:
    result = parsed(batch)
    assert len(result.records) + len(result.rejections) == len(batch)
    assert all(rejection.field.startswith(f"[{rejection.index}]") for rejection in result.rejections)


@pytest.mark.parametrize("body", [b"[" + b"1," * 3_000_001 + b"1]", b"{}\n" * 3_000_002])
def test_a_body_with_millions_of_tiny_values_is_refused_before_it_uses_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError, match="more than 3,000,000 values; send fewer records at once"):
            parse_events(body, now=NOW, max_decoded_bytes=2 * len(body))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()
