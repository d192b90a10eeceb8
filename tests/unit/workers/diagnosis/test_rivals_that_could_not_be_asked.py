"""A rival that could not be asked for all that may speak for it keeps its chance."""

from __future__ import annotations

import pytest

from integrations.text import ours
from workers.diagnosis.certainty.rivals import at_worst, none_at_worst
from workers.diagnosis.model import Ranked, Role
from workers.diagnosis.source_states import Source, SourceState

EVENTS = "orchestrator events"


def _ranked(cause: str, posterior: float, role: Role = Role.ORIGIN) -> Ranked:
    return Ranked(f"{cause}:1", cause, role, ours("It."), posterior, "open")


ORIGINS = [_ranked("deploy", 0.94), _ranked("node", 0.04), _ranked("unknown", 0.02)]


@pytest.mark.parametrize("state", [SourceState.EMPTY, SourceState.FAILED])
def test_a_node_beside_the_leading_cause_may_still_be_named_by_events_that_nobody_has(state: SourceState) -> None:
    assert at_worst(ORIGINS, ["deploy:1"], [Source(EVENTS, state)]) < 0.8


def test_a_node_that_was_asked_for_has_had_its_say() -> None:
    assert at_worst(ORIGINS, ["deploy:1"], [Source(EVENTS, SourceState.DATA)]) == pytest.approx(0.94)


def test_the_leading_cause_gains_nothing_by_what_nobody_could_ask() -> None:
    origins = [_ranked("node", 0.9), _ranked("deploy", 0.1)]
    sources = [Source(EVENTS, SourceState.EMPTY), Source("logs", SourceState.DATA)]
    assert at_worst(origins, ["node:1"], sources) == pytest.approx(0.9)


def test_mechanisms_are_no_rivals_and_without_any_source_nothing_is_changed() -> None:
    found = [*ORIGINS, _ranked("node", 0.9, Role.MECHANISM)]
    assert at_worst(found[:1] + found[3:], ["deploy:1"], [Source("metrics", SourceState.DATA)]) == pytest.approx(1.0)
    assert at_worst(ORIGINS, ["deploy:1"], []) == 0.94


CHANGES = [_ranked("third_party", 0.9), _ranked("commit", 0.06), _ranked("unknown", 0.04)]


@pytest.mark.parametrize("away", ["logs", "deploys"])
def test_a_change_that_lines_or_a_deploy_may_still_speak_for_keeps_its_chance(away: str) -> None:
    gone, there = (
        [Source(away, SourceState.EMPTY)],
        [Source("logs", SourceState.DATA), Source("deploys", SourceState.DATA)],
    )

    assert (
        at_worst(CHANGES, ["third_party:1"], gone) < at_worst(CHANGES, ["third_party:1"], there) == pytest.approx(0.9)
    )


@pytest.mark.parametrize("away", ["logs", "deploys"])
def test_that_no_commit_did_it_is_less_sure_while_something_may_still_speak_for_one(away: str) -> None:
    assert none_at_worst(0.92, CHANGES, [Source(away, SourceState.FAILED)]) < 0.9


def test_that_no_commit_did_it_stays_as_it_is_where_no_commit_is_a_rival_or_all_was_asked() -> None:
    asked = [Source("logs", SourceState.DATA), Source("deploys", SourceState.DATA)]
    assert none_at_worst(0.92, CHANGES, asked) == pytest.approx(0.92)
    alone = [_ranked("third_party", 0.9), _ranked("unknown", 0.1)]
    assert none_at_worst(0.92, alone, [Source("logs", SourceState.EMPTY)]) == pytest.approx(0.92)
    assert none_at_worst(0.0, [], asked) == 0.0
