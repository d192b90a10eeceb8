"""More users than the system serves, and what ran full; what only looks so is neither."""

from __future__ import annotations

from tests.unit.workers.diagnosis.scenery import (
    END,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    commit,
    course,
    growing,
    observed,
    sign,
    total,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds import capacity, surge
from workers.diagnosis.causes.remedies import remedy_of
from workers.diagnosis.scene.model import Observed, Scene
from workers.diagnosis.what_to_do import what_to_do

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


def test_a_crowd_that_comes_for_one_thing_reaches_what_serves_it() -> None:
    courses = [
        course("storefront", RATE, 600, 2400, since=ONSET - 2 * MINUTE),
        course("search", RATE, 300, 1500, since=ONSET - 2 * MINUTE),
        *(course(part, RATE, 600, 600) for part in ("checkout", "mailer", "ledger")),
    ]
    (found,) = surge.suspects(observed(signs=[sign("search", K.CPU)], courses=courses, edges=MAP))

    assert weights_of(found)["traffic_alike"] == weights.TRAFFIC_ROSE_ON_ONE_ROUTE


def test_calls_that_only_callees_get_more_of_are_no_route() -> None:
    courses = [
        course("search", RATE, 600, 2400),
        *(course(part, RATE, 600, 600) for part in ("storefront", "mailer", "ledger")),
    ]
    (found,) = surge.suspects(observed(signs=SLOW, courses=courses, edges=MAP))

    assert weights_of(found)["traffic_alike"] == weights.TRAFFIC_ROSE_IN_SOME


def logins(*, succeeded: float) -> Observed:
    """Return a door at which eight times as many knock."""
    began = ONSET - 2 * MINUTE
    return observed(
        signs=[sign("accounts", K.AUTHENTICATION, at=began, text="login.failed"), sign("accounts", K.CPU)],
        courses=[
            course("accounts", "login.attempts", 40, 320, since=began),
            course("accounts", "login.failed", 4, 280, since=began),
            course("accounts", "login.success", 36, succeeded, since=began),
            course("shop", RATE, 600, 600),
            course("search", RATE, 600, 600),
        ],
        edges=[calls("shop", "search")],
        origin="accounts",
    )


def test_many_more_attempts_without_one_more_success_are_bots() -> None:
    (found,) = surge.suspects(logins(succeeded=36))

    assert weights_of(found)["strangers"] == weights.STRANGERS_ONLY


def test_more_attempts_that_succeed_are_no_bots() -> None:
    (found,) = surge.suspects(logins(succeeded=290))

    assert "strangers" not in weights_of(found)


def test_fewer_successes_are_a_door_that_broke_and_no_bots() -> None:
    (found,) = surge.suspects(logins(succeeded=2))

    assert "strangers" not in weights_of(found)


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


def test_bots_are_blocked_and_a_crowd_is_served() -> None:
    (bots,) = surge.suspects(logins(succeeded=36))
    (crowd,) = surge.suspects(logins(succeeded=290))

    assert remedy_of(bots.hypothesis, bots.evidence) == "block-traffic"
    assert str(what_to_do(bots.hypothesis, bots.evidence)).startswith("Block or slow down")
    assert remedy_of(crowd.hypothesis, crowd.evidence) == "scale"


def requests_of(*, senders: float) -> Observed:
    courses = [course("checkout", RATE, 200, 1700), course("checkout", "distinct_client_ips", 4000, senders)]
    return observed(signs=SLOW, courses=courses)


def test_many_times_more_requests_of_as_many_senders_are_no_crowd() -> None:
    (few,) = surge.suspects(requests_of(senders=4000))
    (crowd,) = surge.suspects(requests_of(senders=33_000))

    assert weights_of(few)["strangers"] == weights.STRANGERS_ONLY
    assert "strangers" not in weights_of(crowd)


def test_what_has_filled_for_hours_speaks_for_its_capacity_unless_a_change_makes_something_grow() -> None:
    filling = growing("checkout", "disk_used_percent", 60, 0.4, since=START)
    signs = [sign("checkout", K.DISK, text="no space left on device", source="log")]
    (found,) = capacity.suspects(observed(signs=signs, courses=[filling]))
    (level,) = capacity.suspects(observed(signs=signs, courses=[course("checkout", "disk_used_percent", 60, 99)]))
    assert weights_of(found)["climbed"] == weights.CLIMBED_UNTIL_FULL
    assert "climbed" not in weights_of(level)

    leak = commit("a.py", "@@ -1 +1,2 @@ def handle(self, request):\n     x = 1\n+    self._seen[request.id] = request")
    known = Scene(START, END, ("checkout",), ONSET, commits=(leak,))
    (doubted,) = capacity.suspects(observed(signs=signs, courses=[filling], more=known))
    assert "climbed" not in weights_of(doubted)
