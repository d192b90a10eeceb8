"""Record a deploy as its sender reports it."""

from __future__ import annotations

from storage import deploys
from workers.services import Services


def goes_live(services: Services, sha: str, *, service: str = "shop") -> None:
    """Record that this commit of a service goes live now."""
    now = services.clock()
    with services.sessions.begin() as session:
        deploys.record_deploy(
            session, service=service, version=sha, commit_sha=sha, repository=f"acme/{service}", deployed_at=now,
            deployed_by="deployer", now=now,
        )  # fmt: skip
