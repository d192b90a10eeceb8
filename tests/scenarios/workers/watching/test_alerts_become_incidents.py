"""Alerts of other monitors open one incident when they fire, and resolve it when they are over."""

from __future__ import annotations

from detection.recovery import RecoveryState
from detection.types import IncidentStatus, Severity
from storage import incidents
from storage.models import Incident
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import chat
from tests.scenarios.workers.worker import Clock, Worker
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.watching import alerts


def all_incidents(services: Services) -> list[Incident]:
    with services.readers() as session:
        return sorted(incidents.list_incidents(session), key=lambda incident: incident.id)


def timeline(services: Services, incident: Incident) -> list[str]:
    with services.readers() as session:
        return [entry.text for entry in incidents.get_incident(session, incident.id).timeline]


def test_a_firing_alert_opens_one_incident_however_often_it_is_sent(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    for _ in range(3):
        alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
        tick(services)
        clock.forward(10)
    [incident] = all_incidents(services)
    assert incident.title == "HighErrorRate is firing: HighErrorRate it is"
    assert (incident.severity, incident.service) == (Severity.SEV2, "shop")
    worker.run_all()
    assert "Diagnosis: cause not known" in chat(services).thread_titles()
    card = chat(services).root().card
    assert card.title == f"#{incident.id} HighErrorRate is firing: HighErrorRate it is"
    [account] = [one.card for one in chat(services).messages.values() if one.card.title.startswith("Diagnosis")]
    assert "[E1] (telemetry) “HighErrorRate is firing: HighErrorRate it is”." in account.sections[0]
    assert card.picture is None


@ON_BOTH
def test_simultaneous_alerts_of_one_service_are_one_incident_and_several_places_one_finding(
    services: Services, alertmanager: Alertmanager
) -> None:
    alertmanager.send(
        alertmanager.alert("HighErrorRate", "firing", pod="a"),
        alertmanager.alert("HighErrorRate", "firing", pod="b"),
        alertmanager.alert("Saturated", "firing", severity="warning"),
    )
    tick(services)
    [incident] = all_incidents(services)
    assert {record.subject["name"] for record in incident.findings} == {"HighErrorRate", "Saturated"}
    assert incident.title == "HighErrorRate is firing in 2 places: HighErrorRate it is"


def test_alerts_that_need_no_person_open_no_incident(services: Services, alertmanager: Alertmanager) -> None:
    alertmanager.send(alertmanager.alert("Watchdog", "firing", severity="none"))
    tick(services)
    assert all_incidents(services) == []


@ON_BOTH
def test_an_incident_is_resolved_with_a_message_when_all_its_alerts_are_over(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"), alertmanager.alert("Saturated", "firing"))
    tick(services)
    clock.forward(600)
    alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
    clock.forward(130)
    tick(services)
    [incident] = all_incidents(services)
    assert incident.status == IncidentStatus.OPEN
    assert "HighErrorRate is over; it fired for 10 min." in timeline(services, incident)

    alertmanager.send(alertmanager.alert("Saturated", "resolved"))
    clock.forward(130)
    tick(services)
    [incident] = all_incidents(services)
    assert (incident.status, incident.closed_by) == (IncidentStatus.RESOLVED, "Argux")
    worker.run_all()
    titles = chat(services).thread_titles()
    assert titles.count("Alert over") == 2
    assert titles.count("Resolved") == 1
    texts = [posted.card.text for posted in chat(services).messages.values()]
    assert any("All 2 of its alerts are over, and nothing else was wrong." in text for text in texts)


def test_a_flapping_alert_is_one_incident_with_few_messages(
    services: Services, clock: Clock, worker: Worker, alertmanager: Alertmanager
) -> None:
    for _ in range(5):
        alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
        tick(services)
        clock.forward(40)
        alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
        tick(services)
        clock.forward(40)
    [incident] = all_incidents(services)
    assert incident.status == IncidentStatus.OPEN
    worker.run_all()
    assert "Alert over" not in chat(services).thread_titles()


def test_an_incident_closed_by_hand_stays_closed_while_the_alert_fires_on_and_a_new_firing_opens_another(
    services: Services, clock: Clock, alertmanager: Alertmanager
) -> None:
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    tick(services)
    clock.forward(60)
    [incident] = all_incidents(services)
    with services.sessions.begin() as session:
        held = incidents.get_incident(session, incident.id)
        incidents.change_status(session, held, IncidentStatus.RESOLVED, actor="Mia", now=clock())
    for _ in range(5):
        clock.forward(3600)
        alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
        tick(services)
    assert len(all_incidents(services)) == 1

    alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
    clock.forward(600)
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    tick(services)
    assert len(all_incidents(services)) == 2


def test_an_old_delivery_after_the_end_changes_nothing(
    services: Services, clock: Clock, alertmanager: Alertmanager
) -> None:
    firing = alertmanager.alert("HighErrorRate", "firing")
    alertmanager.send(firing)
    clock.forward(60)
    alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
    alertmanager.send(firing)
    tick(services)
    assert all_incidents(services) == []


def test_the_values_of_an_alert_are_watched_as_a_metric(
    services: Services, clock: Clock, alertmanager: Alertmanager
) -> None:
    alertmanager.send(alertmanager.alert("DiskFull", "firing") | {"annotations": {"value": "91 %"}})
    now = clock().timestamp()
    [point] = services.telemetry.metric_samples("shop", "DiskFull", since=now - 60, until=now + 60)
    assert point.value == 0.91


def test_an_alert_is_tested_again_after_a_fix(services: Services, clock: Clock, alertmanager: Alertmanager) -> None:
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    tick(services)
    [incident] = all_incidents(services)
    finding = incidents.to_finding(incident.findings[0])
    live_at = clock().timestamp()
    assert alerts.retest(services, finding, live_at, clock().timestamp()).state is RecoveryState.STILL_BROKEN
    clock.forward(60)
    alertmanager.send(alertmanager.alert("HighErrorRate", "resolved"))
    assert alerts.retest(services, finding, live_at, clock().timestamp()).state is RecoveryState.RECOVERED


def test_alerts_sent_in_one_notification_are_one_incident_whatever_their_services(
    services: Services, alertmanager: Alertmanager
) -> None:
    alertmanager.send(*(alertmanager.alert("NodeDown", "firing", service=name) for name in ("shop", "cart", "search")))
    tick(services)
    [incident] = all_incidents(services)
    assert len(incident.findings) == 3
