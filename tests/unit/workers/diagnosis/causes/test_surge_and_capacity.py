"""More users than the system serves, and what ran full; what only looks so is neither."""

from __future__ import annotations

from tests.unit.workers.diagnosis.scenery import (
    MINUTE,
    ONSET,
    K,
    calls,
    course,
    observed,
    sign,
    total,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes import capacity, surge

RATE = "requests_per_minute"
MAP = [calls("storefront", "checkout"), calls("storefront", "search")]
SLOW = (sign("checkout", K.LATENCY),)


def test_traffic_that_rises_everywhere_before_the_trouble_is_a_surge() -> None:
    courses = [course(part, RATE, 600, 2400, since=ONSET - 2 * MINUTE) for part in ("storefront", "checkout", "search")]
    (found,) = surge.suspects(observed(signs=SLOW, courses=courses, edges=MAP))

    assert weights_of(found) == {
        "traffic_rose": weights.TRAFFIC_ROSE_FIRST,
        "traffic_alike": weights.TRAFFIC_ROSE_ALIKE,
    }
    assert found.hypothesis.service == "storefront"


def test_traffic_that_rises_in_the_callee_only_is_no_surge() -> None:
    courses = [
        course("storefront", RATE, 600, 600),
        course("search", RATE, 600, 600),
        course("checkout", RATE, 600, 2400),
    ]
    (found,) = surge.suspects(observed(signs=SLOW, courses=courses, edges=MAP))

    assert weights_of(found)["traffic_alike"] == weights.TRAFFIC_ROSE_IN_SOME
    assert total(found) < 0


def test_traffic_that_a_retrying_caller_makes_is_no_surge() -> None:
    courses = [course("storefront", RATE, 600, 610), course("checkout", RATE, 600, 2400)]
    signs = [*SLOW, sign("storefront", K.RETRIES)]

    assert not list(surge.suspects(observed(signs=signs, courses=courses, edges=MAP)))


def test_retries_anywhere_speak_against_a_surge() -> None:
    courses = [course("storefront", RATE, 600, 2400)]
    signs = [*SLOW, sign("search", K.RETRIES)]
    (found,) = surge.suspects(observed(signs=signs, courses=courses, edges=MAP))

    assert weights_of(found)["retries"] == weights.TRAFFIC_FROM_RETRIES


def test_traffic_that_rises_well_after_the_trouble_follows_from_it() -> None:
    courses = [course("storefront", RATE, 600, 2400, since=ONSET + 12 * MINUTE)]
    (found,) = surge.suspects(observed(signs=SLOW, courses=courses, edges=MAP))

    assert weights_of(found)["traffic_rose"] == weights.TRAFFIC_ROSE_LATER


def test_a_fifth_more_is_no_surge() -> None:
    assert not list(surge.suspects(observed(signs=SLOW, courses=[course("storefront", RATE, 600, 720)], edges=MAP)))


def test_traffic_that_falls_is_no_surge() -> None:
    assert not list(surge.suspects(observed(signs=SLOW, courses=[course("storefront", RATE, 2400, 600)], edges=MAP)))


def test_more_queries_are_no_users() -> None:
    courses = [course("checkout", "db_queries_per_second", 100, 900), course("checkout", "qps", 100, 900)]

    assert not list(surge.suspects(observed(signs=SLOW, courses=courses)))


def test_a_disk_that_is_full_before_anything_else_is_found() -> None:
    signs = [sign("checkout-db", K.DISK, at=ONSET - MINUTE, text="disk_used_pct"), sign("checkout-db", K.ERRORS)]
    (found,) = capacity.suspects(observed(signs=signs, origin="checkout-db", victims=["checkout"]))

    assert weights_of(found) == {"full": weights.FULL_FIRST}
    assert found.hypothesis.key == "capacity:checkout-db:disk"


def test_memory_and_queues_that_lead_say_less_than_a_full_disk() -> None:
    (found,) = capacity.suspects(observed(signs=[sign("checkout", K.MEMORY), sign("checkout", K.LATENCY)]))

    assert weights_of(found)["full"] == weights.FULL_FIRST / 2


def test_a_pool_that_runs_full_long_after_the_errors_is_a_consequence() -> None:
    signs = [sign("checkout", K.ERRORS), sign("checkout", K.CONNECTIONS, at=ONSET + 15 * MINUTE)]
    (found,) = capacity.suspects(observed(signs=signs))

    assert weights_of(found)["full"] == weights.FULL_LATER


def test_the_origin_that_ran_full_comes_before_a_victim_that_did() -> None:
    signs = [sign("storefront", K.THREADS, at=ONSET - MINUTE), sign("checkout", K.CONNECTIONS)]
    (found,) = capacity.suspects(observed(signs=signs, victims=["storefront"]))

    assert found.hypothesis.service == "checkout"


def test_a_part_of_no_concern_that_runs_full_is_no_cause() -> None:
    assert not list(capacity.suspects(observed(signs=[*SLOW, sign("mailer", K.DISK)])))


def test_errors_alone_are_nothing_that_ran_full() -> None:
    assert not list(capacity.suspects(observed(signs=[sign("checkout", K.ERRORS), *SLOW])))
