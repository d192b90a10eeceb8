"""Event types, metric points, hiding personal data and erasing a person, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from detection.funnels.attempts import attempts
from detection.types import AlsoKnownAs, Event, LogRecord, MetricKind, MetricPoint
from storage.telemetry.protocol import Appended, Erased, EventType, TelemetryStore
from storage.telemetry.rows.privacy import Privacy
from storage.telemetry.sql import SqlTelemetry
from tests.contract.storage.telemetry.records import (
    DAY,
    NOW,
    STEPS,
    Clock,
    make_event,
    reached_by_bucket,
    roll_up_all,
    visit,
)


def point(point_id: str, at: float = NOW, value: float = 1.5, **attributes: str) -> MetricPoint:
    return MetricPoint(point_id, "cpu", "shop", at, value, MetricKind.DELTA, attributes)


def line(record_id: str, **attributes: object) -> LogRecord:
    return LogRecord(record_id, "shop", None, NOW, "ERROR", "refused", None, attributes)  # type: ignore[arg-type]


def test_event_types_are_counted_most_frequent_first(store: TelemetryStore) -> None:
    store.append_events([*visit("u1", NOW, "view", "cart"), *visit("u2", NOW + 100, "view")])
    assert store.event_types() == [EventType("view", 2, NOW, NOW + 100), EventType("cart", 1, NOW + 10, NOW + 10)]
    assert store.event_types(limit=1) == [EventType("view", 2, NOW, NOW + 100)]


def test_metric_points_are_kept_once_and_read_newest_first(store: TelemetryStore, clock: Clock) -> None:
    points = [point("p1", NOW, pod="a"), point("p2", NOW + 10, -2.0)]
    assert store.append_metric_points(points) == Appended(2, 0)
    assert store.append_metric_points(points) == Appended(0, 2)
    assert store.metric_samples("shop", "cpu", since=NOW, until=NOW + 60) == points[::-1]
    assert store.metric_samples("shop", "cpu", since=NOW + 5, until=NOW + 10) == []
    assert store.metric_samples("api", "cpu", since=NOW, until=NOW + 60) == []
    clock.now += 3 * 3600
    roll_up_all(store, now=clock.now)
    assert store.expire(now=clock.now) == 2
    assert store.metric_samples("shop", "cpu", since=NOW, until=NOW + 60) == []


def test_a_persons_records_are_erased_and_counts_of_many_stay(store: TelemetryStore) -> None:
    store.append_events([*visit("u1", NOW, *STEPS), *visit("u2", NOW, *STEPS)])
    roll_up_all(store)
    store.append_logs(
        [
            line("l1", user_id="u1"),
            line("l2", user={"id": "u1", "plan": "free"}),
            line("l3", order="u1"),
            line("l4", user_id="u10"),
            line("l5", **{"enduser.id": "u1"}),
        ]
    )
    named: dict[str, Any] = {"user.id": "u1"}
    store.append_metric_points([point("p1", **named), point("p2")])

    assert store.erase_person(["u1"]) == Erased(events=3, funnel_attempts=1, log_records=3, metric_points=1)
    assert {event.user_id for event in store.recent_events()} == {"u2"}
    left = store.log_samples(since=NOW, until=NOW + 1)
    assert {record.record_id for record in left} == {"l3", "l4"}
    assert reached_by_bucket(store) == {NOW: (2, 2, 2)}
    assert store.erase_person(["u1"]) == Erased(0, 0, 0, 0)


def test_an_erased_person_who_comes_back_is_counted_as_new(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view", "cart"))
    roll_up_all(store)
    store.erase_person(["u1"])
    store.append_events(visit("u1", NOW + 100, "view"))
    roll_up_all(store, now=NOW + 200)
    assert reached_by_bucket(store) == {NOW: (1, 1, 0), NOW + 100: (1, 0, 0)}


@pytest.mark.parametrize("user_id", ["7", "100%", "a_b", 'quo"te\\', "ümlaut", "x" * 400, "'; DROP TABLE events"])
def test_any_id_can_be_erased_and_only_that_one(store: TelemetryStore, user_id: str) -> None:
    store.append_events([make_event("view", user_id), make_event("view", f"{user_id}0")])
    store.append_logs([line("l1", user_id=user_id), line("l2", user_id=f"{user_id}0"), line("l3", user_id="aXb")])
    assert store.erase_person([user_id]) == Erased(1, 0, 1, 0)
    assert len(store.recent_events()) == 1


def hiding(engine: Engine, *names: str, drop: bool = False) -> SqlTelemetry:
    return SqlTelemetry(
        engine,
        funnel_reader=attempts,
        segment_dimensions=[],
        clock=lambda: NOW,
        privacy=Privacy(names, key=b"secret", drop=drop),
    )


def test_named_properties_are_hidden_in_events_logs_and_metrics_before_they_are_stored(engine: Engine) -> None:
    store = hiding(engine, "Email")
    store.append_events([make_event("view", email="ana@acme.example", plan="free")])
    store.append_logs([line("l1", user={"EMAIL": "ana@acme.example"})])
    store.append_metric_points([point("p1", email="ana@acme.example")])
    [event] = store.recent_events()
    [record] = store.log_samples(since=NOW, until=NOW + 1)
    [measured] = store.metric_samples("shop", "cpu", since=NOW, until=NOW + 1)
    hidden = event.properties["email"]
    assert str(hidden).startswith("hidden:")
    assert (event.user_id, event.properties["plan"]) == ("u1", "free")
    assert (record.attributes, measured.attributes) == ({"user": {"EMAIL": hidden}}, {"email": hidden})


def test_people_with_hidden_ids_are_erased_by_their_original_or_hidden_id(engine: Engine) -> None:
    store = hiding(engine, "user_id")
    store.append_events([make_event("view", "ana", at=NOW - DAY / 100, user_id="ana"), make_event("view", "ben")])
    store.append_logs([line("l1", user_id="ana"), line("l2", **{"enduser.id": "ana"})])
    [ben, ana] = store.recent_events()
    assert ana.user_id == ana.properties["user_id"] != "ana"
    assert store.erase_person(["ana"]) == Erased(1, 0, 2, 0)
    assert store.erase_person([ben.user_id]) == Erased(1, 0, 0, 0)


def test_erasing_a_person_by_any_id_erases_all_their_ids_and_what_links_them(store: TelemetryStore) -> None:
    def sign_in(user: str, device: str) -> Event:
        return replace(make_event("sign_in", user, NOW, f"{user}:{device}"), also_known_as=AlsoKnownAs(device))

    store.append_events(
        [make_event("view", "laptop-1"), sign_in("ana", "laptop-1"), make_event("cart", "ana", NOW + 9)]
    )
    store.append_events([sign_in("ben", "laptop-1"), make_event("view", "ben")])
    roll_up_all(store)
    store.append_events([sign_in("ana", "phone-1"), make_event("view", "phone-1", NOW + 30)])
    store.append_logs([line("l1", device_id="laptop-1"), line("l2", anonymous_id="phone-1"), line("l3", user_id="ben")])
    store.append_metric_points([point("p1", device_id="laptop-1"), point("p2", device_id="kiosk-1")])

    erased = store.erase_person(["laptop-1"])
    assert erased == Erased(events=5, funnel_attempts=1, log_records=2, metric_points=1)
    assert {event.user_id for event in store.recent_events()} == {"ben"}
    store.append_events([make_event("view", "laptop-1", NOW + 60), make_event("cart", "ana", NOW + 70)])
    roll_up_all(store, now=NOW + 90)
    assert reached_by_bucket(store)[NOW + 60] == (1, 0, 0)


def test_hidden_ids_are_linked_and_erased_by_the_original_id_and_stand_nowhere(engine: Engine) -> None:
    store = hiding(engine, "user_id")
    sign_in = make_event("$create_alias", "ana", NOW, alias="laptop-1", country="de")
    store.append_events([make_event("view", "laptop-1"), replace(sign_in, also_known_as=AlsoKnownAs("laptop-1", True))])
    store.append_events([make_event("cart", "ana", NOW + 10)])
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (1, 1, 0)}
    aliased = next(event for event in store.recent_events() if event.event == "$create_alias")
    assert (str(aliased.properties["alias"])[:7], aliased.properties["country"]) == ("hidden:", "de")
    with engine.connect() as connection:
        kept = [
            str(row) for name in ("events", "person_ids") for row in connection.execute(text(f"SELECT * FROM {name}"))
        ]
    assert not [row for row in kept if "'laptop-1'" in row or "'ana'" in row]
    assert store.erase_person(["ana"]).events == 3
