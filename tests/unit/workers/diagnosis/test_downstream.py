"""Another part failed first, and why is not known: the partial answer, below a change that fits."""

from __future__ import annotations

from dataclasses import replace

from detection.types import Commit, Deploy, FlagChange
from tests.unit.workers.diagnosis.scenes import ONSET, calls, course, described, line, said, seen
from workers.diagnosis import weights
from workers.diagnosis.causes.suspects import Suspects, find_suspects
from workers.diagnosis.model import Gathered, Verdict
from workers.diagnosis.scene.model import Observed
from workers.diagnosis.source_states import Source, SourceState
from workers.diagnosis.steps.confirm import confirm
from workers.diagnosis.steps.hypothesise import hypothesise

EDGES = (calls("web", "checkout"), calls("checkout", "payment"))
COURSES = (
    course("payment", "error_rate", 0.001, 0.3),
    course("payment", "latency_p95_ms", 60, 1500),
    course("checkout", "error_rate", 0.001, 0.25, from_minute=65),
)


def deploy(service: str, minutes: float, number: int = 1) -> Deploy:
    return Deploy(number, service, f"v{number}", f"{number}" * 40, None, "acme/shop", ONSET + 60 * minutes)


def downstream(observed: Observed) -> list[str]:
    found = find_suspects(observed)
    return [item.hypothesis.key for item in found.outside if item.hypothesis.cause == "downstream"]


def verdict(observed: Observed, suspects: Suspects) -> Verdict:
    hypotheses = hypothesise(described(), observed.scene.deploys, suspects)
    evidence = tuple(
        replace(item, number=number)
        for number, item in enumerate((e for one in suspects.beside_deploys() for e in one.evidence), 1)
    )
    sources = tuple(Source(name, SourceState.DATA, 1) for name in ("metrics", "logs", "deploys", "commits"))
    known = suspects.changes_known.count()
    return confirm(described(), hypotheses, Gathered(evidence, {}, observed.chain, sources, known))


def test_the_part_that_failed_first_without_a_known_reason_is_told_with_the_chains_confidence() -> None:
    observed = seen(COURSES, edges=EDGES)

    (found,) = [item for item in find_suspects(observed).outside if item.hypothesis.cause == "downstream"]

    assert found.hypothesis.statement == "payment failed first; why is not known here."
    assert 0 < said(found)["failed_first"] <= weights.DOWNSTREAM_FIRST * observed.chain.confidence + 1e-9
    answer = verdict(observed, find_suspects(observed))
    assert (answer.origin_key, answer.remedy) == ("downstream:payment", "ask-owner")


def test_where_the_alerted_part_failed_first_nobody_else_is_asked() -> None:
    assert downstream(seen(COURSES, edges=EDGES, alerted="payment")) == []


def test_a_deploy_or_a_flag_of_the_part_that_failed_first_is_asked_before_its_owner() -> None:
    flag = FlagChange("1", "x", "payment", "production", "off", "on", ONSET - 60)

    assert downstream(seen(COURSES, edges=EDGES, deploys=(deploy("payment", -2),))) == []
    assert downstream(seen(COURSES, edges=EDGES, flags=(flag,))) == []


def test_a_deploy_of_who_calls_the_part_that_failed_first_could_have_broken_it() -> None:
    assert downstream(seen(COURSES, edges=EDGES, deploys=(deploy("checkout", -2),))) == []


def test_a_deploy_after_the_onset_or_of_another_part_changes_nothing() -> None:
    assert downstream(seen(COURSES, edges=EDGES, deploys=(deploy("payment", 20),))) == ["downstream:payment"]
    assert downstream(seen(COURSES, edges=EDGES, deploys=(deploy("web", -2),))) == ["downstream:payment"]


def test_a_known_cause_there_is_told_instead() -> None:
    expired = line("payment", "x509: certificate has expired or is not yet valid", 90)

    assert downstream(seen(COURSES, [expired], EDGES)) == []


def test_a_partial_answer_does_not_say_that_no_change_did_it_by_crowding_the_changes_out() -> None:
    unread = Commit("a" * 40, None, "mia", ONSET - 300, "rework", "", (), service="web")
    observed = seen(COURSES, edges=EDGES, deploys=(deploy("web", -1),), commits=(unread,))
    assert downstream(observed) == ["downstream:payment"]

    answer = verdict(observed, find_suspects(observed))

    assert not answer.no_change
