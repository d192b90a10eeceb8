"""Everything that is suspected from the scene: changes with what their text can do, and causes outside the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from detection.symptoms.metric_names import split_words
from detection.types import Commit, Deploy, FlagChange
from integrations.cards import moment
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.causes.by_change.changes import Judged, check_change, judge_commits
from workers.diagnosis.causes.by_change.room import is_missed_at_the_peak
from workers.diagnosis.causes.by_change.switched_on import switched_on
from workers.diagnosis.causes.candidates import Brought, brought_by, configured_by, services_of
from workers.diagnosis.causes.catalogue import suspicions
from workers.diagnosis.causes.kinds import downstream, surge
from workers.diagnosis.causes.mechanisms import mechanisms
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import CommitScore, Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import deploy_name, in_quotes, quoted, short_sha

SHORTEST_WORD = 4
"""Shorter words of a flag's name are everywhere."""

MOST_ALONE = 20
"""How many commits without a known deploy become hypotheses of their own, those that explain most first."""


@dataclass(frozen=True, slots=True)
class ChangesKnown:
    """How many changes the stores hold for the time before an incident, and while it lasted."""

    deploys: int = 0
    commits_alone: int = 0
    flags: int = 0

    def count(self) -> int:
        """Return how many they are together."""
        return self.deploys + self.commits_alone + self.flags


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the scene suggests. alone, flags: changes besides the deploys. outside: causes that no change is behind.

    mechanisms: how it does harm. changes_known: how many changes were looked at: deploys, commits alone, and flags.
    """

    observed: Observed
    alone: tuple[Suspicion, ...]
    flags: tuple[Suspicion, ...]
    outside: tuple[Suspicion, ...]
    commits: dict[int, tuple[Commit, ...]]
    """The stored commits by the id of the deploy that brought them."""

    mechanisms: tuple[Suspicion, ...] = ()
    changes_known: ChangesKnown = ChangesKnown()

    def may_be_by(self, deploy: Deploy) -> bool:
        """Whether a deploy is of something that this incident concerns, or configures something that it does."""
        configured = (
            service
            for commit in self.commits.get(deploy.deploy_id, ())
            for service in configured_by(commit, deploy.service, self.observed)
        )
        return any(self.observed.is_concerned(service) for service in (deploy.service, *configured))

    def beside_deploys(self) -> tuple[Suspicion, ...]:
        """Return everything but the deploys."""
        return (*self.alone, *self.flags, *self.outside)


def find_suspects(observed: Observed) -> Suspects:
    """Return everything that the scene suggests."""
    brought, alone = brought_by(observed.scene)
    outside = tuple(_with_room(suspicion, brought, observed) for suspicion in suspicions(observed))
    return Suspects(
        observed=observed,
        alone=tuple(_alone(alone, observed)),
        flags=tuple(
            _flag(flag, observed)
            for flag in observed.scene.flags
            if (flag.service is None or observed.is_concerned(flag.service))
        ),
        outside=(*outside, *downstream.suspects(observed, brought, alone, outside)),
        commits={item.deploy.deploy_id: item.commits for item in brought if item.commits},
        mechanisms=mechanisms(observed),
        changes_known=ChangesKnown(len(brought), len(alone), len(observed.scene.flags)),
    )


def _with_room(suspicion: Suspicion, brought: Sequence[Brought], observed: Observed) -> Suspicion:
    """Doubt a crowd where a change took the room that it would have had: as many may come every day."""
    if suspicion.hypothesis.cause != surge.CAUSE:
        return suspicion
    for item in brought:
        deploy = item.deploy
        for judged in judge_commits(item.commits, deploy.service, observed):
            if is_missed_at_the_peak(judged.fit.effect, deploy.deployed_at, {deploy.service}, observed):
                result = ours(
                    "{deploy} of {service} had lowered what it can take: {line}.",
                    deploy=deploy_name(deploy),
                    service=quoted(deploy.service, 60),
                    line=in_quotes(judged.fit.effect.line.strip() if judged.fit.effect else "", 100),
                )
                doubt = evidence("room_taken", suspicion.hypothesis.key, result, weights.ROOM_WAS_TAKEN, source="room")
                return Suspicion(suspicion.hypothesis, (*suspicion.evidence, doubt))
    return suspicion


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
    name = ours("commit {sha}", sha=short_sha(commit.sha))
    return Suspicion(hypothesis, tuple(check_change(key, name, [item], services, commit.committed_at, observed)))


def _flag(flag: FlagChange, observed: Observed) -> Suspicion:
    key = f"flag:{flag.change_id}"[:300]
    code = switched_on(flag, observed.scene.commits)
    hypothesis = Hypothesis(
        key=key,
        cause="flag",
        role=Role.ORIGIN,
        statement=_flag_statement(flag, code),
        prior=weights.FLAG_PRIOR if code is None else weights.FLAG_OF_NEW_CODE_PRIOR,
        service=flag.service,
        commit_sha=code.sha if code is not None else None,
        flag=flag,
    )
    service = flag.service or ""
    judged = [_named_or_doubted(item, flag, observed) for item in judge_commits([_as_commit(flag)], service, observed)]
    if code is not None:
        judged = list(judge_commits([code], service or _home(code, observed), observed))
    services = {flag.service} if flag.service else set()
    name = ours("flag {flag}", flag=in_quotes(flag.flag, 80))
    return Suspicion(hypothesis, tuple(check_change(key, name, judged, services, flag.changed_at, observed)))


def _flag_statement(flag: FlagChange, code: Commit | None) -> Markup:
    name, after, at = in_quotes(flag.flag, 80), in_quotes(flag.after, 40), moment(flag.changed_at)
    if code is None:
        return ours("Flag {flag}, set to {after} at {at}, broke it.", flag=name, after=after, at=at)
    return ours(
        "Flag {flag}, set to {after} at {at}, switched on the code of commit {sha}, which broke it.",
        flag=name,
        after=after,
        at=at,
        sha=short_sha(code.sha),
    )


def _named_or_doubted(item: Judged, flag: FlagChange, observed: Observed) -> Judged:
    """Doubt a switch whose name no sign of the incident shares: what it turns on or off is not known."""
    is_value = item.fit.effect is not None and item.fit.effect.ratio is not None
    if is_value or _is_named(flag, observed):
        return item
    return replace(item, weight=min(item.weight, weights.FLAG_THAT_NOTHING_NAMES))


def _is_named(flag: FlagChange, observed: Observed) -> bool:
    parts = {word for part in observed.parts for word in split_words(part)}
    words = {word for word in split_words(flag.flag) - parts if len(word) >= SHORTEST_WORD}
    return any(words & split_words(sign.text) for sign in observed.signs if sign.part in observed.involved())


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
    name = ours("{deploy} of {service}", deploy=deploy_name(deploy), service=quoted(deploy.service, 60))
    found = check_change(hypothesis.key, name, judged, [deploy.service], deploy.deployed_at, observed)
    # Without a course, the deploy's own check of its time says more than the onset alone, if it was seen by Argux. What
    # another monitor alerts on began minutes before, as the signs of the origin tell.
    onset_is_told = observed.scene.is_seen_by_argux or observed.chain.origin is None
    return [
        item
        for item in found
        if item.data.get("by_course", True) or (not onset_is_told and item.data.get("is_after_onset"))
    ], scores


def added(first: Sequence[CommitScore], second: Sequence[CommitScore]) -> tuple[CommitScore, ...]:
    """Return the scores of one deploy's commits with their weights from two kinds of check added up."""
    weight = {score.sha: score.log_weight for score in first}
    return tuple(replace(score, log_weight=score.log_weight + weight.get(score.sha, 0.0)) for score in second)
