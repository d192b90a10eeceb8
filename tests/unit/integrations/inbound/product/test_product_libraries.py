"""Valid and invalid bodies of Segment, Amplitude and Mixpanel."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from detection.types import Event
from integrations.inbound.product.amplitude import Upload, group_rejections, is_upload, parse_upload
from integrations.inbound.product.mixpanel import NDJSON, Tracked, parse_tracked
from integrations.inbound.product.segment import Messages, parse_messages
from integrations.inbound.reading.forms import FORM
from integrations.inbound.reading.records import PayloadError, PayloadTooLargeError

NOW = 1_770_465_600.0  # 2026-02-07T12:00:00Z
LIMIT = 1_000_000


def written(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


def segment(payload: object, call: str | None = None, **options: Any) -> Messages:
    return parse_messages(written(payload), call=call, now=NOW, max_decoded_bytes=LIMIT, **options)


def amplitude(payload: object, **options: Any) -> Upload:
    return parse_upload(written(payload), now=NOW, max_decoded_bytes=LIMIT, **options)


def mixpanel(payload: object, *, needs_time: bool = False, **options: Any) -> Tracked:
    return parse_tracked(written(payload), needs_time=needs_time, now=NOW, max_decoded_bytes=LIMIT, **options)


def track(**changes: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "Paid", "timestamp": "2026-02-07T11:59:00Z", **changes}


def upload(*events: dict[str, Any]) -> dict[str, Any]:
    return {"api_key": "argux_key", "events": list(events)}


def tracked(**properties: Any) -> dict[str, Any]:
    return {"event": "Paid", "properties": {"token": "argux_key", "distinct_id": "u1", **properties}}


def test_a_segment_track_keeps_its_name_its_id_and_its_breakdown_properties() -> None:
    context = {"location": {"country": "DE"}, "device": {"type": "ios"}, "os": {"name": "iOS"}, "app": "odd"}
    found = segment(
        {"writeKey": "argux_key", "batch": [track(messageId="m-1", context=context, properties={"os": 17})]}
    )
    assert found.write_key == "argux_key"
    assert found.events.records == [
        Event("m-1", "Paid", "u1", NOW - 60, {"country": "DE", "device": "ios", "os": 17}),
    ]


def test_a_single_segment_message_has_the_type_of_its_url() -> None:
    [event] = segment(
        {"anonymousId": "a1", "traits": {"plan": "free"}, "type": "track"}, call="identify"
    ).events.records
    assert (event.event, event.user_id, event.happened_at, event.properties) == (
        "identify",
        "a1",
        NOW,
        {"plan": "free"},
    )


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (track(type="purchase"), "batch[1].type"),
        (track(event=None), "batch[1].event"),
        (track(event=7), "batch[1].event"),
        (track(userId=None), "batch[1].userId"),
        (track(userId={"id": 1}), "batch[1].userId"),
        (track(userId="u" * 201), "batch[1].userId"),
        (track(timestamp="yesterday"), "batch[1].timestamp"),
        (track(timestamp="2996-02-07T11:59:00Z"), "batch[1].timestamp"),
        (track(properties=[]), "batch[1].properties"),
        ("text", "batch[1]"),
    ],
)
def test_an_invalid_segment_message_is_rejected_with_its_path_and_the_others_are_kept(message: Any, field: str) -> None:
    found = segment({"batch": [track(), message, track(userId="u2")]}).events
    assert [event.user_id for event in found.records] == ["u1", "u2"]
    assert [(rejection.index, rejection.field) for rejection in found.rejections] == [(1, field)]


def test_an_amplitude_event_may_use_the_device_id_as_user_and_milliseconds_as_time() -> None:
    given = {"device_id": "d1", "event_type": "Paid", "time": int(NOW * 1000) - 500, "revenue": 12.5, "os_name": "iOS"}
    found = amplitude(upload(given))
    assert found.api_key == "argux_key"
    [event] = found.events.records
    assert (event.user_id, event.happened_at, event.properties) == ("d1", NOW - 0.5, {"revenue": 12.5, "os": "iOS"})


def test_an_amplitude_insert_id_is_unique_per_device() -> None:
    given = {"user_id": "u1", "event_type": "Paid", "insert_id": "i-1"}
    again = {**given, "event_properties": {"retry": True}}
    other = {**given, "device_id": "d2"}
    first, second, third = (event.event_id for event in amplitude(upload(given, again, other)).events.records)
    assert first == second != third


def test_the_amplitude_response_groups_missing_and_invalid_fields_by_index() -> None:
    good = {"user_id": "u1", "event_type": "Paid"}
    rejections = amplitude(
        upload(good, {"event_type": "Paid"}, {"user_id": "u1"}, {**good, "time": 5}, {**good, "user_id": []})
    ).events.rejections
    assert group_rejections(rejections) == {
        "events_with_missing_fields": {"user_id": [1], "event_type": [2]},
        "events_with_invalid_fields": {"time": [3], "user_id": [4]},
    }


SPOILT = [b"NaN", b"1e999", b'"\xff"', b'["]}", NaN]']


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_record_that_is_not_json_affects_only_itself_in_segment_and_amplitude_batches(spoilt: bytes) -> None:
    messages = written({"batch": [track(properties={"a": "#"}), track()], "writeKey": "argux_key"})
    of_segment = segment(messages.replace(b'"#"', spoilt))
    assert (of_segment.write_key, len(of_segment.events.records)) == ("argux_key", 1)
    assert of_segment.events.rejections[0].field.startswith("batch[0]")
    good = {"user_id": "u1", "event_type": "Paid"}
    events = written({"events": [good | {"event_properties": {"events": "#"}}, good], "api_key": "argux_key"})
    of_amplitude = amplitude(events.replace(b'"#"', spoilt))
    assert is_upload(events.replace(b'"#"', spoilt))
    assert (of_amplitude.api_key, len(of_amplitude.events.records)) == ("argux_key", 1)
    assert of_amplitude.events.rejections[0].field.startswith("events[0]")


def test_an_amplitude_body_is_distinguished_from_a_posthog_body() -> None:
    assert is_upload(written(upload()))
    assert not is_upload(b'{"api_key": "k", "batch": []}')
    assert not is_upload(b"[]")


@pytest.mark.parametrize("encode", [lambda text: text, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_mixpanel_form_may_contain_json_or_base64(encode: Any) -> None:
    body = urlencode({"data": encode(json.dumps(tracked(plan="free"))), "verbose": 1}).encode()
    found = mixpanel(body, content_type=FORM)
    assert found.token == "argux_key"
    [event] = found.events.records
    assert (event.event, event.user_id, event.happened_at, event.properties) == ("Paid", "u1", NOW, {"plan": "free"})


def test_base64_with_spaces_instead_of_plus_signs_is_read() -> None:
    text = json.dumps(tracked(plan="~~~>>>"))
    while "+" not in (encoded := base64.b64encode(text.encode()).decode()):
        text += " "
        assert len(text) < 200, "no plus sign found"
    assert len(mixpanel(f"data={encoded}".encode(), content_type=FORM).events.records) == 1


def test_mixpanel_lines_and_arrays_give_the_same_events() -> None:
    events = [tracked(time=NOW - 5, **{"$insert_id": f"i-{n}"}) for n in range(2)]
    lines = b"\n".join(written(event) for event in events)
    assert mixpanel(lines, content_type=NDJSON, needs_time=True) == mixpanel(events, needs_time=True)


def test_mixpanel_import_requires_a_time_and_track_does_not() -> None:
    assert len(mixpanel(tracked()).events.records) == 1
    [rejection] = mixpanel([tracked()], needs_time=True).events.rejections
    assert (rejection.field, rejection.message) == ("[0].properties.time", "is missing")


@pytest.mark.parametrize("body", [b"", b"{", b"[", b'{"batch": 7}', b'{"events": {}}', b"null", b"\xff", b"[" * 20_000])
def test_a_body_of_the_wrong_shape_is_refused(body: bytes) -> None:
    for read in (segment, amplitude):
        with pytest.raises(PayloadError):
            read(body)


@pytest.mark.parametrize("body", [b"", b"verbose=1", b"data=%FF", b"data=!", b"\xff\xfe", b"&".join([b"a=1"] * 80)])
def test_a_form_without_valid_data_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        mixpanel(body, content_type=FORM)


def test_a_decompression_bomb_is_stopped_at_the_limit_and_truncated_gzip_is_refused() -> None:
    bomb, cut = gzip.compress(b" " * 20_000_000), gzip.compress(written(upload()))[:-4]
    for read in (segment, amplitude, mixpanel):
        with pytest.raises(PayloadTooLargeError):
            read(bomb, content_encoding="gzip")
        with pytest.raises(PayloadError, match="cut short"):
            read(cut, content_encoding="gzip")


def test_a_nul_is_replaced_and_a_very_long_text_is_kept() -> None:
    [event] = segment({"batch": [track(properties={"nul": "a\x00b", "long": "x" * 900_000})]}).events.records
    assert event.properties["nul"] == "a\ufffdb"
    assert len(str(event.properties["long"])) == 900_000
