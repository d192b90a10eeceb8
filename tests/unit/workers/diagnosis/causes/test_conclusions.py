"""What follows from a cause: its remedy, whether it is said that no change did it, and how sure the sources allow."""

from __future__ import annotations

import pytest

from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import K, deploy, described, line, observed, sign
from workers.diagnosis import weights
from workers.diagnosis.causes.catalogue import suspicions
from workers.diagnosis.causes.remedies import CHANGES, REMEDIES, remedy_of
from workers.diagnosis.coverage import coverage, most_confident
from workers.diagnosis.model import UNKNOWN, Evidence, Gathered, Hypothesis, Outcome, Ranked, Role
from workers.diagnosis.source_states import Source, SourceState
from workers.diagnosis.steps.confirm import confirm, is_no_change

DATA, EMPTY, FAILED = SourceState.DATA, SourceState.EMPTY, SourceState.FAILED
ALL = tuple(Source(name, DATA, 3) for name in ("metrics", "logs", "commits", "deploys"))


def hypothesis(cause: str) -> Hypothesis:
    return Hypothesis(cause, cause, Role.ORIGIN, ours("It did it."), 1.0)


def ranked(cause: str, posterior: float) -> Ranked:
    return Ranked(cause, cause, Role.ORIGIN, ours("It did it."), posterior, "open")


def text_of_change(key: str, effect: str, weight: float) -> Evidence:
    return Evidence("change_text", key, "", "commits", ours("It could."), {"effect": effect}, Outcome.DATA, weight)


def gathered(*sources: Source) -> Gathered:
    return Gathered((), {}, sources=sources)


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("deploy", "rollback"),
        ("commit", "rollback"),
        ("flag", "turn-flag-off"),
        ("third_party", "failover"),
        ("certificate", "rotate-cert"),
        ("node", "move-off-node"),
        ("maintenance", "failover"),
        ("surge", "scale"),
        ("bad_data", "purge-bad-data"),
        ("unknown", None),
    ],
)
def test_the_remedy_follows_from_the_cause(cause: str, remedy: str | None) -> None:
    assert remedy_of(hypothesis(cause), ()) == remedy


def test_a_flag_that_sets_a_value_gets_its_old_value_back() -> None:
    assert remedy_of(hypothesis("flag"), [text_of_change("flag", "timeout", 2.0)]) == "restore-value"


@pytest.mark.parametrize(
    "found",
    [
        text_of_change("flag", "timeout", -1.0),
        text_of_change("another", "timeout", 2.0),
        text_of_change("flag", "logic", 2.0),
    ],
)
def test_a_flag_whose_value_explains_nothing_is_just_turned_off(found: Evidence) -> None:
    assert remedy_of(hypothesis("flag"), [found]) == "turn-flag-off"


def test_a_deploy_that_changed_a_value_is_rolled_back() -> None:
    assert remedy_of(hypothesis("deploy"), [text_of_change("deploy", "timeout", 2.0)]) == "rollback"


def test_every_kind_of_cause_that_a_scene_suggests_has_a_remedy() -> None:
    scene = observed(
        signs=[sign("checkout", kind) for kind in (K.DISK, K.NAME_LOOKUP, K.NETWORK, K.ERRORS)],
        lines=[
            line("checkout", "POST https://api.stripe.com/v1: timeout"),
            line("checkout", "x509: certificate has expired"),
            line("checkout", "service token expired"),
            line("checkout", "poison message"),
            line("checkout", "nightly backup started"),
        ],
    )
    causes = {item.hypothesis.cause for item in suspicions(scene)}

    assert len(causes) >= 7
    assert causes <= REMEDIES.keys()
    assert not causes & CHANGES


def test_a_confirmed_cause_outside_the_code_means_that_no_change_did_it() -> None:
    assert is_no_change(ranked("third_party", 0.9), [], gathered())


@pytest.mark.parametrize("cause", sorted(CHANGES))
def test_a_confirmed_change_did_it(cause: str) -> None:
    assert not is_no_change(ranked(cause, 0.9), [], gathered(*ALL))


def test_no_change_is_concluded_where_all_changes_together_are_unlikely() -> None:
    changes = [ranked("deploy", 0.04), ranked("commit", 0.03), ranked("flag", 0.02), ranked("unknown", 0.9)]

    assert is_no_change(None, changes, gathered(*ALL))


