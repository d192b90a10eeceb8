"""Flags, commits, the service map, the orchestrator's events and statuses are kept and found; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from detection.types import (
    ChangedFile,
    Commit,
    EdgeKind,
    FlagChange,
    LogSignature,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
)
from storage.database.session import sessions
from storage.surroundings import commits, flags, log_signatures, orchestrator, provider_statuses, service_map

NOON = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LATER = NOON + timedelta(days=36)

FLAG = FlagChange("ld:1", "new-checkout", "cart", "production", "false", "true", NOON.timestamp(), "Ana", "ours")
PATCH = "@@ -1 +1 @@\n-TTL = 300\n+TTL = 3\n"
BARE = Commit("abcdef1234567890", None, "Ana", NOON.timestamp(), "Shorter", "", (), None, "acme/shop")
FULL = replace(BARE, parent_sha="0" * 40, service="cart", files=(ChangedFile("src/cache.py", "modified", 1, 1, PATCH),))
EVENT = OrchestratorEvent(
    "uid:1", NOON.timestamp(), "OOMKilling", "Größe \x00", "pod/cart-7f9c", "shop", "node-7", "cart", True
)
STATUS = ProviderStatus(
    "x1", "stripe", "Errors", "API", "major", NOON.timestamp(), None, ("api.stripe.com",), ((NOON.timestamp(), 0.5),)
)
SIGNATURE = LogSignature(
    "cart", "timeout after <n> ms", 40, 1.5, NOON.timestamp(), True, NOON.timestamp(), (NOON + HOUR).timestamp()
)


def test_a_flag_change_told_twice_is_kept_once_and_found_in_its_time_only(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        assert flags.record_flag_changes(session, [FLAG, FLAG], now=NOON) == 1
        assert flags.record_flag_changes(session, [FLAG], now=NOON) == 0
        assert flags.flag_changes_between(session, NOON, NOON + MINUTE) == [FLAG]
        assert flags.flag_changes_between(session, NOON + MINUTE, NOON + HOUR) == []
        assert flags.flag_changes_between(session, NOON - HOUR, NOON) == []


def test_a_commit_told_again_with_its_diff_gets_the_diff_and_loses_nothing(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        assert commits.record_commits(session, [BARE], now=NOON) == 1
        assert commits.record_commits(session, [FULL], now=NOON) == 0
    with sessions(engine).begin() as session:
        assert commits.record_commits(session, [BARE], now=NOON) == 0
        assert commits.commits_between(session, NOON, NOON + MINUTE) == [FULL]


def test_a_commit_is_found_by_a_short_sha_that_is_not_ambiguous(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        commits.record_commits(session, [FULL, replace(BARE, sha="abcdef1f")], now=NOON)
        assert commits.commit_of(session, "ABCDEF12") == FULL
        assert commits.commit_of(session, "abcdef1") is None
        assert commits.commit_of(session, "abcdef") is None
        assert commits.commit_of(session, "abcdef9") is None


def test_a_very_large_patch_is_left_out_and_its_file_stays(engine: Engine) -> None:
    large = ChangedFile("bundle.js", "modified", 9, 0, "x" * (commits.LONGEST_PATCH + 1))
    with sessions(engine).begin() as session:
        commits.record_commits(session, [replace(FULL, files=(large, *FULL.files))], now=NOON)
        (kept,) = commits.commits_between(session, NOON, NOON + MINUTE)
    assert kept.files == (replace(large, patch=""), *FULL.files)


def test_of_an_edge_seen_several_times_the_newest_sight_counts(engine: Engine) -> None:
    edge = ServiceEdge("cart", "redis", EdgeKind.STORES, "spans", NOON.timestamp(), 2.0)
    older = replace(edge, seen_at=edge.seen_at - 600, calls_per_second=9.0)
    itself = replace(edge, callee="cart")
    with sessions(engine).begin() as session:
        service_map.record_edges(session, [edge, itself], now=NOON)
        service_map.record_edges(session, [older], now=NOON)
        assert service_map.edges_known(session, NOON - HOUR) == [edge]
        assert service_map.edges_known(session, NOON + MINUTE) == []


def test_declared_edges_replace_the_declared_ones_and_stay_however_old(engine: Engine) -> None:
    seen = ServiceEdge("cart", "redis", EdgeKind.STORES, "spans", NOON.timestamp())
    declared = [ServiceEdge("web", name, EdgeKind.CALLS, "declared", NOON.timestamp()) for name in ("cart", "search")]
    with sessions(engine).begin() as session:
        service_map.record_edges(session, [seen], now=NOON)
        service_map.replace_declared(session, declared, now=NOON)
        service_map.replace_declared(session, declared[:1], now=NOON)
        assert service_map.edges_known(session, NOON) == [seen, declared[0]]
        assert service_map.drop_old_edges(session, now=LATER) == 1
        assert service_map.edges_known(session, LATER) == declared[:1]


def test_the_edges_below_some_services_are_followed_for_some_calls_and_no_others_are_read(engine: Engine) -> None:
    def edge(caller: str, callee: str) -> ServiceEdge:
        return ServiceEdge(caller, callee, EdgeKind.CALLS, "spans", NOON.timestamp())

    chain = [edge("cart", "orders"), edge("orders", "orders-db"), edge("orders-db", "disk")]
    round_trip, apart = edge("orders", "cart"), edge("mail", "smtp")
    with sessions(engine).begin() as session:
        service_map.record_edges(session, [*chain, round_trip, apart], now=NOON)
        below = service_map.edges_below(session, {"cart"}, NOON, steps=2)
        assert below == [chain[0], round_trip, chain[1]]
        assert service_map.edges_below(session, {"cart"}, NOON + MINUTE, steps=2) == []
        assert service_map.edges_below(session, set(), NOON, steps=2) == []


def test_a_place_is_known_from_its_first_to_its_last_sight(engine: Engine) -> None:
    first = ServicePlace("cart", "node-7", NOON.timestamp())
    last = replace(first, seen_at=(NOON + HOUR).timestamp())
    with sessions(engine).begin() as session:
        service_map.record_places(session, [last, first], now=NOON + HOUR)
        assert service_map.places_known(session, NOON + MINUTE, NOON + 2 * HOUR) == [last]
        assert service_map.places_known(session, NOON - HOUR, NOON) == []
        assert service_map.places_known(session, NOON + 2 * HOUR, NOON + 3 * HOUR) == []


def test_an_orchestrators_event_told_twice_is_kept_once(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        assert orchestrator.record_events(session, [EVENT], now=NOON) == 1
        assert orchestrator.record_events(session, [EVENT], now=NOON) == 0
        (kept,) = orchestrator.events_between(session, NOON, NOON + MINUTE)
    assert kept == replace(EVENT, message="Größe \ufffd")


def test_a_providers_incident_takes_its_newest_state_and_is_known_while_it_lasts(engine: Engine) -> None:
    ended = replace(STATUS, ended_at=(NOON + HOUR).timestamp())
    with sessions(engine).begin() as session:
        provider_statuses.record_statuses(session, [STATUS], now=NOON)
        assert provider_statuses.statuses_between(session, NOON + 5 * HOUR, NOON + 6 * HOUR) == [STATUS]
        provider_statuses.record_statuses(session, [ended], now=NOON)
        assert provider_statuses.statuses_between(session, NOON + 5 * HOUR, NOON + 6 * HOUR) == []
        assert provider_statuses.statuses_between(session, NOON, NOON + HOUR) == [ended]


def test_counted_log_lines_are_found_in_the_periods_they_were_counted_in(engine: Engine) -> None:
    more = replace(SIGNATURE, count=41)
    with sessions(engine).begin() as session:
        log_signatures.record_signatures(session, [SIGNATURE], now=NOON)
        log_signatures.record_signatures(session, [more], now=NOON)
        assert log_signatures.signatures_between(session, NOON + MINUTE, NOON + 2 * MINUTE) == [more]
        assert log_signatures.signatures_between(session, NOON - HOUR, NOON) == []
        assert log_signatures.signatures_between(session, NOON, NOON + MINUTE, {"cart"}) == [more]
        assert log_signatures.signatures_between(session, NOON, NOON + MINUTE, {"mail"}) == []


@pytest.mark.parametrize(
    ("record", "drop"),
    [
        (lambda s: flags.record_flag_changes(s, [FLAG], now=NOON), flags.drop_old_flag_changes),
        (lambda s: commits.record_commits(s, [FULL], now=NOON), commits.drop_old_commits),
        (
            lambda s: service_map.record_places(s, [ServicePlace("a", "n", NOON.timestamp())], now=NOON),
            service_map.drop_old_places,
        ),
        (lambda s: orchestrator.record_events(s, [EVENT], now=NOON), orchestrator.drop_old_events),
        (lambda s: provider_statuses.record_statuses(s, [STATUS], now=NOON), provider_statuses.drop_old_statuses),
        (lambda s: log_signatures.record_signatures(s, [SIGNATURE], now=NOON), log_signatures.drop_old_signatures),
    ],
)
def test_what_is_older_than_35_days_is_deleted_and_nothing_younger(
    engine: Engine, record: Callable[[Session], object], drop: Callable[..., int]
) -> None:
    with sessions(engine).begin() as session:
        record(session)
        assert drop(session, now=NOON + timedelta(days=34)) == 0
        assert drop(session, now=LATER) == 1
        assert drop(session, now=LATER) == 0
