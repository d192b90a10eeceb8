"""A verdict gets the confidence that earlier outcomes allow, bounded by what could be seen."""

from __future__ import annotations

import pytest

from detection.calibration import Calibration
from integrations.text import ours
from storage.models import Diagnosis, Hypothesis
from workers.diagnosis.certainty.calibrating import calibrated, cause_of
from workers.diagnosis.certainty.judging import cause_named
from workers.diagnosis.model import UNKNOWN, Ranked, Role, Verdict


def _verdict(confidence: float, origin_key: str | None = "deploy:1") -> Verdict:
    ranked = (
        Ranked("deploy:1", "deploy", Role.ORIGIN, ours("It did it."), confidence, "confirmed"),
        Ranked(UNKNOWN, UNKNOWN, Role.ORIGIN, ours("Something else."), 1.0 - confidence, "open"),
    )
    return Verdict("concluded", ranked, origin_key, None, 0.0, confidence, None, ())


def test_neither_the_cause_nor_none_is_surer_than_the_sources_allow() -> None:
    stated = calibrated(_verdict(0.99), Calibration(), cap=0.7, none=0.98)
    assert (stated.confidence, stated.none_confidence) == (0.7, 0.7)
    assert (stated.raw_confidence, stated.raw_none_confidence) == (0.99, 0.98)


def test_what_nobody_could_see_lowers_both() -> None:
    seen, unseen = (calibrated(_verdict(0.9), Calibration(), cap=1.0, none=0.8, unseen=nats) for nats in (0.0, 0.5))
    assert unseen.confidence < seen.confidence
    assert unseen.none_confidence < seen.none_confidence


def test_a_sum_that_rounding_made_too_large_is_still_a_probability() -> None:
    assert calibrated(_verdict(0.5), Calibration(), cap=1.0, none=1.0 + 1e-9).raw_none_confidence == 1.0


@pytest.mark.parametrize(("key", "cause"), [("deploy:1", "deploy"), (None, UNKNOWN), ("gone", UNKNOWN)])
def test_the_cause_is_the_kind_of_what_is_named(key: str | None, cause: str) -> None:
    assert cause_of(_verdict(0.9, key)) == cause
    rows = [Hypothesis(key="deploy:1", cause="deploy"), Hypothesis(key="flag:1", cause="flag")]
    stored = Diagnosis(checkpoints={"confirm": {"origin_key": key}}, hypotheses=rows)
    assert cause_named(stored) == cause
