"""Which other id a product event tells of its person, in the words of each library."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from detection.types import Event
from integrations.inbound.product.amplitude import parse_upload
from integrations.inbound.product.amplitude_people import parse_identifications, parse_user_map
from integrations.inbound.product.events import parse_events
from integrations.inbound.product.mixpanel import parse_tracked
from integrations.inbound.product.posthog import parse_capture
from integrations.inbound.product.segment import parse_messages
from integrations.inbound.reading.records import PayloadError
from integrations.inbound.reading.senders_ids import is_of_nobody

OPTIONS: dict[str, Any] = {"now": 1_770_465_600.0, "max_decoded_bytes": 1_000_000}
BROWSER = "0190a3b4-7c11-7d2e-9f00-aabbccddeeff"

Told = tuple[str, str | None, bool]
"""The id of the event's person, the other id, and whether it is a merge."""


def told(event: Event) -> Told:
    known = event.also_known_as
    return (event.user_id, None, False) if known is None else (event.user_id, known.other_id, known.is_merge)


def segment(**message: Any) -> Told:
    body = json.dumps({"batch": [message]}).encode()
    return told(parse_messages(body, **OPTIONS).events.records[0])


def amplitude(**event: Any) -> Told:
    body = json.dumps({"api_key": "k", "events": [{"event_type": "Paid", **event}]}).encode()
    return told(parse_upload(body, **OPTIONS).events.records[0])


def mixpanel(event: str, **properties: Any) -> Told:
    body = json.dumps({"event": event, "properties": {"token": "k", **properties}}).encode()
    return told(parse_tracked(body, needs_time=False, **OPTIONS).events.records[0])


def posthog(event: str, distinct_id: str, **properties: Any) -> Told:
    batch = [{"event": event, "distinct_id": distinct_id, "properties": properties}]
    [record] = parse_capture(json.dumps({"api_key": "k", "batch": batch}).encode(), **OPTIONS).records.records
    assert isinstance(record, Event)
    return told(record)


def own(**event: Any) -> Told:
    body = json.dumps({"event": "paid", "timestamp": "2026-02-07T12:00:00Z", **event}).encode()
    return told(parse_events(body, **OPTIONS).records[0])


def test_a_segment_message_with_both_ids_says_that_the_visitor_is_the_user() -> None:
    assert segment(type="track", event="Paid", userId="m-7", anonymousId=BROWSER) == ("m-7", BROWSER, False)
    assert segment(type="identify", userId=42, anonymousId=BROWSER) == ("42", BROWSER, False)
    assert segment(type="group", userId="m-7", anonymousId=BROWSER, groupId="acme") == ("m-7", BROWSER, False)
    assert segment(type="track", event="Seen", anonymousId=BROWSER) == (BROWSER, None, False)
    assert segment(type="track", event="Seen", userId="", anonymousId=BROWSER) == (BROWSER, None, False)
    assert segment(type="page", userId="m-7") == ("m-7", None, False)


def test_a_segment_alias_merges_the_previous_id_although_the_visitor_is_named_too() -> None:
    assert segment(type="alias", previousId="lead-3", userId="m-7") == ("m-7", "lead-3", True)
    assert segment(type="alias", previousId="lead-3", userId="m-7", anonymousId=BROWSER) == ("m-7", "lead-3", True)


def test_posthog_tells_of_a_visitor_at_the_sign_in_and_of_merges_and_of_nobody_else() -> None:
    assert posthog("$identify", "m-7", **{"$anon_distinct_id": BROWSER}) == ("m-7", BROWSER, False)
    assert posthog("$create_alias", "m-7", alias="backend-7") == ("m-7", "backend-7", True)
    assert posthog("$merge_dangerously", "m-7", alias="m-8") == ("m-7", "m-8", True)
    group = {"$group_type": "company", "$group_key": "acme", "alias": "acme", "$anon_distinct_id": BROWSER}
    assert posthog("$groupidentify", "$company_acme", **group) == ("$company_acme", None, False)
    assert posthog("$pageview", "m-7", **{"$device_id": BROWSER, "alias": "home"}) == ("m-7", None, False)
    assert posthog("$identify", BROWSER) == (BROWSER, None, False)


def test_an_amplitude_event_with_both_ids_says_that_the_device_is_the_users() -> None:
    assert amplitude(user_id="m-7", device_id="d-1") == ("m-7", "d-1", False)
    assert amplitude(device_id="d-1") == ("d-1", None, False)
    assert amplitude(event_type="$identify", user_id="m-7", device_id="d-1") == ("m-7", "d-1", False)


@pytest.mark.parametrize("is_array", [False, True])
def test_amplitudes_identify_and_user_mapping_apis_are_read(is_array: bool) -> None:
    identification: Any = {"user_id": "m-7", "device_id": "d-1", "user_properties": {"plan": "free"}}
    mapping: Any = {"user_id": "old-7", "global_user_id": "m-7"}
    one, two = ([each] if is_array else each for each in (identification, mapping))
    found = parse_identifications(urlencode({"api_key": "k", "identification": json.dumps(one)}).encode(), **OPTIONS)
    mapped = parse_user_map(urlencode({"api_key": "k", "mapping": json.dumps(two)}).encode(), **OPTIONS)
    assert (found.api_key, mapped.api_key) == ("k", "k")
    assert [(event.event, told(event)) for event in found.events.records] == [("$identify", ("m-7", "d-1", False))]
    assert [(event.event, told(event)) for event in mapped.events.records] == [("$user_map", ("m-7", "old-7", True))]


