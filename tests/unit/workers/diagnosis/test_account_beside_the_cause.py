"""What stands beside the root cause: "No change of these N explains it", and how it does harm."""

from __future__ import annotations

from integrations.text import Markup, ours
from storage.models import Diagnosis
from storage.models import Hypothesis as StoredHypothesis
from workers.diagnosis.account import account, explain
from workers.diagnosis.causes.suspects import ChangesKnown
from workers.diagnosis.checks.changes_known import changes_known
from workers.diagnosis.model import INCIDENT, Evidence, Outcome, Ranked, Role


def ranked(key: str, cause: str, posterior: float, *, role: Role = Role.ORIGIN, status: str = "rejected") -> Ranked:
    return Ranked(key, cause, role, Markup(f"{key} it is."), posterior, status)


def told(number: int, key: str, weight: float, words: str, check: str = "change_text") -> Evidence:
    return Evidence(check, key, "q", "commits", Markup(words), {}, Outcome.DATA, weight, number)


CHANGES = [ranked(f"deploy:{place}", "deploy", 0.04 - place / 100) for place in range(1, 5)]
LOOKED_AT = told(1, INCIDENT, 0.0, "Looked at 40 changes.", "changes_known")
AGAINST = [told(place + 1, f"deploy:{place}", -2.0, f"It is not {place}.") for place in range(1, 5)]


def test_that_no_change_did_it_comes_first_and_cites_what_speaks_against_the_likeliest_three() -> None:
    sentences = explain(None, CHANGES, [LOOKED_AT, *AGAINST], none_of=40)

    assert sentences[:4] == (
        "No change of these 40 explains it [E1][E2][E3][E4].",
        "Ruled out (3 %): deploy:1 it is. Against it: It is not 1 [E2].",
        "Ruled out (2 %): deploy:2 it is. Against it: It is not 2 [E3].",
        "Ruled out (1 %): deploy:3 it is. Against it: It is not 3 [E4].",
    )
    assert sentences[4].startswith("Argux does not know why this happens")


def test_what_speaks_against_a_change_is_told_once() -> None:
    assert " ".join(explain(None, CHANGES, [LOOKED_AT, *AGAINST], none_of=40)).count("It is not 1") == 1


def test_a_change_that_is_left_is_not_called_ruled_out_and_a_weak_reason_is_not_called_one_against_it() -> None:
    open_still = ranked("deploy:1", "deploy", 0.12, status="open")
    weak = told(2, open_still.key, -0.3, "It could change a cipher.")

    sentences = explain(None, [open_still], [LOOKED_AT, weak], none_of=3)

    assert sentences[1] == "Not likely (12 %): deploy:1 it is. Little speaks for it: It could change a cipher [E2]."


def test_a_change_against_which_nothing_speaks_is_said_to_explain_less_than_another_cause() -> None:
    timing = told(2, CHANGES[0].key, 0.0, "It went live before it began.", "deploy_timing")

    sentences = explain(None, CHANGES[:1], [LOOKED_AT, timing], none_of=1)

    assert sentences[1] == "Ruled out (3 %): deploy:1 it is. What was seen speaks more for another cause [E2]."


def test_one_change_is_told_as_one() -> None:
    (first, *_) = explain(None, CHANGES[:1], [LOOKED_AT, AGAINST[0]], none_of=1)

    assert first == "The one change that is known does not explain it [E1][E2]."


def test_without_that_conclusion_nothing_is_said_of_the_changes() -> None:
    assert "No change of" not in " ".join(explain(None, CHANGES, [LOOKED_AT, *AGAINST]))


def test_after_a_partial_answer_it_is_the_second_sentence() -> None:
    cause = ours("payment failed first; why is not known here [E1].")

    sentences = explain(cause, CHANGES, [LOOKED_AT, *AGAINST], none_of=40)

    assert sentences[:2] == (cause, "No change of these 40 explains it [E1][E2][E3][E4].")


def test_a_confirmed_mechanism_is_told_after_the_cause_with_its_evidence() -> None:
    cause = ours("Deploy v2 did it [E1].")
    full = ranked("saturation:db", "saturation", 0.9, role=Role.MECHANISM, status="confirmed")
    evidence = [LOOKED_AT, told(2, full.key, 2.0, "100 of 100 are used.", "full_by_logs")]

    assert explain(cause, [full], evidence)[:2] == (
        cause,
        "How it does harm: saturation:db it is: 100 of 100 are used [E2].",
    )


def test_of_several_full_parts_one_is_told_as_the_harm_and_the_others_as_evidence() -> None:
    parts = [ranked(f"saturation:{name}", "saturation", 0.9, role=Role.MECHANISM, status="confirmed") for name in "ab"]
    evidence = [told(number, part.key, 2.0, f"{part.key} is full.") for number, part in enumerate(parts, 2)]

    sentences = explain(ours("A surge did it [E1]."), parts, [LOOKED_AT, *evidence])

    assert [sentence for sentence in sentences if "How it does harm" in sentence] == [
        "How it does harm: saturation:a it is: saturation:a is full [E2]."
    ]
    assert "saturation:b is full [E3]." in sentences


def test_a_mechanism_that_is_not_confirmed_or_that_the_cause_tells_already_is_not_told() -> None:
    cause = ours("Deploy v2 runs 120 queries a request [E2].")
    unsure = ranked("cache:redis", "cache", 0.4, role=Role.MECHANISM, status="open")
    woven = ranked("n_plus_one:x", "n_plus_one", 0.9, role=Role.MECHANISM, status="confirmed")
    evidence = [told(2, woven.key, 2.0, "120 queries."), told(3, unsure.key, 0.5, "Misses.")]

    assert "How it does harm" not in " ".join(explain(cause, [woven, unsure], evidence))


def test_what_was_looked_at_is_counted_by_kind_and_nothing_is_told_of_nothing() -> None:
    found = changes_known(ChangesKnown(deploys=2, commits_alone=1, flags=0))

    assert found is not None
    assert found.result == "Looked at 3 changes of the 24 h before it and since: 2 deploys, 1 commit."
    assert changes_known(ChangesKnown()) is None


def _stored(key: str, posterior: float) -> StoredHypothesis:
    return StoredHypothesis(key=key, statement=f"{key} did it.", posterior=posterior, parameters={"role": "origin"})


def _weighed(status: str, confidence: float | None, **posteriors: float) -> Markup:
    return account(
        Diagnosis(
            status=status,
            confidence=confidence,
            checkpoints={"confirm": {"origin_key": "guilty" if status == "concluded" else None, "explanation": []}},
            hypotheses=[_stored(key, posterior) for key, posterior in posteriors.items()],
            evidence=[],
        )
    )[-1]


def test_the_named_cause_has_one_figure_and_what_it_lost_is_with_what_argux_cannot_see() -> None:
    told = _weighed("concluded", 0.9, guilty=0.97, unknown=0.02, other=0.01)
    assert told == "Weighed: 90 % guilty did it; 9 % unknown did it; 1 % other did it."


def test_a_cause_that_is_called_surer_than_its_evidence_takes_it_from_what_argux_cannot_see() -> None:
    told = _weighed("concluded", 0.99, guilty=0.9, unknown=0.08, other=0.02)
    assert told == "Weighed: 99 % guilty did it; 2 % other did it; under 1 % unknown did it."


def test_where_no_cause_is_named_the_evidence_alone_is_told() -> None:
    told = _weighed("inconclusive", None, guilty=0.4, unknown=0.5, other=0.1)
    assert told == "Weighed: 50 % unknown did it; 40 % guilty did it; 10 % other did it."