def test_causes_outside_the_code_that_are_likely_together_clear_changes_that_are_not() -> None:
    causes = [ranked("scheduled_job", 0.45), ranked("capacity", 0.3), ranked("deploy", 0.15), ranked("unknown", 0.1)]

    assert is_no_change(None, causes, gathered(*ALL))


@pytest.mark.parametrize(
    "causes",
    [
        [ranked("scheduled_job", 0.35), ranked("capacity", 0.2), ranked("deploy", 0.4), ranked("unknown", 0.05)],
        [ranked("scheduled_job", 0.25), ranked("capacity", 0.2), ranked("deploy", 0.15), ranked("unknown", 0.4)],
        [ranked("downstream", 0.8), ranked("deploy", 0.15), ranked("unknown", 0.05)],
    ],
)
def test_causes_that_are_not_likely_enough_together_clear_no_change(causes: list[Ranked]) -> None:
    assert not is_no_change(None, causes, gathered(*ALL))


def of_deploy(service: str, sha: str, deploy_id: int) -> Hypothesis:
    live = deploy(service, sha, deploy_id=deploy_id)
    return Hypothesis(f"deploy:{deploy_id}", "deploy", Role.ORIGIN, ours("It did it."), 1.0, deploy=live)


@pytest.mark.parametrize(("second", "is_named"), [("c0ffee12", True), ("beef1234", False)])
def test_one_commit_that_went_live_in_several_services_is_one_change(second: str, is_named: bool) -> None:
    hypotheses = (of_deploy("cart", "c0ffee12", 1), of_deploy("checkout", second, 2), hypothesis(UNKNOWN))
    spoken = (
        text_of_change("deploy:1", "retries", 1.6),
        text_of_change("deploy:2", "retries", 1.4),
    )
    verdict = confirm(described("cart"), hypotheses, Gathered(spoken, {}, sources=ALL))

    assert (verdict.origin_key == "deploy:1") is is_named
    assert verdict.status == ("concluded" if is_named else "inconclusive")


def test_many_changes_that_are_each_unlikely_leave_it_open() -> None:
    changes = [Ranked(f"deploy:{n}", "deploy", Role.ORIGIN, ours("It."), 0.04, "rejected") for n in range(5)]

    assert not is_no_change(None, changes, gathered(*ALL))


@pytest.mark.parametrize("state", [EMPTY, FAILED])
def test_changes_that_could_not_be_asked_for_are_not_ruled_out(state: SourceState) -> None:
    assert not is_no_change(
        None, [], gathered(Source("deploys", state), Source("commits", state), Source("logs", DATA))
    )


def test_the_coverage_says_what_was_checked_what_was_empty_and_what_could_not_be_reached() -> None:
    found = str(
        coverage([Source("metrics", DATA, 3), Source("flags", EMPTY), Source("traces", FAILED, error="OSError")])
    )

    assert found.startswith("Coverage: ")
    assert "checked metrics" in found
    assert "nothing in flags" in found
    assert "could not reach traces" in found


def test_nothing_is_said_of_the_coverage_where_nothing_was_asked() -> None:
    assert not str(coverage([]))
    assert most_confident([]) == weights.MOST_CONFIDENT


def test_all_sources_allow_the_highest_confidence() -> None:
    assert most_confident(ALL) == weights.MOST_CONFIDENT


@pytest.mark.parametrize("state", [EMPTY, FAILED])
@pytest.mark.parametrize("away", range(4))
def test_each_source_that_says_nothing_lowers_the_highest_confidence(away: int, state: SourceState) -> None:
    sources = [Source(item.name, state) if place == away else item for place, item in enumerate(ALL)]

    assert most_confident(sources) < weights.MOST_CONFIDENT


def test_the_fewer_sources_the_lower_the_confidence_and_never_below_a_floor() -> None:
    allowed = [most_confident([*ALL[:known], Source("traces", EMPTY)]) for known in range(5)]

    assert allowed == sorted(allowed)
    assert allowed[0] >= 0.3


def test_requests_stand_in_for_metrics() -> None:
    sources = [Source("requests", DATA, 3), Source("metrics", EMPTY), *ALL[1:]]

    assert most_confident(sources) == weights.MOST_CONFIDENT
