"""How answers are marked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evals.by_severity import share_passed_by_severity
from tests.evals.cases import Case
from tests.evals.graders import chain, root_cause, scenario, triage
from tests.evals.graders.commits import same_commit
from tests.evals.plain_answer import PlainAnswer

TRUE, DECOY = "559e94ce37a7b4b6053149c40ba8a5bc9113ca6e", "78ad41355be70805bbf2985d5642a80ed842e056"


def case(**truth: Any) -> Case:
    return Case("suite", "one", Path("one"), truth, "suite/one")


def cause(commit: str = TRUE, **more: Any) -> Case:
    return case(root_cause_commit=commit, decoy_deploy_commits=[DECOY], **more)


def spread(**more: Any) -> Case:
    edges = [{"from": "db", "to": "cart"}, {"from": "cart", "to": "shop"}]
    return case(
        origin_service="db",
        accept_origin_aliases=["pg:db"],
        propagation_path=edges,
        blast_radius=["cart", "shop"],
        **{"edge_overlap_threshold": 1.0, **more},
    )


def alerts(**more: Any) -> Case:
    labels = {"A": "page", "B": "page", "C": "suppress", "D": "suppress"}
    return case(**{"labels": labels, "must_page": ["A"], "f1_threshold": 0.8, **more})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (TRUE, TRUE[:7], True),
        (TRUE[:8].upper(), TRUE, True),
        (TRUE, TRUE[:6], False),
        (TRUE, DECOY, False),
        ("none", "none", True),
        ("none", TRUE, False),
        (None, "none", False),
        (None, None, False),
    ],
)
def test_commits_are_the_same_by_seven_characters_or_more(one: str | None, other: str | None, same: bool) -> None:
    assert same_commit(one, other) is same


def test_the_true_commit_passes() -> None:
    mark = root_cause.grade(cause(), PlainAnswer(root_cause_commit=TRUE, confidence=0.9))
    assert (mark.passed, mark.right, mark.counts["decoys_blamed"]) == (True, True, 0)


def test_a_decoy_blamed_with_confidence_is_counted_and_is_wrong_and_sure() -> None:
    mark = root_cause.grade(cause(), PlainAnswer(root_cause_commit=DECOY, confidence=0.85))
    assert (mark.passed, mark.counts["decoys_blamed"], mark.wrong_and_sure) == (False, 1, True)


def test_a_decoy_named_with_doubt_is_wrong_but_not_blamed() -> None:
    mark = root_cause.grade(cause(), PlainAnswer(root_cause_commit=DECOY, confidence=0.59))
    assert (mark.passed, mark.counts["decoys_blamed"], mark.wrong_and_sure) == (False, 0, False)


def test_an_abstention_fails_but_is_not_wrong() -> None:
    mark = root_cause.grade(cause(), PlainAnswer(confidence=0.9))
    assert (mark.passed, mark.right, mark.abstained, mark.wrong_and_sure) == (False, None, True, False)


def test_the_true_commit_third_in_line_is_among_three_and_fourth_is_not() -> None:
    others = ((DECOY, 0.4), ("third_party", 0.3), ("abcdef1", 0.2))
    third = root_cause.grade(cause(), PlainAnswer(ranked=(*others, (TRUE, 0.1))))
    fourth = root_cause.grade(cause(), PlainAnswer(ranked=(*others, ("abcdef2", 0.1), (TRUE, 0.05))))
    assert (third.among_three, fourth.among_three) == (True, False)


def test_none_is_right_where_no_commit_is_at_fault() -> None:
    mark = root_cause.grade(cause("none"), PlainAnswer(root_cause_commit="none", confidence=0.9))
    assert (mark.passed, mark.counts["none_right"]) == (True, 1)


def test_to_abstain_passes_only_where_nothing_is_wrong() -> None:
    assert root_cause.grade(cause("none", accept_abstention=True), PlainAnswer()).passed
    assert not root_cause.grade(cause("none"), PlainAnswer()).passed


def test_the_whole_chain_with_its_origin_passes() -> None:
    answer = PlainAnswer(origin_service="DB", propagation_path=(("db", "cart"), ("cart", "shop")))
    assert chain.grade(spread(), answer).passed


def test_an_alias_of_the_origin_is_as_good_as_its_name() -> None:
    answer = PlainAnswer(origin_service="pg:db", propagation_path=(("pg:db", "cart"), ("cart", "shop")))
    assert chain.grade(spread(), answer).passed


def test_a_missing_edge_fails_unless_the_threshold_allows_it() -> None:
    answer = PlainAnswer(origin_service="db", propagation_path=(("db", "cart"),))
    assert not chain.grade(spread(), answer).passed
    assert chain.grade(spread(edge_overlap_threshold=0.5), answer).passed


def test_an_inverted_edge_is_counted_and_fails() -> None:
    answer = PlainAnswer(origin_service="db", propagation_path=(("db", "cart"), ("cart", "shop"), ("shop", "cart")))
    mark = chain.grade(spread(), answer)
    assert (mark.passed, mark.counts["inverted_edges"]) == (False, 1)


def test_an_edge_too_many_is_false_but_not_inverted() -> None:
    answer = PlainAnswer(origin_service="db", propagation_path=(("db", "cart"), ("cart", "shop"), ("db", "shop")))
    mark = chain.grade(spread(), answer)
    assert (mark.passed, mark.counts["inverted_edges"], mark.counts["edges_false"]) == (True, 0, 1)


def test_a_victim_named_as_origin_is_counted() -> None:
    assert chain.grade(spread(), PlainAnswer(origin_service="shop")).counts["victims_as_origin"] == 1
    assert chain.grade(spread(), PlainAnswer(origin_service="search")).counts["victims_as_origin"] == 0


def test_a_chain_without_a_culprit_says_nothing_of_the_confidence() -> None:
    named = PlainAnswer(root_cause_commit=TRUE, confidence=0.9)
    assert chain.grade(spread(), named).right is None
    assert chain.grade(spread(root_cause_culprit_sha=TRUE[:7]), named).right is True


def test_the_right_pages_pass() -> None:
    assert triage.grade(alerts(), PlainAnswer(decisions={"A": "page", "B": "page", "C": "suppress"})).passed


def test_a_must_page_that_is_suppressed_fails_whatever_else_is_right() -> None:
    mark = triage.grade(alerts(f1_threshold=0.1), PlainAnswer(decisions={"A": "suppress", "B": "page"}))
    assert (mark.passed, mark.counts["must_pages_suppressed"]) == (False, 1)


def test_waking_for_everything_fails_by_f1() -> None:
    mark = triage.grade(alerts(), PlainAnswer(decisions=dict.fromkeys("ABCD", "page")))
    assert (mark.passed, mark.counts["must_pages_suppressed"], mark.counts["false_pages"]) == (False, 0, 2)


def test_an_alert_without_a_decision_counts_as_suppressed() -> None:
    assert triage.grade(alerts(), PlainAnswer()).counts["must_pages_suppressed"] == 1


def test_the_peer_of_triage_wakes_by_the_senders_severity(tmp_path: Path) -> None:
    pages = [{"id": "A", "severity": "SEV1"}, {"id": "B", "severity": "SEV2"}, {"id": "C", "severity": "SEV3"}]
    (tmp_path / "pages.json").write_text(json.dumps(pages))
    assert share_passed_by_severity([replace(alerts(), folder=tmp_path)]) == 1
    assert share_passed_by_severity([replace(alerts(must_page=["C"]), folder=tmp_path)]) == 0


def test_a_scenario_passes_by_its_commit_and_counts_its_chain() -> None:
    truth = {**cause().truth, **spread().truth}
    mark = scenario.grade(case(**truth), PlainAnswer(root_cause_commit=TRUE, confidence=0.9, origin_service="shop"))
    assert (mark.passed, mark.counts["origin_right"], mark.counts["edges"]) == (True, 0, 2)
