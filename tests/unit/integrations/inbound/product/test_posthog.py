"""PostHog's forms, arrays and exceptions. test_real_senders covers what its own library sends."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from detection.types import Event, LogRecord
from integrations.inbound.product.posthog import Capture, parse_capture
from integrations.inbound.reading.forms import FORM

NOW = 1_770_465_600.0
LIMIT = 1_000_000


def event(**properties: Any) -> dict[str, Any]:
    return {"event": "page_view", "properties": {"distinct_id": "u1", "token": "argux_key", **properties}}


def capture(body: bytes, content_type: str = FORM) -> Capture:
    return parse_capture(body, content_type=content_type, now=NOW, max_decoded_bytes=LIMIT)


@pytest.mark.parametrize("payload", [event(), [event()]])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text,
        lambda text: base64.b64encode(text).decode(),
        lambda text: base64.b64encode(gzip.compress(text)).decode(),
    ],
)
def test_a_form_may_contain_json_base64_or_gzip_in_base64(payload: Any, encode: Any) -> None:
    found = capture(urlencode({"data": encode(json.dumps(payload).encode()), "compression": "base64"}).encode())
    [record] = found.records.records
    assert isinstance(record, Event)
    assert (found.api_key, record.event, record.user_id) == ("argux_key", "page_view", "u1")


def test_a_gzipped_body_is_read_even_with_a_wrong_content_type() -> None:
    found = capture(gzip.compress(json.dumps([event(), event(page="/")]).encode()), "text/plain")
    assert (found.api_key, len(found.records.records)) == ("argux_key", 2)


def test_a_key_in_its_own_form_field_takes_precedence_over_one_in_the_data() -> None:
    assert capture(urlencode({"data": json.dumps(event()), "api_key": "argux_other"}).encode()).api_key == "argux_other"


@pytest.mark.parametrize("spoilt", [b"NaN", b"1e999", b'"\xff"', b'["]}", NaN]'])
def test_an_event_that_is_not_json_affects_only_itself_in_its_batch(spoilt: bytes) -> None:
    for outer in ({"api_key": "argux_key", "batch": [event(a="#"), event()]}, {"batch": [event(a="#"), event()]}):
        body = json.dumps(outer).encode().replace(b'"#"', spoilt)
        found = capture(body, "application/json")
        assert found.api_key == outer.get("api_key")
        assert len(found.records.records) == 1
        assert found.records.rejections[0].field.startswith("batch[0]")


def test_an_exception_becomes_a_log_record_with_opentelemetrys_attribute_names() -> None:
    frames = [{"filename": "shop.py", "lineno": 7, "function": "pay"}, "odd"]
    exceptions = [{"type": "KeyError", "value": "'card'", "stacktrace": {"frames": frames}}, {"type": "Inner"}]
    given = event(**{"$exception_list": exceptions, "$exception_level": "fatal", "service": "shop", "$app_version": 42})
    found = capture(json.dumps({**given, "event": "$exception", "uuid": "e-1"}).encode(), "application/json")
    assert found.records.records == [
        LogRecord(
            record_id="e-1",
            service="shop",
            version="42",
            happened_at=NOW,
            severity="FATAL",
            body="KeyError: 'card'",
            attributes={
                "exception.type": "KeyError",
                "exception.message": "'card'",
                "exception.stacktrace": "shop.py:7 in pay",
                "user_id": "u1",
            },
        )
    ]


@pytest.mark.parametrize("odd", [None, 7, "text", [], [7], [{}], [{"stacktrace": 7}], {"type": "x"}])
def test_an_exception_of_any_shape_is_kept(odd: Any) -> None:
    given = {**event(**{"$exception_list": odd}), "event": "$exception"}
    [record] = capture(json.dumps({"batch": [given]}).encode(), "application/json").records.records
    assert isinstance(record, LogRecord)
    assert (record.service, record.severity, record.body) == ("unknown_service", "ERROR", "Exception")
