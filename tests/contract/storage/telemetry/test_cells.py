"""Cohorts by the full combination of dimension values, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.types import DELAY_EDGES_SECONDS, Event, FunnelDefinition, FunnelStep
from storage.telemetry.funnels import cell_rollup
from storage.telemetry.protocol import COARSE_SECONDS, FINE_CELL_SECONDS, FINE_FUNNEL_SECONDS, TelemetryStore
from tests.contract.storage.telemetry.records import DAY, NOW, STEPS, Clock, make_event, roll_up_all, visit


def counted(
    store: TelemetryStore, bucket_seconds: int = COARSE_SECONDS, *, until: float = NOW + DAY
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return (entries, conversions) by the values of each combination."""
    cells = store.funnel_cells(1, since=0.0, until=until, bucket_seconds=bucket_seconds)
    assert cells.converted_by_delay.shape == (len(cells.combinations), len(DELAY_EDGES_SECONDS) + 1)
    return {
        tuple(combination.values()): (int(entries), int(converted.sum()))
        for combination, entries, converted in zip(
            cells.combinations, cells.entries, cells.converted_by_delay, strict=True
        )
    }


def test_entries_and_conversions_are_counted_by_combination_in_fine_and_coarse_buckets(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS, country="de", device="ios"))
    store.append_events(visit("u2", NOW + 40, "view", device="ios", country="de"))
    store.append_events(visit("u3", NOW, *STEPS, country="de", device="web", page="/pay"))
    store.append_events(visit("u4", NOW, "view", country="fr"))
    store.append_events(visit("u5", NOW, "view"))
    roll_up_all(store)
    everything = {("de", "ios"): (2, 1), ("de", "web"): (1, 1), ("fr",): (1, 0), (): (1, 0)}
    assert counted(store) == counted(store, FINE_CELL_SECONDS) == everything
    first = store.funnel_cells(1, since=NOW, until=NOW + FINE_CELL_SECONDS, bucket_seconds=FINE_CELL_SECONDS)
    assert first.entries.tolist() == [1, 1, 1, 1]
    delay = int(np.flatnonzero(first.converted_by_delay.sum(axis=0))[0])
    assert DELAY_EDGES_SECONDS[delay - 1] < 20.0 <= DELAY_EDGES_SECONDS[delay]


