"""Which changes are candidates: deploys with the commits that they brought, commits without a deploy, flags."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from detection.types import Commit, Deploy
from workers.diagnosis.changes import is_shared, services_touched
from workers.diagnosis.changes.infrastructure import services_configured
from workers.diagnosis.scene.model import Observed, Scene

SHORTEST_SHA = 6


@dataclass(frozen=True, slots=True)
class Brought:
    """A deploy and the stored commits that it brought, oldest first."""

    deploy: Deploy
    commits: tuple[Commit, ...]


def same_sha(left: str, right: str) -> bool:
    """Whether two SHAs, full or short, are of one commit."""
    shorter, longer = sorted((left, right), key=len)
    return len(shorter) >= SHORTEST_SHA and longer.startswith(shorter)


def brought_by(scene: Scene) -> tuple[list[Brought], list[Commit]]:
    """Return the deploys, each with its stored commits, and the commits that no deploy is known to have brought.

    A commit belongs to the deploys that name it. Otherwise it belongs to the first deploy after it of a service whose
    code it touches; a commit to shared code, to the first one of any service, if its diff shows what it did there.
    """
    deploys = sorted(scene.deploys, key=lambda deploy: deploy.deployed_at)
    commits: dict[int, list[Commit]] = {deploy.deploy_id: [] for deploy in deploys}
    alone = []
    services = {deploy.service for deploy in deploys}
    for commit in sorted(scene.commits, key=lambda commit: commit.committed_at):
        owners = [deploy for deploy in deploys if same_sha(deploy.commit_sha, commit.sha)]
        owners = owners or _first_after(commit, deploys, services)
        if not owners:
            alone.append(commit)
        for deploy in owners:
            commits[deploy.deploy_id].append(commit)
    return [Brought(deploy, tuple(commits[deploy.deploy_id])) for deploy in deploys], alone


def _first_after(commit: Commit, deploys: Sequence[Deploy], services: Collection[str]) -> list[Deploy]:
    touched = services_of(commit, services)
    paths = [file.path for file in commit.files]
    later = [
        deploy
        for deploy in deploys
        if deploy.deployed_at >= commit.committed_at
        and (deploy.service in touched or (not touched and has_diff(commit) and is_shared(paths)))
    ]
    return later[:1]


def has_diff(commit: Commit) -> bool:
    """Whether the diff of a commit is known, or at least that of one of its files."""
    return any(file.patch for file in commit.files)


def services_of(commit: Commit, services: Collection[str]) -> frozenset[str]:
    """Return the services whose code a commit changes: the one that its sender names, and those of its paths."""
    named = {commit.service} if commit.service else set()
    return frozenset(named) | services_touched([file.path for file in commit.files], services)


def configured_by(commit: Commit, unit: str, observed: Observed) -> frozenset[str]:
    """Return the services that a commit to the infrastructure is about, if `unit`, what was deployed, is none itself.

    Nothing is watched of such a unit: "terraform-iam", "network-policies". What its code names is where it is live.
    """
    scene = observed.scene
    watched = {course.part for course in scene.courses} | {group.part for group in scene.lines}
    watched |= {end for edge in scene.edges for end in (edge.caller, edge.callee)}
    return frozenset() if unit in watched else services_configured(commit.files, watched)
