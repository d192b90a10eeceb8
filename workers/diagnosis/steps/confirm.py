"""Step 4: combine the evidence into posteriors, and confirm a cause or report that none is likely enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

from detection.calibration import Calibration, Method
from detection.causes import discount_by_source, posterior
from detection.types import Metric
from integrations.cards import NOTHING, moment
from workers.diagnosis import weights
from workers.diagnosis.account import explain, state_root_cause
from workers.diagnosis.causes.remedies import CHANGES, PARTIAL, remedy_of
from workers.diagnosis.certainty.calibrating import calibrated, cause_of
from workers.diagnosis.certainty.no_change import sure_of_none
from workers.diagnosis.certainty.one_answer import chance_of_no_change, of_one_commit
from workers.diagnosis.certainty.rivals import at_worst, none_at_worst
from workers.diagnosis.coverage import coverage, most_confident, unseen
from workers.diagnosis.model import (
    UNKNOWN,
    Characterisation,
    CommitScore,
    Evidence,
    Gathered,
    Hypothesis,
    Ranked,
    Role,
    Verdict,
)
from workers.diagnosis.source_states import SourceState


def confirm(
    described: Characterisation,
    hypotheses: tuple[Hypothesis, ...],
    gathered: Gathered,
    calibration: Calibration | None = None,
) -> Verdict:
    """Rank the hypotheses, name the suspected commit if one stands out, and write the explanation.

    calibration: by how earlier answers turned out; None if no outcomes are known.
    """
    verdict = _weighed(described, hypotheses, gathered)
    leading = next((item.cause for item in verdict.ranked if item.role is Role.ORIGIN and item.key != UNKNOWN), "")
    known, sources = calibration or Calibration(), gathered.sources
    is_learnt = known.curve_of(cause_of(verdict)).method is not Method.PRIOR
    return calibrated(
        verdict,
        known,
        cap=most_confident(sources, leading),
        none=none_at_worst(sure_of_none(verdict.ranked, gathered.evidence), verdict.ranked, sources),
        unseen=unseen(sources, leading, is_learnt=is_learnt),
    )


def _weighed(described: Characterisation, hypotheses: tuple[Hypothesis, ...], gathered: Gathered) -> Verdict:
    """Return the verdict with the confidence that the evidence alone gives."""
    ranked = rank(hypotheses, gathered.evidence)
    known = {hypothesis.key: hypothesis for hypothesis in hypotheses}
    origins = [item for item in ranked if item.role is Role.ORIGIN and item.key != UNKNOWN]
    answers = of_one_commit([known[item.key] for item in origins], {item.key: item.posterior for item in origins})
    origin = next((item for item in origins if item.status == "confirmed"), None)
    known_key = origin.key if origin else None
    supporting = {item.check for item in gathered.evidence if origin and _speaks_for(item, origin.key)}
    if supporting == {"deploy_timing"} and all(symptom.metric is Metric.ALERT for symptom in described.symptoms):
        # Argux itself saw nothing wrong, so there is nothing that the change would explain.
        origin = None
    suspect, share = likeliest_commit(gathered.commits.get(origin.key, ())) if origin else (None, 0.0)
    likeliest = max((at_worst(ranked, keys, gathered.sources) for keys in answers.values()), default=0.0)
    confidence = likeliest * (share if suspect else 1.0)
    if supporting and supporting <= _OF_A_CHANGE:
        confidence = min(confidence, _most_by_text(gathered, known_key))
    mechanisms = [item for item in ranked if item.role is Role.MECHANISM and item.status == "confirmed"]
    root_cause = None
    if origin is not None:
        deploy = known[origin.key].deploy
        root_cause = state_root_cause(
            known[origin.key],
            [known[item.key] for item in mechanisms],
            gathered.evidence,
            suspect,
            live_at=moment(deploy.deployed_at) if deploy else NOTHING,
        )
    no_change = is_no_change(origin, ranked, gathered)
    likely = {item.cause for item in ranked if item.posterior > weights.REJECTED_AT}
    return Verdict(
        status="concluded" if origin else "inconclusive",
        ranked=ranked,
        origin_key=origin.key if origin else None,
        suspect=suspect,
        commit_share=share,
        confidence=round(confidence, 4),
        root_cause=root_cause,
        explanation=explain(root_cause, ranked, gathered.evidence, none_of=gathered.changes_known if no_change else 0),
        no_change=no_change,
        coverage=coverage(gathered.sources, likely),
        remedy=remedy_of(known[origin.key], gathered.evidence) if origin else None,
        chain=gathered.chain,
    )


_OF_A_CHANGE = frozenset({"deploy_timing", "trajectory", "change_place", "change_text"})
"""The checks of a change's time, place and text. A nearby change passes those of time and place by chance."""


