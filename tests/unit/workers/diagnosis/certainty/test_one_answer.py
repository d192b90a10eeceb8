"""Causes that give one answer count together: deploys of one commit, and whatever is no change."""

from __future__ import annotations

import pytest

from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import deploy
from workers.diagnosis.certainty.one_answer import chance_of_no_change, of_one_commit
from workers.diagnosis.model import UNKNOWN, Hypothesis, Ranked, Role

SHARED, OWN = "ab12cd34" * 5, "ff00ff00" * 5


def live(number: int, sha: str) -> Hypothesis:
    made = deploy(f"service-{number}", sha, deploy_id=number)
    return Hypothesis(f"deploy:{number}", "deploy", Role.ORIGIN, ours("It did."), 0.1, deploy=made)


def ranked(key: str, posterior: float) -> Ranked:
    return Ranked(key, key.partition(":")[0], Role.ORIGIN, ours("It did."), posterior, "open")


KNOWN = {
    item.key: item
    for item in (
        live(1, SHARED),
        live(2, SHARED[:7]),
        live(3, OWN),
        Hypothesis("commit:4", "commit", Role.ORIGIN, ours("It did."), 0.1, commit_sha=SHARED),
        Hypothesis("surge", "surge", Role.ORIGIN, ours("It did."), 0.1),
        Hypothesis("node", "node", Role.ORIGIN, ours("It did."), 0.1),
    )
}


def test_a_commit_that_went_live_with_several_services_is_one_answer() -> None:
    posteriors = {"deploy:1": 0.2, "deploy:2": 0.4, "deploy:3": 0.2, "commit:4": 0.1, "surge": 0.05, "node": 0.05}
    answers = of_one_commit(list(KNOWN.values()), posteriors)
    assert answers["deploy:2"] == ("deploy:2", "deploy:1", "commit:4")
    assert answers["deploy:3"] == ("deploy:3",)


def test_causes_without_a_commit_are_each_an_answer_of_its_own() -> None:
    answers = of_one_commit([KNOWN["surge"], KNOWN["node"]], {"surge": 0.5, "node": 0.4})
    assert answers == {"surge": ("surge",), "node": ("node",)}


def test_causes_beside_the_changes_say_together_that_no_change_did_it() -> None:
    assert chance_of_no_change([ranked("surge", 0.35), ranked("node", 0.3), ranked("deploy:1", 0.3)]) == pytest.approx(
        0.65
    )


@pytest.mark.parametrize("key", [UNKNOWN, "downstream", "known_incident", "flag", "deploy:1"])
def test_changes_and_answers_that_leave_it_open_do_not_count_for_no_change(key: str) -> None:
    assert chance_of_no_change([ranked(key, 0.9)]) == 0
