"""Confidence is bounded by the sources that a kind of cause rests on."""

from __future__ import annotations

import pytest

from workers.diagnosis.coverage import most_confident
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


def test_a_deploy_is_not_made_less_sure_by_a_status_feed_that_nobody_connected() -> None:
    assert bound("deploy", "status feeds") == bound("deploy")
    assert bound("third_party", "status feeds") < bound("third_party")


def test_a_source_that_nobody_needed_to_ask_costs_nothing() -> None:
    asked = [Source(name, SourceState.DATA) for name in ALL if name != "service map"]
    assert most_confident(asked, "deploy") == 0.99