def _most_by_text(gathered: Gathered, key: str | None) -> float:
    """Return the highest confidence in a change that nothing but its time, place and text speaks for.

    It rests on the text: where nobody read it, or where it explains little of what is seen, time and place alone are
    left, and an innocent change has those as well.
    """
    told = [item.weight for item in gathered.evidence if item.hypothesis_key == key and item.check == "change_text"]
    if not told:
        return weights.ONLY_TIME_AND_PLACE
    share = min(max(max(told) / weights.TEXT_IS_ENOUGH, 0.0), 1.0)
    return weights.TEXT_SAYS_LITTLE + share * (weights.MOST_CONFIDENT - weights.TEXT_SAYS_LITTLE)


def _speaks_for(item: Evidence, key: str) -> bool:
    return item.hypothesis_key == key and item.weight > 0


def is_no_change(origin: Ranked | None, ranked: Sequence[Ranked], gathered: Gathered) -> bool:
    """Whether it is a conclusion that no change did it.

    So it is if another cause is confirmed that does not leave it open. So it is too if deploys are known, and all
    changes together are unlikely, or several other causes together are likely.
    """
    if origin is not None and not is_partial(origin):
        return origin.cause not in CHANGES
    changes = [item for item in ranked if item.role is Role.ORIGIN and item.cause in CHANGES]
    known = {source.name for source in gathered.sources if source.state is SourceState.DATA}
    # Without the deploys, a change may have gone live that is not known; commits alone do not tell.
    is_looked_for = "deploys" in known
    # A partial answer is no evidence against a change: it is left out of the comparison.
    partial = sum(item.posterior for item in ranked if item.role is Role.ORIGIN and item.cause in PARTIAL)
    limit = weights.NO_CHANGE_AT * (1.0 - partial)
    are_unlikely = sum(item.posterior for item in changes) <= limit
    return is_looked_for and (are_unlikely or chance_of_no_change(ranked) >= weights.CONFIRMED_AT)


def is_partial(origin: Ranked | None) -> bool:
    """Whether the answer leaves open what began it, so that whether a change did it is a question of its own."""
    return origin is None or origin.cause in PARTIAL


def rank(hypotheses: Sequence[Hypothesis], evidence: Sequence[Evidence]) -> tuple[Ranked, ...]:
    """Return the hypotheses with their posteriors, likeliest first.

    Origins, "unknown" among them, exclude one another: their posteriors sum to 1. Mechanisms are independent. Weights
    are relative to "unknown", so evidence for "unknown" counts against every other origin equally.
    """
    origins = {item.key: item.prior for item in hypotheses if item.role is Role.ORIGIN}
    for_unknown = [(item.source, -item.weight) for item in evidence if item.hypothesis_key == UNKNOWN]
    log_weights = {
        hypothesis.key: discount_by_source(
            [(item.source, item.weight) for item in evidence if item.hypothesis_key == hypothesis.key]
            + (for_unknown if hypothesis.key in origins else [])
        )
        for hypothesis in hypotheses
    }
    posteriors = posterior(origins, {key: log_weights[key] for key in origins})
    for hypothesis in hypotheses:
        if hypothesis.role is Role.MECHANISM:
            priors = {hypothesis.key: hypothesis.prior, UNKNOWN: 1 - hypothesis.prior}
            answer = posterior(priors, {hypothesis.key: log_weights[hypothesis.key]})
            posteriors[hypothesis.key] = answer[hypothesis.key]
    answers = of_one_commit([item for item in hypotheses if item.key in origins], posteriors)
    chances = {key: sum(posteriors[one] for one in keys) for key, keys in answers.items()}
    ranked = [
        Ranked(
            key=hypothesis.key,
            cause=hypothesis.cause,
            role=hypothesis.role,
            statement=hypothesis.statement,
            posterior=posteriors[hypothesis.key],
            status=_status(hypothesis, chances.get(hypothesis.key, posteriors[hypothesis.key])),
        )
        for hypothesis in hypotheses
    ]
    return tuple(sorted(ranked, key=lambda item: -item.posterior))


def _status(hypothesis: Hypothesis, probability: float) -> str:
    if probability >= weights.CONFIRMED_AT and hypothesis.key != UNKNOWN:
        return "confirmed"
    return "rejected" if probability <= weights.REJECTED_AT else "open"


def likeliest_commit(commits: Sequence[CommitScore]) -> tuple[CommitScore | None, float]:
    """Return the likeliest commit of a deploy and its share of the probability (0 to 1).

    The commit is None unless its share is above COMMIT_NAMED_ABOVE.
    """
    if not commits:
        return None, 0.0
    highest = max(commit.log_weight for commit in commits)
    total = sum(math.exp(commit.log_weight - highest) for commit in commits)
    share = 1.0 / total
    best = next(commit for commit in commits if commit.log_weight == highest)
    return (best, share) if share > weights.COMMIT_NAMED_ABOVE else (None, share)