def test_a_late_step_advances_its_attempt_within_the_cell_and_counts_it_once(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view", "cart", country="de"))
    roll_up_all(store)
    assert counted(store) == {("de",): (1, 0)}
    store.append_events([make_event("pay", "u1", NOW + 20)])
    roll_up_all(store)
    assert counted(store) == counted(store, FINE_CELL_SECONDS) == {("de",): (1, 1)}


def test_an_attempt_whose_entry_turns_out_to_be_another_event_leaves_its_old_cell(store: TelemetryStore) -> None:
    store.append_events([make_event("view", "u1", NOW, country="de"), make_event("cart", "u1", NOW + 50)])
    roll_up_all(store)
    store.append_events(
        [
            make_event("view", "u1", NOW - 300, country="fr"),
            make_event("cart", "u1", NOW - 200),
            make_event("pay", "u1", NOW - 100),
        ]
    )
    roll_up_all(store)
    assert counted(store) == {("fr",): (1, 1), ("de",): (1, 0)}
    store.append_events([make_event("view", "u2", NOW, country="de"), make_event("view", "u2", NOW - 10, country="fr")])
    roll_up_all(store)
    assert counted(store) == {("fr",): (2, 1), ("de",): (1, 0)}


def test_a_bucket_has_a_limited_number_of_cells_and_the_rest_share_one_permanently(
    store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_rollup, "MAX_CELLS_PER_BUCKET", 3)
    for number in range(6):
        for copy in range(3 if number >= 3 else 1):
            store.append_events(visit(f"u{number}-{copy}", NOW, "view", country=f"c{number}", device="ios"))
    roll_up_all(store)
    own = {(f"c{number}", "ios"): (3, 0) for number in (3, 4, 5)}
    assert counted(store) == {**own, ("other", "other"): (3, 0)}
    for user in ("u0-0", "u5-0"):
        store.append_events([make_event("cart", user, NOW + 5), make_event("pay", user, NOW + 6)])
    roll_up_all(store)
    assert counted(store) == {**own, ("c5", "ios"): (3, 1), ("other", "other"): (3, 1)}


def test_cells_are_kept_as_long_as_the_other_rollups(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view", country="de"))
    roll_up_all(store)
    store.expire(now=NOW + 3.1 * 3600)
    assert (counted(store, FINE_CELL_SECONDS), counted(store)) == ({}, {("de",): (1, 0)})
    store.expire(now=NOW + 36 * DAY)
    assert counted(store) == {}


def test_events_past_retention_on_arrival_are_not_counted_in_fine_cells(store: TelemetryStore, clock: Clock) -> None:
    store.append_events(visit("u1", NOW - 4 * 3600, "view", country="de"))
    roll_up_all(store)
    assert (counted(store, FINE_CELL_SECONDS), counted(store)) == ({}, {("de",): (1, 0)})


def test_erasing_a_person_leaves_the_cells_unchanged(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view", country="de") + visit("u2", NOW, *STEPS, country="de"))
    roll_up_all(store)
    store.erase_person(["u1"])
    roll_up_all(store)
    assert counted(store) == {("de",): (2, 1)}


def test_an_attempt_counted_before_cells_existed_never_makes_more_conversions_than_entries(
    store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("storage.telemetry.funnels.rollup.add_to_cells", lambda *arguments: None)
        store.append_events(visit("u1", NOW, "view", country="de"))
        roll_up_all(store)
    store.append_events([make_event("cart", "u1", NOW + 5), make_event("pay", "u1", NOW + 6)])
    roll_up_all(store)
    assert counted(store) == {("de",): (1, 1)}


values = st.fixed_dictionaries(
    {}, optional={"country": st.sampled_from("abcdefgh"), "device": st.sampled_from(["ios", "web", "ü'\"\\"])}
)
happenings = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 4000), values), min_size=1, max_size=40
)
numbers = count(10)


@settings(derandomize=True, deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=happenings, batch=st.integers(1, 15), room=st.integers(1, 4))
def test_the_cells_of_every_bucket_add_up_to_the_everyone_series_for_any_order_of_events(
    make_store: Callable[..., TelemetryStore],
    happened: list[tuple[int, int, int, Mapping[str, str]]],
    batch: int,
    room: int,
) -> None:
    store, number = make_store(), next(numbers)
    names = [f"{step}-{number}" for step in STEPS]
    funnel = FunnelDefinition(number, "Any", tuple(FunnelStep(name, name) for name in names), 600.0, 7)
    events = [
        Event(f"{number}:{index}", names[step], f"{number}:u{user}", NOW + at, dict(properties))
        for index, (step, user, at, properties) in enumerate(happened)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_rollup, "MAX_CELLS_PER_BUCKET", room)
        for start in range(0, len(events), batch):
            store.append_events(events[start : start + batch])
            roll_up_all(store, (funnel,), now=NOW + 4000)
    for cell_seconds, series_seconds in ((FINE_CELL_SECONDS, FINE_FUNNEL_SECONDS), (COARSE_SECONDS, COARSE_SECONDS)):
        found = store.funnel_series(number, since=0.0, until=NOW + DAY, bucket_seconds=series_seconds)
        for start in range(int(NOW), int(NOW) + 4000, cell_seconds):
            cells = store.funnel_cells(number, since=start, until=start + cell_seconds, bucket_seconds=cell_seconds)
            inside = (found[0].bucket_starts >= start) & (found[0].bucket_starts < start + cell_seconds)
            assert cells.entries.sum() == found[0].entries[inside].sum()
            assert (
                cells.converted_by_delay.sum(axis=0).tolist()
                == found[0].converted_by_delay[inside].sum(axis=0).tolist()
            )
            assert len(set(map(str, cells.combinations))) == len(cells.combinations) <= room + 1
