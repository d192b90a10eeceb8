"""A retry storm as a mechanism."""

from __future__ import annotations

from tests.unit.workers.diagnosis.scenes import calls, course, said, seen
from workers.diagnosis.causes.mechanisms import retry_storm

EDGES = (calls("web", "checkout"), calls("checkout", "payment"))
SLOW_CALLEE = course("payment", "latency_p95_ms", 60, 2400)
RETRIES = course("checkout", "payment_client_retries_per_second", 0.2, 40, from_minute=63)
MORE_CALLS = course("payment", "requests_per_second", 50, 190, from_minute=63)
SAME_REQUESTS = course("checkout", "requests_per_second", 50, 51)


def test_retries_after_the_callee_slowed_that_multiply_its_calls_are_a_storm() -> None:
    observed = seen([SLOW_CALLEE, RETRIES, MORE_CALLS, SAME_REQUESTS], edges=EDGES)

    (found,) = retry_storm.suspects(observed)

    assert found.hypothesis.service == "payment"
    assert "checkout retries its calls to payment" in found.hypothesis.statement
    assert said(found)["retries_after"] > 0
    assert said(found)["calls_multiplied"] > 0


def test_retries_that_came_first_speak_against_a_storm() -> None:
    slow_later = course("payment", "latency_p95_ms", 60, 2400, from_minute=70)

    (found,) = retry_storm.suspects(seen([slow_later, RETRIES], edges=EDGES))

    assert said(found)["retries_after"] < 0


def test_calls_that_rose_as_the_requests_did_are_a_crowd_and_no_storm() -> None:
    crowd = course("checkout", "requests_per_second", 50, 190)

    (found,) = retry_storm.suspects(seen([SLOW_CALLEE, RETRIES, MORE_CALLS, crowd], edges=EDGES))

    assert said(found)["calls_multiplied"] < 0


def test_without_retries_more_calls_to_a_slow_part_are_no_storm() -> None:
    assert list(retry_storm.suspects(seen([SLOW_CALLEE, MORE_CALLS, SAME_REQUESTS], edges=EDGES))) == []


def test_retries_of_calls_to_a_part_that_is_well_are_no_storm() -> None:
    well = course("payment", "latency_p95_ms", 60, 60)

    failing = course("checkout", "error_rate", 0.001, 0.2)
    assert list(retry_storm.suspects(seen([well, RETRIES, failing], edges=EDGES))) == []
