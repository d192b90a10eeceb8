from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from detection.types import Finding, IncidentStatus, Metric, Severity, Subject
from storage.errors import InvalidTransitionError, NotFoundError
from storage.incidents import (
    active_incidents,
    change_status,
    get_incident,
    list_incidents,
    open_incident,
    record_finding,
    to_finding,
)
from storage.models import Incident
from tests.finding_details import ENDPOINT

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
FINDING = Finding(
    detector="endpoints",
    metric=Metric.LATENCY_P95,
    subject=Subject(kind="endpoint", name="POST /checkout", service="shop", endpoint="POST /checkout"),
    observed=900.0,
    expected=100.0,
    expected_low=80.0,
    expected_high=130.0,
    sample_size=250,
    score=float("inf"),
    p_value=1e-12,
    window_start=NOW.timestamp() - 600,
    window_end=NOW.timestamp(),
    onset_at=NOW.timestamp() - 90.5,
    details=ENDPOINT,
)


def _incident(session: Session) -> Incident:
    return open_incident(
        session, title="Checkout is slow", severity=Severity.SEV2, service="shop", onset_at=NOW, now=NOW
    )


def test_opening_an_incident_begins_its_timeline(session: Session) -> None:
    incident = _incident(session)
    session.expire_all()
    again = get_incident(session, incident.id)
    assert (again.status, again.severity) == (IncidentStatus.OPEN, Severity.SEV2)
    assert isinstance(again.status, IncidentStatus)
    assert [(entry.kind, entry.actor) for entry in again.timeline] == [("opened", "Argux")]


def test_a_worse_finding_updates_its_row_and_keeps_first_seen_at(session: Session) -> None:
    incident = _incident(session)
    record_finding(session, incident, FINDING, now=NOW)
    worse = dataclasses.replace(FINDING, observed=1500.0)
    later = NOW + timedelta(minutes=1)
    record_finding(session, incident, worse, now=later)
    session.expire_all()
    (record,) = get_incident(session, incident.id).findings
    assert (record.first_seen_at, record.last_seen_at) == (NOW, later)
    assert to_finding(record) == worse


def test_a_status_change_records_who_and_when(session: Session) -> None:
    incident = _incident(session)
    later = NOW + timedelta(minutes=3)
    change_status(session, incident, IncidentStatus.ACKNOWLEDGED, actor="Ana", now=NOW)
    change_status(session, incident, IncidentStatus.RESOLVED, actor="Bo", now=later)
    assert (incident.acknowledged_by, incident.acknowledged_at) == ("Ana", NOW)
    assert (incident.closed_by, incident.closed_at) == ("Bo", later)
    session.expire_all()
    told = [(entry.kind, entry.actor, entry.text) for entry in incident.timeline]
    assert told[1:] == [("acknowledged", "Ana", "acknowledged"), ("resolved", "Bo", "resolved")]


def test_a_closed_incident_can_only_be_reopened_which_clears_its_closing(session: Session) -> None:
    incident = _incident(session)
    change_status(session, incident, IncidentStatus.FALSE_ALARM, actor="Ana", now=NOW)
    with pytest.raises(InvalidTransitionError, match="is false alarm; it cannot become mitigating"):
        change_status(session, incident, IncidentStatus.MITIGATING, actor="Bo", now=NOW)
    change_status(session, incident, IncidentStatus.OPEN, actor="Argux", now=NOW)
    assert (incident.closed_at, incident.closed_by) == (None, None)
    assert incident.timeline[-1].text == "reopened"


def test_of_two_concurrent_acknowledgements_the_second_is_refused(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        incident_id = _incident(session).id

    def acknowledge(name: str) -> str:
        with sessions.begin() as session:
            incident = get_incident(session, incident_id)
            try:
                change_status(session, incident, IncidentStatus.ACKNOWLEDGED, actor=name, now=NOW)
            except InvalidTransitionError as error:
                return str(error)
            return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(acknowledge, ["Ana", "Bo"]))
    assert answers == ["This incident is already acknowledged.", "done"]


def test_lists_are_newest_first_and_active_ones_leave_out_the_closed(session: Session) -> None:
    first, second, third = (_incident(session) for _ in range(3))
    change_status(session, second, IncidentStatus.RESOLVED, actor="Ana", now=NOW)
    assert [incident.id for incident in active_incidents(session)] == [first.id, third.id]
    assert [incident.id for incident in list_incidents(session, limit=2)] == [third.id, second.id]
    assert list_incidents(session, status=IncidentStatus.RESOLVED) == [second]


def test_the_error_names_a_missing_incident(session: Session) -> None:
    with pytest.raises(NotFoundError, match="There is no incident 404"):
        get_incident(session, 404)
