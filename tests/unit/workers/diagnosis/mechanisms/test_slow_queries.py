"""Slow queries as a mechanism."""

from __future__ import annotations

from detection.types import EdgeKind
from tests.unit.workers.diagnosis.scenes import calls, course, line, said, seen
from workers.diagnosis.causes.mechanisms import slow_query
from workers.diagnosis.model import Role

STORES = (calls("checkout", "orders-db", EdgeKind.STORES),)
SLOW_LINE = "slow query took 2300 ms: SELECT id, total FROM orders WHERE note LIKE ?"


def test_queries_that_got_slow_are_told_with_the_statement_that_a_line_names() -> None:
    slow = course("orders-db", "query_latency_p95_ms", 4.0, 900.0)
    observed = seen([slow, course("checkout", "latency_p95_ms", 80, 1200)], [line("orders-db", SLOW_LINE, 40)], STORES)

    (found,) = slow_query.suspects(observed)

    assert found.hypothesis.role is Role.MECHANISM
    assert found.hypothesis.service == "orders-db"
    assert all(weight > 0 for weight in said(found).values())
    assert said(found).keys() == {"slow_queries", "slow_statement"}
    assert "SELECT id, total FROM orders" in found.evidence[1].result


def test_rows_read_that_multiplied_are_slow_queries_too() -> None:
    rows = course("orders-db", "rows_examined_per_second", 500.0, 90_000.0)

    (found,) = slow_query.suspects(seen([rows, course("checkout", "latency_p95_ms", 80, 1200)], edges=STORES))

    assert said(found)["slow_queries"] > 0


def test_more_queries_of_the_usual_speed_are_no_slow_queries() -> None:
    more = course("checkout", "db_queries_per_request", 4.0, 120.0)

    assert (
        list(slow_query.suspects(seen([more, course("orders-db", "query_latency_p95_ms", 4, 4)], edges=STORES))) == []
    )


def test_a_statement_in_a_line_that_calls_nothing_slow_is_no_slow_query() -> None:
    failed = line("checkout", "constraint violated by INSERT INTO orders (id) VALUES (?)", 40)

    assert list(slow_query.suspects(seen([course("checkout", "error_rate", 0.001, 0.3)], [failed], STORES))) == []


def test_lines_about_a_slow_query_that_come_as_often_as_ever_are_no_news() -> None:
    usual = line("checkout", SLOW_LINE, 40, usual=38)

    assert list(slow_query.suspects(seen([course("checkout", "error_rate", 0.001, 0.3)], [usual], STORES))) == []
