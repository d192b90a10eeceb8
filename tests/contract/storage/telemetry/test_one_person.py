"""One person with several ids: a funnel follows them across the sign-in, and nobody is taken for somebody else."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from detection.funnels.attempts import attempts
from detection.types import AlsoKnownAs, Event, FunnelDefinition, FunnelStep
from storage.telemetry.people.expiry import KEPT_SECONDS
from storage.telemetry.people.links import MOST_IDS_OF_A_PERSON
from storage.telemetry.protocol import TelemetryStore
from tests.contract.storage.telemetry.records import (
    FUNNEL,
    NOW,
    STEPS,
    Clock,
    entries_by_segment,
    make_event,
    reached_by_bucket,
    roll_up_all,
    visit,
)


def told(user: str, other: str, at: float = NOW + 5, *, is_merge: bool = False, name: str = "sign_in") -> Event:
    event = make_event(name, user, at, f"{name}:{user}:{other}:{at}")
    return replace(event, also_known_as=AlsoKnownAs(other, is_merge))


def totals(store: TelemetryStore) -> tuple[int, ...]:
    """Return how many attempts reached each step, of all times."""
    return tuple(map(sum, zip(*reached_by_bucket(store).values(), strict=True)))


BEFORE = make_event("view", "laptop-1")
SIGN_IN = told("ana", "laptop-1", NOW + 5)
AFTER = [make_event("cart", "ana", NOW + 10), make_event("pay", "ana", NOW + 20)]


def test_an_attempt_that_began_before_the_sign_in_converts_after_it(store: TelemetryStore) -> None:
    store.append_events([BEFORE, SIGN_IN, *AFTER])
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (1, 1, 1)}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_sign_in_may_arrive_before_or_after_what_it_links_and_after_that_was_counted(
    store: TelemetryStore, order: tuple[int, ...]
) -> None:
    parts = [[BEFORE], [SIGN_IN], AFTER]
    for index in order:
        store.append_events(parts[index])
        roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (1, 1, 1)}


def test_somebody_who_enters_again_after_the_sign_in_is_counted_once(store: TelemetryStore) -> None:
    store.append_events([BEFORE, *visit("ana", NOW + 30, *STEPS)])
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (1, 0, 0), NOW + 30: (1, 1, 1)}
    store.append_events([SIGN_IN])
    roll_up_all(store)
    assert sum(reached[0] for reached in reached_by_bucket(store).values()) == 1
    assert sum(reached[2] for reached in reached_by_bucket(store).values()) == 1


def test_two_ids_that_enter_at_the_same_moment_are_one_entry(store: TelemetryStore) -> None:
    store.append_events([BEFORE, make_event("view", "ana"), make_event("cart", "ana", NOW + 10)])
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (2, 1, 0)}
    store.append_events([SIGN_IN])
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (1, 1, 0)}


def test_a_person_with_a_phone_and_a_laptop_is_one(store: TelemetryStore) -> None:
    store.append_events([BEFORE, told("ana", "phone-1", NOW + 9), make_event("cart", "phone-1", NOW + 12)])
    roll_up_all(store)
    store.append_events([SIGN_IN, make_event("pay", "ana", NOW + 20)])
    roll_up_all(store)
    assert totals(store) == (1, 1, 1)


def test_segments_count_the_person_once_with_the_values_of_the_entry(store: TelemetryStore) -> None:
    store.append_events(
        [make_event("view", "laptop-1", country="de"), make_event("cart", "ana", NOW + 9, country="fr")]
    )
    roll_up_all(store)
    store.append_events([SIGN_IN])
    roll_up_all(store)
    assert entries_by_segment(store) == {(None, None): 1, ("country", "de"): 1}


def test_a_device_belongs_to_the_first_person_who_signs_in_on_it(store: TelemetryStore) -> None:
    store.append_events([BEFORE, told("ana", "laptop-1", NOW + 5), told("ben", "laptop-1", NOW + 6)])
    roll_up_all(store)
    store.append_events([make_event("cart", "ben", NOW + 10)])
    roll_up_all(store)
    assert totals(store) == (1, 0, 0)
    store.append_events([make_event("cart", "ana", NOW + 12)])
    roll_up_all(store)
    assert totals(store) == (1, 1, 0)


def test_the_first_is_who_signed_in_first_whatever_stands_first_in_a_batch(store: TelemetryStore) -> None:
    store.append_events([told("ben", "laptop-1", NOW + 6), told("ana", "laptop-1", NOW + 5), BEFORE])
    store.append_events([make_event("cart", "ana", NOW + 12)])
    roll_up_all(store)
    assert totals(store) == (1, 1, 0)


def test_people_who_share_a_device_stay_two(store: TelemetryStore) -> None:
    store.append_events(
        [told("ana", "kiosk"), told("ben", "kiosk"), *visit("ana", NOW, *STEPS), *visit("ben", NOW, *STEPS)]
    )
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (2, 2, 2)}


def test_two_known_people_are_not_joined_by_a_device_but_by_somebody_who_says_so(store: TelemetryStore) -> None:
    store.append_events([told("ana", "laptop-1"), told("ben", "phone-1"), make_event("view", "ana")])
    store.append_events([told("ben", "ana", NOW + 7), make_event("cart", "ben", NOW + 10)])
    roll_up_all(store)
    assert totals(store) == (1, 0, 0)
    store.append_events([told("ben", "ana", NOW + 20, is_merge=True)])
    roll_up_all(store)
    assert totals(store) == (1, 1, 0)


def test_ids_merged_one_after_the_other_are_one_person(store: TelemetryStore) -> None:
    store.append_events([make_event("view", "a"), make_event("cart", "b", NOW + 10), make_event("pay", "d", NOW + 20)])
    for first, second in (("a", "b"), ("c", "d"), ("d", "b")):
        store.append_events([told(first, second, is_merge=True)])
        roll_up_all(store)
    assert totals(store) == (1, 1, 1)


def test_merged_visitors_become_the_person_who_signs_in_later(store: TelemetryStore) -> None:
    store.append_events([make_event("view", "tab-1"), told("tab-1", "tab-2", is_merge=True)])
    roll_up_all(store)
    store.append_events([told("ana", "tab-2", NOW + 6), make_event("cart", "ana", NOW + 10)])
    roll_up_all(store)
    assert totals(store) == (1, 1, 0)


def test_a_new_funnel_counts_people_whose_ids_were_linked_before_it(store: TelemetryStore) -> None:
    other = FunnelDefinition(2, "Sign-up", (FunnelStep("seen", "view"), FunnelStep("paid", "pay")), 600.0, 7)
    store.append_events([BEFORE, *AFTER])
    roll_up_all(store)
    roll_up_all(store, [FUNNEL, other])
    store.append_events([SIGN_IN])
    roll_up_all(store, [FUNNEL, other], limit=1)
    found = store.funnel_series(2, since=NOW, until=NOW + 60, bucket_seconds=10)[0]
    assert found.reached.tolist() == [[1, 1]]


def test_an_id_that_everybody_is_told_with_stays_small(store: TelemetryStore) -> None:
    count = MOST_IDS_OF_A_PERSON + 50
    store.append_events([told("robot", f"visitor-{number}", NOW + number / 100) for number in range(count)])
    store.append_events([make_event("view", f"visitor-{number}") for number in range(count)])
    roll_up_all(store)
    [entries] = [reached[0] for reached in reached_by_bucket(store).values()]
    assert entries == 52


def test_in_any_order_and_in_passes_of_any_size_people_are_counted_as_if_they_had_one_id(store: TelemetryStore) -> None:
    randomness = random.Random(11)
    ids = {f"{person}-{device}": person for person in "abcdef" for device in range(3)} | {one: one for one in "abcdef"}
    events = [
        make_event(
            randomness.choice(STEPS), randomness.choice(sorted(ids)), NOW + randomness.randrange(4000), str(number)
        )
        for number in range(300)
    ]
    links = [told(person, other, NOW + randomness.randrange(4000)) for other, person in ids.items() if other != person]
    arriving = [*events, *links]
    randomness.shuffle(arriving)
    for start in range(0, len(arriving), 23):
        store.append_events(arriving[start : start + 23])
        store.roll_up([FUNNEL], now=NOW + 6000, limit=randomness.choice([1, 15, 1000]))
    roll_up_all(store, now=NOW + 6000, limit=40)
    expected: dict[float, list[int]] = {}
    for person in "abcdef":
        theirs = [replace(event, user_id=person) for event in events if ids[event.user_id] == person]
        for attempt in attempts(FUNNEL, theirs):
            row = expected.setdefault(attempt.entered_at // 10 * 10, [0, 0, 0])
            for step in range(len(attempt.reached_at)):
                row[step] += 1
    found = {start: reached for start, reached in reached_by_bucket(store).items() if any(reached)}
    assert found == {start: tuple(row) for start, row in expected.items()}


def test_an_attempt_counted_before_its_event_left_the_hot_store_is_not_counted_again(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events([BEFORE, SIGN_IN])
    roll_up_all(store)
    for hours in (1, 2, 3):
        clock.now = NOW + hours * 3600
        store.append_events([make_event("help", "laptop-1", clock.now), make_event("cart", "ana", NOW + 10 + hours)])
        roll_up_all(store, now=clock.now)
        store.expire(now=clock.now)
    assert reached_by_bucket(store) == {NOW: (1, 1, 0)}


def test_an_old_attempt_is_kept_while_an_event_under_another_id_of_the_person_may_recount_it(
    store: TelemetryStore, clock: Clock
) -> None:
    clock.now = NOW + 4 * 3600
    store.append_events([BEFORE, SIGN_IN])
    roll_up_all(store, now=clock.now)
    store.expire(now=clock.now)
    store.append_events(AFTER)
    roll_up_all(store, now=clock.now)
    found = store.funnel_series(1, since=NOW - 3600, until=NOW + 3600, bucket_seconds=3600)[0]
    assert found.reached.tolist() == [[1, 1, 1]]


def test_an_old_attempt_goes_although_somebody_else_did_something_at_its_time(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events([BEFORE, SIGN_IN])
    roll_up_all(store)
    clock.now = NOW + 4 * 3600
    store.append_events([make_event("view", "ben", NOW + 1)])
    roll_up_all(store, now=clock.now)
    store.expire(now=clock.now)
    assert store.erase_person(["ana"]).funnel_attempts == 0
    assert store.erase_person(["ben"]).funnel_attempts == 1


def test_ids_are_forgotten_a_week_after_they_were_last_told_and_then_a_device_may_have_another_owner(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events([SIGN_IN])
    roll_up_all(store)
    clock.now = NOW + KEPT_SECONDS - 3600
    store.append_events([told("ana", "phone-1", clock.now)])
    roll_up_all(store, now=clock.now)
    clock.now += 2 * 3600 + 60
    store.expire(now=clock.now)
    store.append_events([told("ben", "laptop-1", clock.now)])
    roll_up_all(store, now=clock.now)
    store.append_events([make_event("view", "laptop-1", clock.now), make_event("cart", "ben", clock.now + 5)])
    roll_up_all(store, now=clock.now + 10)
    assert _reached(store, clock.now) == [1, 0, 0]
    clock.now += KEPT_SECONDS + 3 * 3600
    store.expire(now=clock.now)
    store.append_events([told("ben", "laptop-1", clock.now)])
    store.append_events([make_event("view", "laptop-1", clock.now), make_event("cart", "ben", clock.now + 5)])
    roll_up_all(store, now=clock.now + 10)
    assert _reached(store, clock.now) == [1, 1, 0]


def _reached(store: TelemetryStore, since: float) -> list[int]:
    everyone = store.funnel_series(1, since=since // 10 * 10, until=since + 60, bucket_seconds=10)[0]
    reached: list[int] = everyone.reached.sum(axis=0).tolist()
    return reached
