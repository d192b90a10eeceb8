from __future__ import annotations

import numpy as np

from workers.diagnosis.scene.courses import without_sampled_traffic
from workers.diagnosis.scene.model import Course

MINUTES = np.arange(0.0, 600.0, 60.0)


def _course(part: str, name: str) -> Course:
    return Course(part, name, MINUTES, np.ones(len(MINUTES)))


SPANS_OF_CART = [_course("cart", name) for name in ("requests_per_minute", "latency_p95_ms", "error_rate")]


def test_a_part_that_measures_its_traffic_has_none_by_its_spans() -> None:
    measured = [_course("cart", "http_requests_per_second")]
    assert [course.name for course in without_sampled_traffic(SPANS_OF_CART, measured)] == [
        "latency_p95_ms",
        "error_rate",
    ]


def test_a_part_that_measures_other_things_has_its_traffic_by_its_spans() -> None:
    assert without_sampled_traffic(SPANS_OF_CART, [_course("cart", "cpu_percent")]) == SPANS_OF_CART


def test_the_traffic_of_another_part_says_nothing_of_this_one() -> None:
    assert without_sampled_traffic(SPANS_OF_CART, [_course("shop", "http_requests_per_second")]) == SPANS_OF_CART