def test_amplitudes_identify_api_may_be_told_in_json() -> None:
    sent = {"api_key": "k", "identification": [{"user_id": "m-7", "device_id": "d-1"}]}
    found = parse_identifications(json.dumps(sent).encode(), **OPTIONS)
    assert (found.api_key, [told(event) for event in found.events.records]) == ("k", [("m-7", "d-1", False)])


def test_what_amplitudes_user_mapping_cannot_do_here_is_refused_with_the_reason() -> None:
    sent = [{"user_id": "a", "global_user_id": "b", "unmap": True}, {"user_id": "a"}]
    found = parse_user_map(urlencode({"api_key": "k", "mapping": json.dumps(sent)}).encode(), **OPTIONS)
    assert [each.field for each in found.events.rejections] == ["mapping[0].unmap", "mapping[1].global_user_id"]
    with pytest.raises(PayloadError, match="is missing"):
        parse_user_map(b"api_key=k", **OPTIONS)


def test_mixpanels_simplified_merge_links_the_device_in_both_its_forms() -> None:
    assert mixpanel("Seen", distinct_id="$device:d-1", **{"$device_id": "d-1"}) == ("d-1", None, False)
    assert mixpanel("Seen", **{"$device_id": "d-1"}) == ("d-1", None, False)
    both = {"$device_id": "d-1", "$user_id": "m-7"}
    assert mixpanel("Paid", distinct_id="m-7", **both) == ("m-7", "d-1", False)
    assert mixpanel("Paid", distinct_id="$device:d-1", **both) == ("m-7", "d-1", False)
    assert mixpanel("Paid", **both) == ("m-7", "d-1", False)


def test_mixpanels_original_merge_is_read_from_its_three_events() -> None:
    assert mixpanel("$identify", distinct_id="m-7", **{"$anon_distinct_id": "d-1"}) == ("m-7", "d-1", False)
    assert mixpanel("$identify", **{"$identified_id": "m-7", "$anon_id": "d-1"}) == ("m-7", "d-1", False)
    assert mixpanel("$create_alias", distinct_id="d-1", alias="m-7") == ("d-1", "m-7", True)
    assert mixpanel("$merge", **{"$distinct_ids": ["m-7", "m-8"]}) == ("m-7", "m-8", True)


def test_a_mixpanel_merge_needs_no_time_at_import_and_exactly_two_ids() -> None:
    def merge(*ids: str) -> bytes:
        return json.dumps([{"event": "$merge", "properties": {"$distinct_ids": ids}}]).encode()

    assert len(parse_tracked(merge("a", "b"), needs_time=True, **OPTIONS).events.records) == 1
    [refused] = parse_tracked(merge("a", "b", "c"), needs_time=True, **OPTIONS).events.rejections
    assert (refused.field, refused.message) == ("[0].properties.$distinct_ids", "must be an array of two ids")


def test_an_event_of_ones_own_may_name_the_visitor_at_the_top_or_among_the_properties() -> None:
    assert own(user_id="m-7", anonymous_id="c-1") == ("m-7", "c-1", False)
    assert own(properties={"user_id": "m-7", "anonymous_id": 5}) == ("m-7", "5", False)
    assert own(anonymous_id="c-1") == ("c-1", None, False)
    assert own(properties={"anonymous_id": "c-1"}) == ("c-1", None, False)
    assert own(user_id="m-7", anonymous_id={"odd": 1}) == ("m-7", None, False)
    assert own(user_id="m-7", anonymous_id="m-7") == ("m-7", None, False)


def test_two_visitors_who_do_the_same_at_once_are_two_events() -> None:
    lines = [{"event": "seen", "anonymous_id": who, "timestamp": "2026-02-07T12:00:00Z"} for who in ("c-1", "c-2")]
    first, second = parse_events(json.dumps(lines).encode(), **OPTIONS).records
    assert first.event_id != second.event_id


MISTAKES = [
    "null", "NULL", "undefined", "anonymous", "Guest", "0", "00000000-0000-0000-0000-000000000000", "[object Object]",
    "NaN", "none", "None", "distinctid", "distinct_id", "not_authenticated", '"null"', "'undefined'", " ", "", "-1",
    "unknown", "$posthog_cookieless", "n/a", "true", "000000000000000", "02:00:00:00:00:00", "9774d56d682e549c",
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_id_that_stems_from_a_mistake_links_nobody(mistake: str) -> None:
    assert is_of_nobody(mistake)
    assert segment(type="identify", userId="m-7", anonymousId=mistake)[1] is None
    assert posthog("$identify", "m-7", **{"$anon_distinct_id": mistake})[1] is None
    assert posthog("$merge_dangerously", "m-7", alias=mistake)[1] is None
    assert amplitude(user_id="m-7", device_id=mistake)[1] is None
    if mistake.strip():
        assert segment(type="identify", userId=mistake, anonymousId=BROWSER)[1] is None


@pytest.mark.parametrize(
    "ordinary", ["7", "10", "guest-17", "nullable@acme.example", "0190a3b4", "a0", "user-1", "ümit"]
)
def test_ordinary_ids_link(ordinary: str) -> None:
    assert not is_of_nobody(ordinary)
    assert segment(type="identify", userId="m-9", anonymousId=ordinary) == ("m-9", ordinary, False)


def test_an_odd_other_id_is_left_out_and_the_event_is_kept() -> None:
    odd_ids: list[Any] = [[], {}, True, None, "x" * 201]
    for odd in odd_ids:
        assert posthog("$identify", "m-7", **{"$anon_distinct_id": odd}) == ("m-7", None, False)
