from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from detection.types import FunnelStep
from storage import deploys, funnels
from storage.models import Deploy

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)


def _deploy(session: Session, version: str, *, minutes: int, service: str = "shop") -> tuple[Deploy, bool]:
    return deploys.record_deploy(
        session,
        service=service,
        version=version,
        commit_sha=f"sha-{version}",
        repository="acme/shop",
        deployed_at=NOW + timedelta(minutes=minutes),
        deployed_by=None,
        now=NOW,
    )


def test_a_deploy_told_twice_is_kept_once(session: Session) -> None:
    first, is_new = _deploy(session, "1", minutes=0)
    second, is_new_again = _deploy(session, "1", minutes=0)
    assert (is_new, is_new_again, second.id) == (True, False, first.id)


def test_a_deploy_knows_the_commit_it_replaced_in_its_own_service(session: Session) -> None:
    _deploy(session, "other", minutes=1, service="api")
    first, _ = _deploy(session, "1", minutes=0)
    second, _ = _deploy(session, "2", minutes=5)
    assert (first.previous_commit_sha, second.previous_commit_sha) == (None, "sha-1")


def test_a_deploy_told_late_corrects_the_one_after_it(session: Session) -> None:
    _deploy(session, "1", minutes=0)
    third, _ = _deploy(session, "3", minutes=10)
    second, _ = _deploy(session, "2", minutes=5)
    session.refresh(third)
    assert (second.previous_commit_sha, third.previous_commit_sha) == ("sha-1", "sha-2")


def test_deploys_between_two_moments_include_the_first_and_exclude_the_last(session: Session) -> None:
    for minutes in (0, 5, 10):
        _deploy(session, str(minutes), minutes=minutes)
    _deploy(session, "api", minutes=5, service="api")
    until = NOW + timedelta(minutes=10)
    assert [row.version for row in deploys.deploys_between(session, "shop", NOW, until)] == ["0", "5"]
    assert len(deploys.deploys_between(session, None, NOW, until)) == 3


def test_the_latest_deploy_before_a_moment_is_strictly_before_it(session: Session) -> None:
    _deploy(session, "1", minutes=0)
    _deploy(session, "2", minutes=5)
    latest = deploys.latest_deploy(session, "shop")
    before = deploys.latest_deploy(session, "shop", before=NOW + timedelta(minutes=5))
    assert latest is not None
    assert before is not None
    assert (latest.version, before.version) == ("2", "1")
    assert deploys.to_deploy(latest).deployed_at == (NOW + timedelta(minutes=5)).timestamp()
    assert deploys.latest_deploy(session, "unknown") is None


def test_a_funnel_from_the_api_becomes_a_definition_for_detection(session: Session) -> None:
    steps = [
        {"name": "view", "event_filter": {"event": "page_view", "properties": {"page": "/signup"}}},
        {"name": "done", "event": "signup", "properties": {}},
    ]
    row = funnels.create_funnel(session, name="Signup", steps=steps, baseline_days=7, window_minutes=30, now=NOW)
    session.expire_all()
    definition = funnels.definition(funnels.get_funnel(session, row.id))
    assert definition.steps == (FunnelStep("view", "page_view", {"page": "/signup"}), FunnelStep("done", "signup", {}))
    assert (definition.window_seconds, definition.baseline_days) == (1800.0, 7)
