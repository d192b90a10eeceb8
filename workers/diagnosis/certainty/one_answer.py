"""One answer that several causes give together: deploys of one commit, and causes that are all no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.diagnosis.causes.candidates import same_sha
from workers.diagnosis.causes.remedies import CHANGES, PARTIAL
from workers.diagnosis.model import UNKNOWN, Hypothesis, Ranked, Role


def of_one_commit(leading: Ranked, ranked: Sequence[Ranked], known: Mapping[str, Hypothesis]) -> list[Ranked]:
    """Return the origins that blame the same commit as the leading one, that one first.

    A commit of shared code goes live with the deploys of several services. Each is a cause of its own; that the commit
    did it is as likely as all of them together.
    """
    sha = _sha(known[leading.key])
    others = [item for item in ranked if item.role is Role.ORIGIN and item.key != leading.key]
    return [leading, *(item for item in others if sha and same_sha(sha, _sha(known[item.key])))]


def _sha(hypothesis: Hypothesis) -> str:
    return hypothesis.commit_sha or (hypothesis.deploy.commit_sha if hypothesis.deploy is not None else "")


def chance_of_no_change(ranked: Sequence[Ranked]) -> float:
    """Return how likely it is that something other than a change did it, whichever it is, 0 to 1.

    Answers that leave open what began it do not count.
    """
    return sum(
        item.posterior
        for item in ranked
        if item.role is Role.ORIGIN and item.key != UNKNOWN and item.cause not in CHANGES and item.cause not in PARTIAL
    )
