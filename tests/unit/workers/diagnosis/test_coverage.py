"""Confidence is bounded by the sources that a kind of cause rests on."""

from __future__ import annotations

import pytest

from workers.diagnosis.coverage import most_confident, unseen
from workers.diagnosis.source_states import Source, SourceState

ALL = (
    *("metrics", "requests", "logs", "log signatures", "traces", "service map", "nodes", "orchestrator events"),
    *("status feeds", "deploys", "commits", "flags"),
)


def bound(cause: str, *without: str, state: SourceState = SourceState.EMPTY) -> float:
    """Return the bound where these sources have nothing to say."""
    return most_confident([Source(name, state if name in without else SourceState.DATA) for name in ALL], cause)


@pytest.mark.parametrize("cause", ["deploy", "commit", "flag", "third_party", "node", "certificate", "unknown", ""])
def test_no_source_less_raises_the_bound(cause: str) -> None:
    for name in ALL:
        assert bound(cause, name) <= bound(cause)


def test_with_every_source_nothing_is_lost() -> None:
    assert bound("deploy") == 0.99


@pytest.mark.parametrize("name", ["commits", "deploys", "service map", "flags"])
def test_a_change_is_less_sure_without_what_could_clear_it(name: str) -> None:
    assert bound("deploy", name) < 0.98


def test_two_sources_less_cost_more_than_one() -> None:
    assert bound("deploy", "commits", "deploys") < bound("deploy", "commits")


def test_a_source_that_could_not_be_asked_counts_like_an_empty_one() -> None:
    assert bound("deploy", "commits", state=SourceState.FAILED) == bound("deploy", "commits")


def test_what_another_source_tells_as_well_is_not_missed() -> None:
    assert bound("deploy", "metrics") == bound("deploy")
    assert bound("deploy", "metrics", "requests") < bound("deploy")


def test_the_confidence_in_a_deploy_is_not_capped_by_a_status_feed_that_nobody_connected() -> None:
    assert bound("deploy", "status feeds") == bound("deploy")
    assert bound("third_party", "status feeds") < bound("third_party")


def test_a_source_that_nobody_needed_to_ask_costs_nothing() -> None:
    asked = [Source(name, SourceState.DATA) for name in ALL if name != "service map"]
    assert most_confident(asked, "deploy") == 0.99


def unseen_without(cause: str, *without: str) -> float:
    """Return how much may be unseen, in nats, where these sources have nothing to say."""
    return unseen([Source(name, SourceState.EMPTY if name in without else SourceState.DATA) for name in ALL], cause)


RIVALS = ("metrics", "deploys", "commits", "logs", "service map", "traces", "orchestrator events", "flags")


@pytest.mark.parametrize("cause", ["deploy", "commit", "flag", "third_party", "surge", ""])
def test_with_every_source_nothing_is_unseen(cause: str) -> None:
    assert unseen_without(cause) == 0.0


ALIKE = {"metrics": "requests", "logs": "log signatures", "traces": "requests"}


@pytest.mark.parametrize("name", RIVALS)
def test_every_source_that_could_speak_for_a_rival_is_missed_and_two_more_than_one(name: str) -> None:
    alone = unseen_without("deploy", name, ALIKE.get(name, name))
    assert alone > 0
    assert unseen_without("deploy", name, ALIKE.get(name, name), "status feeds") > alone


def test_a_commit_alone_misses_the_deploys_more_than_a_provider_does() -> None:
    assert unseen_without("commit", "deploys") > unseen_without("third_party", "deploys") > 0


def test_requests_show_what_metrics_would_and_log_signatures_some_of_what_lines_would() -> None:
    assert unseen_without("deploy", "metrics") == 0 < unseen_without("deploy", "metrics", "requests")
    assert 0 < unseen_without("deploy", "logs") < unseen_without("deploy", "logs", "log signatures")


def test_what_never_was_there_is_not_missed_once_outcomes_have_taught_how_sure_one_may_be() -> None:
    never = [Source("metrics", SourceState.DATA), Source("flags", SourceState.EMPTY, is_connected=False)]
    away = [Source("metrics", SourceState.DATA), Source("flags", SourceState.FAILED)]
    assert unseen(never) == unseen(away) > 0
    assert unseen(never, is_learnt=True) == 0
    assert unseen(away, is_learnt=True) > 0


@pytest.mark.parametrize("cause", ["no_fault", "bad_data"])
def test_that_no_change_did_it_is_never_sure_where_the_deploys_are_not_known(cause: str) -> None:
    assert bound(cause, "deploys") <= 0.7
