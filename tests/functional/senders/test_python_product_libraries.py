"""The Python libraries of PostHog, Segment, Amplitude and Mixpanel, used as applications use them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from amplitude import Amplitude, BaseEvent
from mixpanel import BufferedConsumer, Consumer, Mixpanel, MixpanelException, ServiceAccountCredentials
from posthog import Posthog
from segment.analytics.client import Client as Segment

from tests.functional.stack import eventually
from tests.functional.web import Web


def test_events_sent_with_httpx_are_read_page_by_page(web: Web) -> None:
    events = [
        {"event": "by_hand", "event_id": f"hand-{n}", "properties": {"user_id": "hand", "timestamp": time.time() - n}}
        for n in range(3)
    ]
    headers = {"X-API-Key": web.key}
    answer = httpx.post(f"{web.url}/api/events", json=events, headers=headers, trust_env=False, timeout=60)
    assert answer.json() == {"accepted": 3, "duplicates": 0}

    first = web.api.get("/api/events", params={"event": "by_hand", "limit": 2}).json()
    rest = web.api.get("/api/events", params={"event": "by_hand", "limit": 2, "offset": first["next_offset"]}).json()
    ids = [event["event_id"] for event in first["events"] + rest["events"]]
    assert (ids, rest["next_offset"]) == (["hand-0", "hand-1", "hand-2"], None)
    types = {found["event"]: found["count"] for found in web.api.get("/api/events/types").json()}
    assert types["by_hand"] == 3


@pytest.mark.parametrize("compressed", [False, True])
def test_posthog_events_are_stored_as_events_and_its_exceptions_as_log_records(web: Web, compressed: bool) -> None:
    user, service, since = f"posthog-{compressed}", f"shop-{compressed}".lower(), time.time() - 1
    client = Posthog(web.key, host=web.url, gzip=compressed, disable_geoip=True)
    client.capture("checkout_started", distinct_id=user, properties={"country": "DE"})
    client.set(distinct_id=user, properties={"plan": "free"})
    cart: dict[str, str] = {}
    try:
        cart["card"]
    except KeyError as error:
        client.capture_exception(error, distinct_id=user, properties={"service": service})
    client.shutdown()

    started, person = web.events_of(user, count=2)
    assert (started["event"], started["properties"]["country"], person["event"]) == ("checkout_started", "DE", "$set")
    [record] = web.store.log_samples(since=since, until=time.time() + 60, service=service)
    assert (record.severity, record.body) == ("ERROR", "KeyError: 'card'")
    assert "test_posthog_events" in str(record.attributes["exception.stacktrace"])


@pytest.mark.parametrize("compressed", [False, True])
def test_segment_messages_are_stored_as_events_by_type(web: Web, compressed: bool) -> None:
    user = f"segment-{compressed}"
    failures: list[Any] = []
    client = Segment(
        web.key, host=web.url, gzip=compressed, max_retries=1, on_error=lambda *found: failures.append(found)
    )
    client.identify(user, {"plan": "free"})
    client.track(user, "Checkout Started", {"country": "DE"}, context={"app": {"version": "v42"}})
    client.page(user, "Docs", "Pricing", {"path": "/pricing"})
    client.shutdown()

    assert failures == []
    said = {event["event"]: event["properties"] for event in web.events_of(user, count=3)}
    assert said == {
        "identify": {"plan": "free"},
        "Checkout Started": {"country": "DE", "version": "v42"},
        "page": {"name": "Pricing", "category": "Docs", "path": "/pricing"},
    }


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_amplitude_events_are_stored_and_each_is_confirmed_to_the_library(web: Web, path: str) -> None:
    user = f"amplitude{path.replace('/', '-')}"
    client = Amplitude(web.key)
    confirmed: list[tuple[str, int]] = []
    client.configuration.server_url = f"{web.url}{path}"
    client.configuration.callback = lambda event, code, message=None: confirmed.append((event.event_type, code))
    client.track(BaseEvent("Checkout Started", user_id=user, country="DE", event_properties={"total": 12.5}))
    client.track(BaseEvent("Checkout Done", device_id=user, app_version="v42"))
    client.flush()
    eventually(lambda: len(confirmed) == 2, seconds=60, what="both confirmations")
    client.shutdown()

    assert sorted(confirmed) == [("Checkout Done", 200), ("Checkout Started", 200)]
    started, done = sorted(web.events_of(user, count=2), key=lambda event: event["event"], reverse=True)
    assert (started["properties"]["total"], started["properties"]["country"]) == (12.5, "DE")
    assert done["properties"]["version"] == "v42"


def test_amplitude_learns_which_event_is_invalid_and_the_other_is_stored_once(web: Web) -> None:
    client = Amplitude(web.key)
    told: list[tuple[str, int]] = []
    client.configuration.server_url = f"{web.url}/2/httpapi"
    client.configuration.flush_interval_millis = 100
    client.configuration.callback = lambda event, code, message=None: told.append((event.event_type, code))
    client.track(BaseEvent("good", user_id="amplitude-mixed"))
    client.track(BaseEvent("x" * 300, user_id="amplitude-mixed"))
    client.flush()
    eventually(lambda: len(told) == 2, seconds=60, what="both answers")
    client.shutdown()

    assert sorted(told) == [("good", 200), ("x" * 300, 400)]
    [stored] = web.events_of("amplitude-mixed")
    assert stored["event"] == "good"


def test_amplitude_gives_up_on_a_wrong_key_instead_of_retrying_for_minutes(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    client = Amplitude("argux_wrong")
    client.configuration.server_url = f"{web.url}/2/httpapi"
    client.track(BaseEvent("never", user_id="amplitude-wrong"))
    client.flush()
    eventually(lambda: "Invalid API Key" in caplog.text, seconds=60, what="the library's complaint")
    client.shutdown()


def consumer_at(web: Web, kind: type[Any] = Consumer, **more: Any) -> Any:
    return kind(events_url=f"{web.url}/track", import_url=f"{web.url}/import", **more)


@pytest.mark.parametrize("kind", [Consumer, BufferedConsumer])
def test_mixpanel_tracks_single_events_and_batches(web: Web, kind: type[Any]) -> None:
    user = f"mixpanel-{kind.__name__}"
    consumer = consumer_at(web, kind)
    client = Mixpanel(web.key, consumer=consumer)
    client.track(user, "Checkout Started", {"country": "DE"})
    client.track(user, "Checkout Done")
    if kind is BufferedConsumer:
        consumer.flush()

    started, done = web.events_of(user, count=2)
    assert (started["event"], started["properties"]["country"]) == ("Checkout Started", "DE")
    assert done["event"] == "Checkout Done"
    assert "token" not in started["properties"]


def test_mixpanel_imports_with_a_service_account(web: Web) -> None:
    account = ServiceAccountCredentials("argux", web.key, "7")
    client = Mixpanel("project-token", consumer=consumer_at(web, credentials=account))
    then = time.time() - 86_400
    client.import_data(None, "mixpanel-import", "Signed Up", then, {"plan": "free"})
    [stored] = web.events_of("mixpanel-import")
    assert (stored["event"], stored["properties"]["plan"]) == ("Signed Up", "free")


def test_mixpanel_gets_an_error_for_a_wrong_token_and_for_an_event_from_the_far_future(web: Web) -> None:
    with pytest.raises(MixpanelException, match="not known"):
        Mixpanel("argux_wrong", consumer=consumer_at(web)).track("mixpanel-wrong", "never")
    with pytest.raises(MixpanelException, match="time: lies in the future"):
        Mixpanel(web.key, consumer=consumer_at(web)).track("mixpanel-wrong", "never", {"time": 4_000_000_000})


def test_calls_of_the_libraries_beside_events_raise_nothing_in_the_application(web: Web) -> None:
    consumer = Consumer(api_host="unused")
    consumer._endpoints = {
        name: f"{web.url}/{path}" for name, path in
        {"events": "track", "people": "engage", "groups": "groups", "imports": "import"}.items()
    }  # fmt: skip
    mixpanel = Mixpanel(web.key, consumer=consumer)
    mixpanel.people_set("beside", {"plan": "gold"})
    mixpanel.people_increment("beside", {"visits": 1})
    mixpanel.people_delete("beside")
    mixpanel.group_set("company", "7", {"seats": 3})
    with pytest.raises(MixpanelException, match="key"):
        Mixpanel("argux_wrong", consumer=consumer).people_set("beside", {})

    posthog = Posthog(web.key, host=web.url, disable_geoip=True)
    assert not posthog.evaluate_flags("beside").is_enabled("new-checkout")
    assert posthog.get_all_flags("beside") == {}
    posthog.shutdown()
