"""An earlier incident that looked alike, as a cause; and what the store says of earlier incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from detection.types import IncidentStatus, Severity
from storage.knowledge import KnownIncident, known_incidents, remember
from storage.models import FindingRecord, Incident
from tests.unit.workers.diagnosis.conftest import Shop
from tests.unit.workers.diagnosis.scenes import ONSET, course, line, said, seen
from workers.diagnosis.causes.kinds import known_incident

NOW = datetime(2026, 2, 7, 14, 10, tzinfo=UTC)
BROKEN = (course("checkout", "error_rate", 0.001, 0.3), course("checkout", "latency_p95_ms", 80, 1500))
ALERT = ("Checkout: payment gateway timeouts, error rate 30 %",)


def known(**changes: Any) -> KnownIncident:
    values: dict[str, Any] = {
        "incident_id": 12,
        "service": "checkout",
        "ended_at": ONSET - 9e5,
        "symptom": "Checkout: payment gateway timeouts, error rate 22 %",
        "root_cause": "The egress proxy of the payment gateway had run out of ports.",
        "fix": "the egress proxy was restarted",
        "recovery": "error rate 0.1 %",
        "metrics": frozenset({"error_rate"}),
    }
    return KnownIncident(**{**values, **changes})


def test_a_resolved_incident_of_the_same_service_that_looked_alike_is_told_with_its_cause_and_what_ended_it() -> None:
    observed = seen(BROKEN, alert_texts=ALERT, known=(known(),))

    (found,) = known_incident.suspects(observed)

    assert found.hypothesis.key == "known_incident:12"
    assert "#12" in found.hypothesis.statement
    assert "egress proxy of the payment gateway" in found.hypothesis.statement
    assert "the egress proxy was restarted" in found.evidence[0].result
    assert found.evidence[0].data["fix"] == "the egress proxy was restarted"
    assert said(found)["same_before"] > 0


def test_lines_with_the_words_of_the_cause_of_then_speak_for_it_too() -> None:
    lines = [line("checkout", "dial payment gateway via egress proxy: cannot assign requested address, ports", 50)]

    (found,) = known_incident.suspects(seen(BROKEN, lines, alert_texts=ALERT, known=(known(),)))

    assert said(found)["same_words"] > 0


def test_an_incident_of_another_service_is_not_the_same() -> None:
    observed = seen(BROKEN, alert_texts=ALERT, known=(known(service="search"),))

    assert list(known_incident.suspects(observed)) == []


def test_an_incident_of_the_same_service_with_other_symptoms_is_not_the_same() -> None:
    other = known(symptom="Nightly export: disk full on the volume", metrics=frozenset({"disk_used_percent"}))

    assert list(known_incident.suspects(seen(BROKEN, alert_texts=ALERT, known=(other,)))) == []


def test_an_incident_whose_cause_was_never_found_explains_nothing() -> None:
    assert list(known_incident.suspects(seen(BROKEN, alert_texts=ALERT, known=(known(root_cause=""),)))) == []


def test_only_resolved_incidents_other_than_this_one_are_known(shop: Shop) -> None:
    with shop.sessions.begin() as session:
        ids = []
        for status in (IncidentStatus.RESOLVED, IncidentStatus.FALSE_ALARM, IncidentStatus.RESOLVED):
            incident = Incident(
                title="t", status=status, severity=Severity.SEV2, service="checkout", onset_at=NOW, opened_at=NOW,
                updated_at=NOW,
            )  # fmt: skip
            session.add(incident)
            session.flush()
            ids.append(incident.id)
            session.add(
                FindingRecord(
                    incident_id=incident.id, fingerprint="f", detector="d", metric="error_rate", subject={}, observed=1,
                    expected=1, expected_low=1, expected_high=1, sample_size=1, score=1, p_value=1, window_start=NOW,
                    window_end=NOW, onset_at=NOW, details={}, first_seen_at=NOW, last_seen_at=NOW,
                )
            )  # fmt: skip
            remember(session, incident.id, symptom="s", root_cause="c", fix="f", recovery="r", now=NOW)
        session.flush()

        found = known_incidents(session, since=NOW - timedelta(days=1), but=ids[2])
        later = known_incidents(session, since=NOW + timedelta(days=1), but=0)

    assert [(one.incident_id, one.service, one.metrics) for one in found] == [
        (ids[0], "checkout", frozenset({"error_rate"}))
    ]
    assert later == []
