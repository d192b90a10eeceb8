"""That nothing is wrong is claimed only where an alert's own metric is known, keeps its course, and nothing is hurt."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detection.chain import Chain, Sign
from detection.types import EdgeKind, Floats, ServiceEdge, SymptomKind
from workers.diagnosis.causes.kinds.nothing_wrong import suspects
from workers.diagnosis.causes.suspicion import Suspicion
from workers.diagnosis.scene.model import Course, Observed, Scene

ALERTED_AT = 90 * 60.0
TEXT = "cpu_usage_ratio cart cpu_usage_ratio above 0.35"


def course(name: str = "cpu_usage_ratio", part: str = "cart", *, rise: tuple[int, int] | None = None) -> Course:
    """Return two hours of a quiet share, or of one that is three times as high between two samples."""
    values: Floats = 0.2 + 0.01 * np.sin(np.arange(100, dtype=np.float64) * 1.7)
    if rise is not None:
        values[rise[0] : rise[1]] *= 3
    return Course(part, name, np.arange(100, dtype=np.float64) * 60.0, values)


def found(
    *courses: Course, texts: tuple[str, ...] = (TEXT,), signs: Iterable[Sign] = (), is_seen: bool = False
) -> list[Suspicion]:
    """Return the suspicions in a scene of these courses, in which checkout calls cart."""
    scene = Scene(
        since=0.0,
        until=6000.0,
        alerted=("cart",),
        alerted_at=ALERTED_AT,
        alert_texts=texts,
        is_seen_by_argux=is_seen,
        courses=courses,
        edges=(ServiceEdge("checkout", "cart", EdgeKind.CALLS, "declared", 0.0),),
    )
    chain = Chain(None, (), (), (), 0.0, ())
    parts = frozenset(("cart", "checkout", "search"))
    return list(suspects(Observed(scene, parts, tuple(signs), chain, (ALERTED_AT, ALERTED_AT))))


def weights_of(suspicions: list[Suspicion]) -> dict[str, float]:
    """Return the weights by check."""
    return {item.check: item.weight for suspicion in suspicions for item in suspicion.evidence}


def test_a_metric_that_never_left_its_course_is_no_trouble() -> None:
    others = (course("latency_p95_ms"), course("error_rate", "checkout"))
    assert weights_of(found(course(), *others)) == {"alerted_metric": 2.5, "no_harm": 2.0}


def test_a_metric_that_is_back_in_its_course_says_less() -> None:
    assert weights_of(found(course(rise=(60, 80))))["alerted_metric"] == 1.5


def test_a_metric_that_is_off_its_course_is_trouble() -> None:
    assert found(course(rise=(85, 100))) == []


def test_a_metric_that_is_not_known_says_nothing() -> None:
    assert found(course("latency_p95_ms")) == []


def test_the_same_metric_of_another_part_says_nothing() -> None:
    assert found(course(part="search")) == []


def test_a_series_that_ends_long_before_the_alert_says_nothing() -> None:
    whole = course()
    assert found(Course(whole.part, whole.name, whole.times[:50], whole.values[:50])) == []


def test_what_argux_noticed_itself_is_not_argued_away() -> None:
    assert found(course(), is_seen=True) == []


def test_one_alert_of_two_that_names_nothing_known_is_enough_to_keep_silent() -> None:
    assert found(course(), texts=(TEXT, "payments are down")) == []


def test_a_longer_name_is_not_the_metric() -> None:
    assert found(course(), texts=("cpu_usage_ratio_max of cart",)) == []


def test_harm_beside_it_speaks_against() -> None:
    harm = Sign("checkout", SymptomKind.ERRORS, 5000.0, 5060.0, 8.0, "error_rate", source="metric")
    assert weights_of(found(course(), signs=(harm,)))["no_harm"] < 0


def test_harm_beside_it_that_has_passed_speaks_neither_way() -> None:
    blip = Sign("checkout", SymptomKind.LATENCY, 5000.0, 5060.0, 8.0, "latency", source="metric", ended_at=5180.0)
    assert "no_harm" not in weights_of(found(course(), signs=(blip,)))


def test_harm_beside_it_that_had_passed_long_before_is_no_matter() -> None:
    blip = Sign("checkout", SymptomKind.LATENCY, 4000.0, 4060.0, 8.0, "latency", source="metric", ended_at=4240.0)
    others = (course("latency_p95_ms"), course("error_rate", "checkout"))
    assert weights_of(found(course(), *others, signs=(blip,)))["no_harm"] > 0


def test_a_handful_of_traces_beside_it_speaks_neither_way() -> None:
    slow = Sign("checkout", SymptomKind.LATENCY, 5000.0, 5060.0, 2.0, source="trace")
    assert "no_harm" not in weights_of(found(course(), signs=(slow,)))


def test_harm_far_away_does_not_count() -> None:
    far = Sign("search", SymptomKind.ERRORS, 5000.0, 5060.0, 8.0, "error_rate", source="metric")
    others = (course("latency_p95_ms"), course("error_rate", "checkout"))
    assert weights_of(found(course(), *others, signs=(far,)))["no_harm"] > 0
