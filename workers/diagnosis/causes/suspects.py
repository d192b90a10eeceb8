"""Everything that is suspected from the scene: changes with what their text can do, and causes outside the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from detection.types import Commit, Deploy, FlagChange
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.candidates import brought_by, services_of
from workers.diagnosis.causes.catalogue import suspicions
from workers.diagnosis.causes.changes import Judged, check_change, judge_commits
from workers.diagnosis.causes.suspicion import Suspicion
from workers.diagnosis.model import CommitScore, Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import in_quotes, quoted, short_sha

MOST_ALONE = 20
"""How many commits without a known deploy become hypotheses of their own, those that explain most first."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the scene suggests. alone, flags: changes besides the deploys. outside: causes that no change is behind."""

    observed: Observed
    alone: tuple[Suspicion, ...]
    flags: tuple[Suspicion, ...]
    outside: tuple[Suspicion, ...]
    commits: dict[int, tuple[Commit, ...]]
    """The stored commits by the id of the deploy that brought them."""

    def beside_deploys(self) -> tuple[Suspicion, ...]:
        """Return everything but the deploys."""
        return (*self.alone, *self.flags, *self.outside)


def find_suspects(observed: Observed) -> Suspects:
    """Return everything that the scene suggests."""
    brought, alone = brought_by(observed.scene)
    return Suspects(
        observed=observed,
        alone=tuple(_alone(alone, observed)),
        flags=tuple(
            _flag(flag, observed)
            for flag in observed.scene.flags
            if (flag.service is None or is_concerned(flag.service, observed))
        ),
        outside=suspicions(observed),
        commits={item.deploy.deploy_id: item.commits for item in brought if item.commits},
    )


def is_concerned(service: str, observed: Observed) -> bool:
    """Whether a service is near the incident, or shows trouble of its own at that time."""
    return observed.is_near(service) or bool(observed.kinds.get(service))


def _alone(commits: Sequence[Commit], observed: Observed) -> Iterator[Suspicion]:
    judged = [item for commit in commits for item in judge_commits([commit], _home(commit, observed), observed)]
    likeliest = sorted(judged, key=lambda item: -item.weight)[:MOST_ALONE]
    for item in likeliest:
        if item.weight > weights.CHANGE_UNREAD_FITS_NOTHING:
            yield _commit_alone(item, observed)


def _home(commit: Commit, observed: Observed) -> str:
    """Return the service of a commit that no deploy is known of: one of this incident, if its code is touched."""
    touched = services_of(commit, observed.parts)
    concerned = sorted(touched & observed.involved()) or sorted(touched)
    return concerned[0] if concerned else (commit.service or "")


def _commit_alone(item: Judged, observed: Observed) -> Suspicion:
    commit, key = item.commit, f"commit:{item.commit.sha}"
    title = quoted(commit.message.strip().partition("\n")[0], 80)
    hypothesis = Hypothesis(
        key=key,
        cause="commit",
        role=Role.ORIGIN,
        statement=ours(
            "Commit {sha} “{title}” of {at} broke it; when it was deployed is not known.",
            sha=short_sha(commit.sha),
            title=title,
            at=moment(commit.committed_at),
        ),
        prior=weights.COMMIT_WITHOUT_DEPLOY_PRIOR,
        service=_home(commit, observed) or None,
        commit_sha=commit.sha,
    )
    services = {hypothesis.service} if hypothesis.service else set()
    return Suspicion(hypothesis, tuple(check_change(key, [item], services, commit.committed_at, observed)))


def _flag(flag: FlagChange, observed: Observed) -> Suspicion:
    key = f"flag:{flag.change_id}"[:300]
    hypothesis = Hypothesis(
        key=key,
        cause="flag",
        role=Role.ORIGIN,
        statement=ours(
            "Flag {flag}, set to {after} at {at}, broke it.",
            flag=in_quotes(flag.flag, 80),
            after=in_quotes(flag.after, 40),
            at=moment(flag.changed_at),
        ),
        prior=weights.FLAG_PRIOR,
        service=flag.service,
    )
    commit = _as_commit(flag)
    judged = [_named_or_doubted(item) for item in judge_commits([commit], flag.service or "", observed)]
    services = {flag.service} if flag.service else set()
    return Suspicion(hypothesis, tuple(check_change(key, judged, services, flag.changed_at, observed)))


def _named_or_doubted(item: Judged) -> Judged:
    """Doubt a switch whose name no sign shares: what it turns on or off is not known."""
    if item.fit.shared > 0 or (item.fit.effect is not None and item.fit.effect.ratio is not None):
        return item
    return replace(item, weight=min(item.weight, weights.FLAG_THAT_NOTHING_NAMES))


def _as_commit(flag: FlagChange) -> Commit:
    """Return a flag's change in the form of a commit without a diff, so that the same rules read it."""
    return Commit(
        sha="",
        parent_sha=None,
        author=flag.changed_by or "",
        committed_at=flag.changed_at,
        message=f"set {flag.flag} from {flag.before or 'unset'} to {flag.after}",
        url="",
        files=(),
        service=flag.service,
    )


def check_deploy(
    hypothesis: Hypothesis, deploy: Deploy, commits: Sequence[Commit], observed: Observed
) -> tuple[list[Evidence], tuple[CommitScore, ...]]:
    """Return the evidence about a deploy's commits from their text, place and time, and a score for each commit.

    Nothing where the scene shows no sign of trouble: then there is nothing to hold a change against.
    """
    if not observed.signs:
        return [], ()
    judged = judge_commits(commits, deploy.service, observed)
    scores = tuple(
        CommitScore(
            sha=item.commit.sha,
            title=quoted(item.commit.message.strip().partition("\n")[0], 80),
            author=quoted(item.commit.author, 60),
            url=item.commit.url,
            log_weight=item.weight,
        )
        for item in judged
    )
    return check_change(hypothesis.key, judged, [deploy.service], deploy.deployed_at, observed), scores


def added(first: Sequence[CommitScore], second: Sequence[CommitScore]) -> tuple[CommitScore, ...]:
    """Return the scores of one deploy's commits with their weights from two kinds of check added up."""
    weight = {score.sha: score.log_weight for score in first}
    return tuple(replace(score, log_weight=score.log_weight + weight.get(score.sha, 0.0)) for score in second)
