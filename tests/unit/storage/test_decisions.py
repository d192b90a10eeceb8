from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from detection.types import Severity
from storage import verifications
from storage.errors import AlreadyDecidedError, ContentChangedError, ExpiredError, NotApprovedError
from storage.incidents import open_incident
from storage.knowledge import remember
from storage.models import Action, Proposal
from storage.proposals import approve, create_proposal, current_proposal, finish_action, get_proposal, start_action

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
PULL_REQUEST = {"repository": "acme/shop", "number": 7, "head_sha": "a" * 40}


def _incident_id(session: Session) -> int:
    return open_incident(session, title="Slow", severity=Severity.SEV2, service="shop", onset_at=NOW, now=NOW).id


def _proposal(session: Session, incident_id: int, **changes: Any) -> Proposal:
    values: dict[str, Any] = {
        "incident_id": incident_id,
        "diagnosis_id": None,
        "action": "revert_pull_request",
        "title": "Revert the deploy",
        "parameters": PULL_REQUEST,
        "risk": "low",
        "blast_radius": "shop",
        "verified_by": "latency_p95_ms",
        "undone_by": "reverting the revert",
        "now": NOW,
        "expires_at": NOW + timedelta(hours=4),
    }
    return create_proposal(session, **(values | changes))


def _approve(session: Session, proposal: Proposal, name: str = "Ana", **changes: Any) -> None:
    values: dict[str, Any] = {"content_hash": proposal.content_hash, "user_id": "U1", "user_name": name, "now": NOW}
    approve(session, proposal, **(values | changes))


def _started(session: Session) -> Action:
    proposal = _proposal(session, _incident_id(session))
    _approve(session, proposal)
    return start_action(session, proposal, now=NOW)


def test_the_hash_covers_exactly_what_would_be_done(session: Session) -> None:
    incident_id = _incident_id(session)
    first = _proposal(session, incident_id)
    same = _proposal(session, incident_id, parameters=dict(reversed(PULL_REQUEST.items())), title="Other words")
    other = _proposal(session, incident_id, parameters=PULL_REQUEST | {"head_sha": "b" * 40})
    assert first.content_hash == same.content_hash != other.content_hash


def test_a_proposal_is_approved_once_and_the_second_person_learns_who_was_first(session: Session) -> None:
    proposal = _proposal(session, _incident_id(session))
    _approve(session, proposal, "Ana")
    with pytest.raises(AlreadyDecidedError, match="Ana already approved this at 12:00 UTC") as refused:
        _approve(session, proposal, "Bo", now=NOW + timedelta(minutes=1))
    assert (refused.value.decided_by, refused.value.decided_at) == ("Ana", NOW)


def test_of_two_concurrent_approvals_exactly_one_counts(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        proposal_id = _proposal(session, _incident_id(session)).id

    def press(name: str) -> str:
        with sessions.begin() as session:
            try:
                _approve(session, get_proposal(session, proposal_id), name)
            except AlreadyDecidedError as error:
                return f"after {error.decided_by}"
            return name

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(press, ["Ana", "Bo"]))
    assert answers in ({"Ana", "after Ana"}, {"Bo", "after Bo"})


def test_approving_something_other_than_what_was_shown_is_refused(session: Session) -> None:
    proposal = _proposal(session, _incident_id(session))
    with pytest.raises(ContentChangedError, match="has changed"):
        _approve(session, proposal, content_hash="0" * 64)


def test_parameters_changed_without_the_hash_are_detected(session: Session) -> None:
    proposal = _proposal(session, _incident_id(session))
    session.execute(update(Proposal).values(parameters=PULL_REQUEST | {"head_sha": "c" * 40}))
    with pytest.raises(ContentChangedError):
        _approve(session, proposal)


def test_an_expired_proposal_cannot_be_approved(session: Session) -> None:
    proposal = _proposal(session, _incident_id(session))
    with pytest.raises(ExpiredError, match="has expired"):
        _approve(session, proposal, now=NOW + timedelta(hours=4))


def test_a_newer_proposal_supersedes_the_open_one_but_not_an_approved_one(session: Session) -> None:
    incident_id = _incident_id(session)
    first, second = _proposal(session, incident_id), _proposal(session, incident_id)
    assert current_proposal(session, incident_id) == second
    with pytest.raises(ContentChangedError, match="newer"):
        _approve(session, first)
    _approve(session, second)
    third = _proposal(session, incident_id)
    assert (second.status, current_proposal(session, incident_id)) == ("approved", third)


def test_only_what_was_approved_can_be_started(session: Session) -> None:
    proposal = _proposal(session, _incident_id(session))
    with pytest.raises(NotApprovedError):
        start_action(session, proposal, now=NOW)
    _approve(session, proposal)
    session.execute(update(Proposal).values(parameters={"head_sha": "d" * 40}))
    with pytest.raises(NotApprovedError):
        start_action(session, proposal, now=NOW)


def test_starting_an_action_again_after_a_crash_returns_the_same_action(session: Session) -> None:
    action = _started(session)
    proposal = get_proposal(session, action.proposal_id)
    assert start_action(session, proposal, now=NOW + timedelta(minutes=1)) is action
    finish_action(session, action, status="done", result={"merged": True}, now=NOW)
    assert (action.status, proposal.status) == ("done", "done")
    assert start_action(session, proposal, now=NOW).status == "done"


def test_an_action_has_one_verification_which_counts_its_attempts(session: Session) -> None:
    action = _started(session)
    deadline = NOW + timedelta(minutes=10)
    begin: dict[str, Any] = {"incident_id": action.incident_id, "action_id": action.id, "deadline_at": deadline}
    verification = verifications.start_verification(session, **begin, now=NOW)
    assert verifications.start_verification(session, **begin, now=NOW) is verification
    verifications.record_measures(session, verification, [{"metric": "latency_p95_ms", "after": 101.0}])
    verifications.record_measures(session, verification, [{"metric": "latency_p95_ms", "after": 99.0}])
    assert (verification.attempts, verification.measures[0]["after"]) == (2, 99.0)
    assert verifications.running_verifications(session) == [(verification.id, verification.incident_id)]
    verifications.finish_verification(session, verification, status="recovered", now=NOW)
    assert verifications.running_verifications(session) == []


def test_an_incident_has_one_knowledge_entry_and_the_newest_overwrites_it(session: Session) -> None:
    incident_id = _incident_id(session)
    told = {"symptom": "slow", "root_cause": "?", "fix": "revert", "recovery": "100 %"}
    first = remember(session, incident_id, **told, now=NOW)
    second = remember(session, incident_id, **(told | {"root_cause": "N+1"}), now=NOW)
    assert (second.id, first.root_cause) == (first.id, "N+1")
