from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from detection.types import FunnelStep
from storage import deploys, funnels
from storage.errors import NotFoundError
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


def test_a_deploy_reported_twice_is_stored_once(session: Session) -> None:
    first, is_new = _deploy(session, "1", minutes=0)
    second, is_new_again = _deploy(session, "1", minutes=0)
    assert (is_new, is_new_again, second.id) == (True, False, first.id)


def test_a_deploy_knows_the_commit_it_replaced_in_its_own_service(session: Session) -> None:
    _deploy(session, "other", minutes=1, service="api")
    first, _ = _deploy(session, "1", minutes=0)
    second, _ = _deploy(session, "2", minutes=5)
    assert (first.previous_commit_sha, second.previous_commit_sha) == (None, "sha-1")


def _seen_in_spans(session: Session, version: str, *, minutes: int) -> Deploy:
    return deploys.record_deploy(
        session,
        service="shop",
        version=version,
        commit_sha=version,
        repository="acme/shop",
        deployed_at=NOW + timedelta(minutes=minutes),
        deployed_by=deploys.SEEN_IN_SPANS,
        now=NOW,
    )[0]


@pytest.mark.parametrize(("seen_as", "reported_at"), [("2", 5), ("2", 20), ("sha-2abc", 12)])
def test_a_later_report_overwrites_a_deploy_that_was_only_seen_in_spans(
    seen_as: str, reported_at: int, session: Session
) -> None:
    _deploy(session, "1", minutes=0)
    seen = _seen_in_spans(session, seen_as, minutes=10)
    after, _ = _deploy(session, "3", minutes=40)
    report = {"service": "shop", "version": "2", "commit_sha": "sha-2abcdef", "repository": "acme/new", "now": NOW}
    at = NOW + timedelta(minutes=reported_at)
    taken, is_new = deploys.record_deploy(session, **report, deployed_at=at, deployed_by="ana")  # type: ignore[arg-type]
    session.refresh(after)
    assert (taken.id, is_new, taken.version, taken.commit_sha) == (seen.id, True, "2", "sha-2abcdef")
    assert (taken.repository, taken.deployed_by, taken.deployed_at) == ("acme/new", "ana", at)
    assert (taken.previous_commit_sha, after.previous_commit_sha) == ("sha-1", "sha-2abcdef")
    again, is_new = deploys.record_deploy(session, **report, deployed_at=at, deployed_by="ana")  # type: ignore[arg-type]
    assert (again.id, is_new) == (seen.id, False)
    assert len(deploys.deploys_between(session, "shop", NOW, NOW + timedelta(hours=1))) == 3


def test_a_version_reported_long_after_it_was_seen_is_another_deploy(session: Session) -> None:
    seen = _seen_in_spans(session, "2", minutes=0)
    again, is_new = _deploy(session, "2", minutes=90)
    other, _ = _deploy(session, "4", minutes=5)
    assert (is_new, again.id != seen.id, other.id != seen.id) == (True, True, True)
    assert seen.deployed_by == deploys.SEEN_IN_SPANS


def test_a_deploy_reported_late_corrects_the_one_after_it(session: Session) -> None:
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


def _funnel(session: Session, name: str) -> int:
    return funnels.create_funnel(
        session,
        name=name,
        steps=[],
        baseline_days=7,
        window_minutes=30,
        now=NOW,
        value_per_conversion=9.5,
        currency="USD",
    ).id


def test_the_value_of_a_conversion_reaches_detection(session: Session) -> None:
    definition = funnels.definition(funnels.get_funnel(session, _funnel(session, "Signup")))
    assert (definition.value_per_conversion, definition.currency) == (9.5, "USD")


def test_a_funnel_is_found_by_number_or_by_name_and_of_equal_names_the_newest(session: Session) -> None:
    first, second = _funnel(session, "Signup"), _funnel(session, "signup")
    assert funnels.find_funnel(session, str(first)).id == funnels.find_funnel(session, f"#{first}").id == first
    assert funnels.find_funnel(session, " SIGNUP ").id == second
    with pytest.raises(NotFoundError, match="no funnel 'Sign'"):
        funnels.find_funnel(session, "Sign")


def test_a_removed_funnel_is_no_longer_watched_and_its_number_is_not_reused(session: Session) -> None:
    gone, kept = _funnel(session, "Old"), _funnel(session, "New")
    funnels.remove_funnel(session, kept, now=NOW)
    assert [row.id for row in funnels.list_funnels(session)] == [gone]
    for use in (funnels.get_funnel, lambda session, number: funnels.remove_funnel(session, number, now=NOW)):
        with pytest.raises(NotFoundError, match=f"no funnel {kept}"):
            use(session, kept)
    assert _funnel(session, "Newer") > kept
