"""Grades which commit is named as the root cause, or that none is."""

from __future__ import annotations

from tests.evals.cases import Case
from tests.evals.graders.commits import NONE, same_commit
from tests.evals.marks import BLAMED_FROM, Mark
from tests.evals.seam import Answer

_LIKELIEST = 3


def grade(case: Case, answer: Answer) -> Mark:
    """Mark an answer: it passes if it names exactly the true commit, or "none" where no commit is at fault.

    Where the truth accepts it (`accept_abstention`: nothing is wrong), to abstain is right too.
    """
    truth = str(case.truth["root_cause_commit"])
    named = answer.root_cause_commit
    abstained = named is None
    right = same_commit(named, truth)
    passed = right or (abstained and bool(case.truth.get("accept_abstention")))
    likeliest = [key for key, _ in answer.ranked if key.lower() == NONE or _is_commit(key)][:_LIKELIEST]
    return Mark(
        case,
        answer,
        passed=passed,
        right=None if abstained else right,
        among_three=passed or any(same_commit(key, truth) for key in likeliest),
        abstained=abstained,
        counts={
            "decoys_blamed": int(_blames_a_decoy(case, answer)),
            "none_cases": int(truth == NONE),
            "none_right": int(truth == NONE and passed),
        },
    )


def _blames_a_decoy(case: Case, answer: Answer) -> bool:
    decoys = case.truth.get("decoy_deploy_commits", ())
    return answer.confidence >= BLAMED_FROM and any(same_commit(answer.root_cause_commit, decoy) for decoy in decoys)


def _is_commit(key: str) -> bool:
    """Whether a ranked key is a commit's and not a kind of cause's."""
    return len(key) >= 7 and all(letter in "0123456789abcdef" for letter in key.lower())
