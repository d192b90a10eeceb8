"""A cache that answers less, as a mechanism."""

from __future__ import annotations

from detection.types import EdgeKind
from tests.unit.workers.diagnosis.scenes import calls, course, said, seen
from workers.diagnosis.causes.mechanisms import cache

EDGES = (
    calls("checkout", "catalog"),
    calls("catalog", "redis", EdgeKind.STORES),
    calls("catalog", "catalog-db", EdgeKind.STORES),
)
SLOW = course("catalog", "latency_p95_ms", 50, 900, from_minute=62)
BUSY = course("catalog-db", "cpu_utilization", 0.2, 0.95, from_minute=62)


def test_a_hit_ratio_that_falls_before_the_database_is_busy_is_the_cache() -> None:
    misses = course("redis", "cache_hit_ratio", 0.96, 0.30)

    (found,) = cache.suspects(seen([misses, BUSY, SLOW], edges=EDGES))

    assert found.hypothesis.service == "redis"
    assert said(found) == {"cache_misses": said(found)["cache_misses"], "load_behind": said(found)["load_behind"]}
    assert all(weight > 0 for weight in said(found).values())


def test_a_cache_in_the_service_itself_is_held_against_its_own_database() -> None:
    misses = course("catalog", "cache_hit_ratio", 0.96, 0.30)

    (found,) = cache.suspects(seen([misses, BUSY, SLOW], edges=EDGES))

    assert said(found)["load_behind"] > 0


def test_a_hit_ratio_that_falls_after_the_load_rose_is_a_consequence() -> None:
    late = course("redis", "cache_hit_ratio", 0.96, 0.30, from_minute=75)

    (found,) = cache.suspects(seen([late, BUSY, SLOW], edges=EDGES))

    assert said(found)["load_behind"] < -abs(said(found)["cache_misses"])


def test_without_a_cache_that_answers_less_a_busy_database_is_none_of_it() -> None:
    fine = course("redis", "cache_hit_ratio", 0.96, 0.96)

    assert list(cache.suspects(seen([fine, BUSY, SLOW], edges=EDGES))) == []
