"""A resource at its limit, as a mechanism."""

from __future__ import annotations

from detection.types import EdgeKind
from tests.unit.workers.diagnosis.scenes import calls, course, line, said, seen
from workers.diagnosis.causes.mechanisms import saturation

EDGES = (calls("checkout", "orders-db", EdgeKind.STORES),)
SLOW = course("checkout", "latency_p95_ms", 80, 1500)


def test_connections_that_reach_the_limit_that_a_metric_names_are_used_up() -> None:
    used = course("orders-db", "db_connections_active", 40, 100)
    limit = course("orders-db", "db_connections_max", 100, 100)

    (found,) = saturation.suspects(seen([used, limit, SLOW], edges=EDGES))

    assert "orders-db has no connections left" in found.hypothesis.statement
    assert found.hypothesis.service == "orders-db"
    assert said(found)["full_by_metrics"] > 0
    assert "of its limit" in found.evidence[0].result


def test_memory_near_its_limit_in_per_cent_is_used_up() -> None:
    (found,) = saturation.suspects(seen([course("checkout", "memory_usage_percent", 55, 99), SLOW], edges=EDGES))

    assert "checkout has no memory left" in found.hypothesis.statement


def test_lines_that_say_twenty_of_twenty_are_used_say_so_too() -> None:
    waiting = line("checkout", "timeout acquiring connection from pool: active=20/20 waiting=31", 60)

    (found,) = saturation.suspects(seen([SLOW], [waiting], EDGES))

    assert said(found).keys() == {"full_by_logs"}
    assert "20 of 20" in found.evidence[0].result


def test_connections_that_doubled_far_below_their_limit_are_not_used_up() -> None:
    used = course("orders-db", "db_connections_active", 20, 50)
    limit = course("orders-db", "db_connections_max", 100, 100)

    assert list(saturation.suspects(seen([used, limit, SLOW], edges=EDGES))) == []


def test_a_heap_that_is_always_nearly_full_is_on_its_usual_course() -> None:
    assert (
        list(saturation.suspects(seen([course("checkout", "heap_utilization", 0.96, 0.97), SLOW], edges=EDGES))) == []
    )


def test_a_limit_alone_says_nothing_and_neither_do_lines_of_five_of_twenty() -> None:
    limit = course("orders-db", "db_connections_max", 100, 100)
    waiting = line("checkout", "slow acquiring connection from pool: active=5/20", 60)

    assert list(saturation.suspects(seen([limit, SLOW], [waiting], EDGES))) == []
