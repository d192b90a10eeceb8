from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.causes import LARGEST_WEIGHT, UNKNOWN, discount_by_source, posterior

fixed = settings(max_examples=200)
weights = st.lists(st.floats(-10, 10), max_size=6)


@fixed
@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(st.floats(0, 5), weights)))
def test_the_posterior_sums_to_one_and_always_includes_unknown(causes: dict[str, tuple[float, list[float]]]) -> None:
    found = posterior(
        {cause: prior for cause, (prior, _) in causes.items()},
        {cause: evidence for cause, (_, evidence) in causes.items()},
    )
    assert sum(found.values()) == pytest.approx(1.0)
    assert set(found) == {*causes, UNKNOWN}
    assert all(0.0 <= share <= 1.0 for share in found.values())


@fixed
@given(weights, st.floats(0.01, 5))
def test_more_support_never_makes_a_cause_less_likely(evidence: list[float], more: float) -> None:
    before = posterior({"deploy": 1.0, "capacity": 1.0}, {"deploy": evidence})
    after = posterior({"deploy": 1.0, "capacity": 1.0}, {"deploy": [*evidence, more]})
    assert after["deploy"] >= before["deploy"]


def test_without_evidence_the_posterior_is_the_prior_with_unknown() -> None:
    found = posterior({"deploy": 3.0, "capacity": 1.0}, {})
    assert found["deploy"] == pytest.approx(3 * found["capacity"])
    assert found[UNKNOWN] == pytest.approx(0.8 / 4.8)


def test_the_weight_of_a_single_piece_of_evidence_is_capped() -> None:
    found = posterior({"deploy": 1.0}, {"deploy": [50.0]})
    assert found == posterior({"deploy": 1.0}, {"deploy": [LARGEST_WEIGHT]})
    assert found["deploy"] > posterior({"deploy": 1.0}, {"deploy": [1.0]})["deploy"]


def test_when_every_candidate_is_refuted_the_answer_is_unknown() -> None:
    found = posterior({"deploy": 2.0, "capacity": 1.0}, {"deploy": [-3.0, -3.0], "capacity": [-3.0, -2.0]})
    assert max(found, key=lambda cause: found[cause]) == UNKNOWN
    assert found[UNKNOWN] > 0.9


def test_evidence_for_unknown_is_ignored_and_for_a_cause_without_prior_is_refused() -> None:
    assert posterior({"deploy": 1.0, UNKNOWN: 0.5}, {UNKNOWN: [9.0]}) == posterior({"deploy": 1.0, UNKNOWN: 0.5}, {})
    with pytest.raises(ValueError, match="without a prior: ghost"):
        posterior({"deploy": 1.0}, {"ghost": [1.0]})
    with pytest.raises(ValueError, match="negative"):
        posterior({"deploy": -1.0}, {})


def test_without_candidates_the_cause_is_unknown() -> None:
    assert posterior({}, {}) == {UNKNOWN: 1.0}


def test_repeated_evidence_of_one_source_counts_half_and_then_a_quarter() -> None:
    weights = [("spans", 1.0), ("deploys", 2.0), ("spans", 2.0), ("spans", -1.0), ("spans", 0.8)]
    assert discount_by_source(weights) == [0.5, 2.0, 2.0, -1.0, 0.2]


@fixed
@given(st.lists(st.floats(0, 5), min_size=1, max_size=12))
def test_one_source_never_counts_more_than_twice_its_largest_weight(evidence: list[float]) -> None:
    assert sum(discount_by_source([("logs", weight) for weight in evidence])) <= 2 * max(evidence) + 1e-9
