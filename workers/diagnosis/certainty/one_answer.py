"""One answer that several causes give together: deploys of one commit, and causes that are all no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.diagnosis.causes.candidates import same_sha
from workers.diagnosis.causes.remedies import CHANGES, PARTIAL
from workers.diagnosis.model import UNKNOWN, Hypothesis, Ranked, Role


def of_one_commit(hypotheses: Sequence[Hypothesis], posteriors: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """Return the keys of the causes that blame one commit, by the likeliest of them, which comes first.

    A commit of shared code goes live with the deploys of several services. Each is a cause of its own; that the commit
    did it is as likely as all of them together. A cause that blames no commit stands alone.
    """
    groups: list[list[str]] = []
    shas: list[str] = []
    for hypothesis in hypotheses:
        sha = hypothesis.commit_sha or (hypothesis.deploy.commit_sha if hypothesis.deploy is not None else "")
        place = next((place for place, known in enumerate(shas) if sha and same_sha(sha, known)), None)
        if place is None:
            groups.append([hypothesis.key])
            shas.append(sha)
        else:
            groups[place].append(hypothesis.key)
    ordered = [tuple(sorted(keys, key=lambda key: -posteriors[key])) for keys in groups]
    return {keys[0]: keys for keys in ordered}


def chance_of_no_change(ranked: Sequence[Ranked]) -> float:
    """Return how likely it is that something other than a change did it, whichever it is, 0 to 1.

    Answers that leave open what began it do not count.
    """
    return sum(
        item.posterior
        for item in ranked
        if item.role is Role.ORIGIN and item.key != UNKNOWN and item.cause not in CHANGES and item.cause not in PARTIAL
    )
