"""A change for which nothing but its time and place speaks is not blamed surely, and not at all for an alert alone."""

from __future__ import annotations

from detection.types import Deploy, Metric
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.model import (
    UNKNOWN,
    Characterisation,
    Evidence,
    Gathered,
    Hypothesis,
    Outcome,
    Role,
    Symptom,
    Verdict,
)
from workers.diagnosis.steps.confirm import confirm

DEPLOY = Deploy(1, "cart", "v2", "3f2a1c9d00", None, "", 900.0)
ORIGINS = (
    Hypothesis("deploy:1", "deploy", Role.ORIGIN, ours("The deploy."), 0.5, deploy=DEPLOY),
    Hypothesis(UNKNOWN, "unknown", Role.ORIGIN, ours("Something else."), 0.5),
)


def verdict(metric: Metric, *checks: str, **weighed: float) -> Verdict:
    """Return the verdict where these checks speak for the one deploy, and others have these weights."""
    symptom = Symptom(metric, "cart", "cart", None, None, None, None, 1.0, 0.0, 1, 900.0, 1200.0, 1000.0)
    described = Characterisation(1, 1200.0, 1000.0, 1000.0, ("cart",), (symptom,), ())
    evidence = tuple(
        Evidence(check, "deploy:1", check, check, ours("It speaks."), {}, Outcome.DATA, weight, number)
        for number, (check, weight) in enumerate([*((check, 3.0) for check in checks), *weighed.items()], start=1)
    )
    return confirm(described, ORIGINS, Gathered(evidence, {}))


def test_time_and_place_alone_are_never_sure() -> None:
    found = verdict(Metric.ALERT, "trajectory", "change_place")
    assert found.origin_key == "deploy:1"
    assert found.raw_confidence == 0.55


def test_time_alone_blames_nothing_for_the_alert_of_another_monitor() -> None:
    found = verdict(Metric.ALERT, "deploy_timing")
    assert found.origin_key is None
    assert found.status == "inconclusive"
    assert found.confidence <= 0.55


def test_what_argux_saw_itself_is_blamed_on_the_deploy_nearest_in_time_but_not_surely() -> None:
    found = verdict(Metric.LATENCY_P95, "deploy_timing")
    assert found.origin_key == "deploy:1"
    assert found.raw_confidence == 0.55


def test_a_change_whose_text_explains_it_may_be_sure() -> None:
    assert verdict(Metric.ALERT, "trajectory", "change_text").confidence > 0.9
    assert verdict(Metric.LATENCY_P95, "deploy_timing", "metric_by_version").confidence > 0.9


def test_a_change_whose_text_explains_little_is_told_below_what_counts_as_blame() -> None:
    found = verdict(Metric.ALERT, "trajectory", "change_place", change_text=-0.2)
    assert found.origin_key == "deploy:1"
    assert found.raw_confidence == weights.TEXT_SAYS_LITTLE
    assert found.confidence < 0.6


def test_the_more_a_text_explains_the_surer_the_change_may_be() -> None:
    told = [
        verdict(Metric.ALERT, "trajectory", "change_place", change_text=weight).confidence
        for weight in (-1.0, 0.1, 0.4, 0.7)
    ]
    assert told == sorted(set(told))


def test_what_else_speaks_for_a_change_is_not_bounded_by_its_text() -> None:
    found = verdict(Metric.LATENCY_P95, "trajectory", "change_place", "metric_by_version", change_text=-0.2)
    assert found.confidence > 0.9


def test_a_change_whose_text_was_read_is_bounded_by_that_text_alone() -> None:
    assert verdict(Metric.ALERT, "trajectory", "change_place", "change_text").confidence > 0.9
