"""Alerts of Alertmanager, Datadog and Sentry, read as log records and alert changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.types import AlertChange, LogRecord
from integrations.inbound.monitoring.alertmanager import read_alertmanager
from integrations.inbound.monitoring.alerts import Alert, parse_number, to_change, to_points, to_record
from integrations.inbound.monitoring.datadog import read_datadog_alert
from integrations.inbound.monitoring.sentry_webhooks import read_sentry_webhook
from integrations.inbound.reading.records import Parsed, PayloadError

NOW = 1_770_465_600.0


def records(parsed: Parsed[Alert]) -> list[LogRecord]:
    return [to_record(alert) for alert in parsed.records]


def changes(parsed: Parsed[Alert]) -> list[AlertChange | None]:
    return [to_change(alert) for alert in parsed.records]


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "HighErrorRate", "job": "shop", "severity": "warning"},
        "annotations": {"description": "5 % of requests fail"},
        "startsAt": "2026-02-07T11:58:00.739266876Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "c1f0a5b8d3e2",
        **changes,
    }


def notification(*alerts: Any) -> bytes:
    body = {
        "version": "4", "groupKey": '{}:{alertname="HighErrorRate"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "argux", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example", "alerts": list(alerts),
    }  # fmt: skip
    return json.dumps(body).encode()


def test_a_firing_alert_keeps_its_name_its_start_and_its_service() -> None:
    [record] = records(read_alertmanager(notification(alert()), now=NOW))
    assert record.body == "HighErrorRate is firing: 5 % of requests fail"
    assert (record.service, record.severity) == ("shop", "WARN")
    assert record.happened_at == pytest.approx(NOW - 120 + 0.739266)
    assert record.attributes["alert"] == "HighErrorRate"
    assert record.attributes["status"] == "firing"
    assert record.attributes["url"] == "http://prometheus.example/graph"


def test_a_repeated_firing_has_the_same_id_and_a_new_firing_another_id() -> None:
    def ids(*alerts: Any) -> list[str]:
        return [record.record_id for record in records(read_alertmanager(notification(*alerts), now=NOW))]

    assert ids(alert()) == ids(alert(annotations={"summary": "worse"}))
    assert len(set(ids(alert(), alert(status="resolved"), alert(startsAt="2026-02-07T11:59:00Z")))) == 3


def test_a_resolved_alert_has_the_time_of_its_end() -> None:
    over = alert(status="resolved", endsAt="2026-02-07T11:59:00Z")
    [record] = records(read_alertmanager(notification(over), now=NOW))
    assert (record.happened_at, record.severity) == (NOW - 60, "INFO")
    assert record.attributes["status"] == "resolved"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (alert(status="unknown"), "alerts[1].status"),
        (alert(labels={}), "alerts[1].labels.alertname"),
        (alert(labels={"alertname": 7}), "alerts[1].labels[...]"),
        (alert(startsAt="soon"), "alerts[1].startsAt"),
        (alert(status="resolved", endsAt="1999-01-01T00:00:00Z"), "alerts[1].endsAt"),
        ("no alert", "alerts[1]"),
    ],
)
def test_an_invalid_alert_is_rejected_with_its_path_and_the_others_are_kept(bad: Any, field: str) -> None:
    parsed = read_alertmanager(notification(alert(), bad, alert(status="resolved")), now=NOW)
    assert len(parsed.records) == 2
    assert [rejection.field for rejection in parsed.rejections] == [field]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"alerts": 7}', b"{", b'{"version": "4"}'])
def test_a_body_that_is_not_a_notification_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_alertmanager(body, now=NOW)


DATADOG_DEFAULT = {
    "body": "%%%\nErrors are above 5\n%%%",
    "last_updated": "1770465500000",
    "event_type": "query_alert_monitor",
    "title": "[Triggered on {service:shop}] Too many errors",
    "date": "1770465540000",
    "org": {"id": "1", "name": "Acme"},
    "id": "7391640218",
}


@pytest.mark.parametrize(
    ("title", "status", "severity"),
    [
        ("[Triggered on {service:shop}] Too many errors", "firing", "ERROR"),
        ("[Re-Triggered] Too many errors", "firing", "ERROR"),
        ("[Warn on {host:token}] Too many errors", "firing", "WARN"),
        ("[No data on {service:shop}] Too many errors", "firing", "ERROR"),
        ("[Recovered on {service:shop}] Too many errors", "resolved", "INFO"),
    ],
)
def test_datadogs_default_payload_gives_the_state_in_its_title(title: str, status: str, severity: str) -> None:
    [record] = records(read_datadog_alert(json.dumps({**DATADOG_DEFAULT, "title": title}).encode(), now=NOW))
    assert (record.attributes["alert"], record.attributes["status"]) == ("Too many errors", status)
    assert (record.severity, record.happened_at) == (severity, NOW - 60)


def test_the_fuller_datadog_payload_contains_the_service_and_the_monitor() -> None:
    body = {
        "id": "1", "alert_id": "42", "title": "Too many errors", "alert_transition": "Triggered",
        "alert_status": "errors was > 5", "tags": "service:shop,env:prod", "date": "1770465540000", "link": "https://x",
    }  # fmt: skip
    [record] = records(read_datadog_alert(json.dumps(body).encode(), now=NOW))
    assert (record.service, record.record_id) == ("shop", "datadog:42:1:firing")
    assert record.body == "Too many errors is firing: errors was > 5"


def test_a_datadog_alert_without_a_title_or_with_an_implausible_time_is_refused_with_its_field() -> None:
    with pytest.raises(PayloadError) as missing:
        read_datadog_alert(b'{"id": "1"}', now=NOW)
    assert missing.value.field == "title"
    parsed = read_datadog_alert(json.dumps({**DATADOG_DEFAULT, "date": "99999999999999"}).encode(), now=NOW)
    assert [rejection.field for rejection in parsed.rejections] == ["date"]


EVENT = {
    "event_id": "e4874d664c3540c1a32eab185f12c5ab",
    "project": 1,
    "release": "shop@v42",
    "datetime": "2026-02-07T11:59:00.000000Z",
    "title": "ReferenceError: blooopy is not defined",
    "level": "error",
    "issue_id": "1117540176",
    "web_url": "https://sentry.io/organizations/acme/issues/1117540176/",
    "tags": [["environment", "production"]],
}


def test_a_sentry_issue_alert_contains_its_rule_its_service_and_its_issue() -> None:
    body = {"action": "triggered", "data": {"event": EVENT, "triggered_rule": "Very important alert"}}
    parsed = read_sentry_webhook(json.dumps(body).encode(), resource="event_alert", request_id="r", now=NOW)
    [record] = records(parsed)
    assert (record.service, record.severity, record.happened_at) == ("shop", "ERROR", NOW - 60)
    assert record.body == "Very important alert is firing: ReferenceError: blooopy is not defined"
    assert record.attributes["issue_id"] == "1117540176"


@pytest.mark.parametrize(
    ("action", "status", "severity"),
    [("critical", "firing", "ERROR"), ("warning", "firing", "WARN"), ("resolved", "resolved", "INFO")],
)
def test_a_sentry_metric_alert_fires_and_is_resolved(action: str, status: str, severity: str) -> None:
    body = {
        "action": action,
        "data": {
            "description_text": "1000 events in the last 10 minutes",
            "description_title": "Critical: Too many errors",
            "metric_alert": {
                "id": "4",
                "identifier": "4",
                "title": "Too many errors",
                "projects": ["shop"],
                "date_detected": "2026-02-07T11:59:00Z",
                "date_closed": "2026-02-07T11:59:30Z",
            },
        },
    }
    parsed = read_sentry_webhook(json.dumps(body).encode(), resource="metric_alert", request_id="r", now=NOW)
    [record] = records(parsed)
    assert (record.service, record.severity, record.attributes["status"]) == ("shop", severity, status)
    assert record.happened_at == (NOW - 30 if action == "resolved" else NOW - 60)


def test_a_sentry_issue_is_firing_while_it_is_open() -> None:
    issue = {"id": "1", "title": "boom", "level": "error", "firstSeen": "2026-02-07T11:59:00Z",
             "lastSeen": "2026-02-07T11:59:30Z", "project": {"slug": "shop"}}  # fmt: skip

    def status(action: str) -> list[Any]:
        body = json.dumps({"action": action, "data": {"issue": issue}}).encode()
        parsed = read_sentry_webhook(body, resource="issue", request_id="r", now=NOW)
        return [record.attributes["status"] for record in records(parsed)]

    assert (status("created"), status("resolved"), status("assigned")) == (["firing"], ["resolved"], [])


def test_other_sentry_resources_contain_no_alert_and_a_missing_part_is_reported() -> None:
    assert read_sentry_webhook(b'{"data": {}}', resource="installation", request_id=None, now=NOW).records == []
    parsed = read_sentry_webhook(b'{"data": {}}', resource="event_alert", request_id=None, now=NOW)
    assert [rejection.field for rejection in parsed.rejections] == ["data.event"]
    with pytest.raises(PayloadError):
        read_sentry_webhook(b'{"data": 7}', resource="event_alert", request_id=None, now=NOW)


def test_an_alert_keeps_its_identity_over_all_its_firings() -> None:
    again = alert(status="resolved", startsAt="2026-02-07T11:59:00Z", endsAt="2026-02-07T11:59:30Z")
    first, last = changes(read_alertmanager(notification(alert(), again), now=NOW))
    assert first is not None
    assert last is not None
    assert first.identity == last.identity
    assert (first.is_firing, last.is_firing) == (True, False)
    assert (first.name, first.service, first.severity) == ("HighErrorRate", "shop", "warning")
    assert (first.summary, first.url) == ("5 % of requests fail", "http://prometheus.example/graph")
    assert first.together == '{}:{alertname="HighErrorRate"}'


def test_a_datadog_alert_has_the_same_identity_when_it_is_resolved_in_both_payloads() -> None:
    def change(body: dict[str, Any]) -> AlertChange:
        [found] = changes(read_datadog_alert(json.dumps(body).encode(), now=NOW))
        assert found is not None
        return found

    short = {**DATADOG_DEFAULT, "title": "[Recovered on {service:shop}] Too many errors"}
    assert change(DATADOG_DEFAULT).identity == change(short).identity
    assert (change(DATADOG_DEFAULT).is_firing, change(short).is_firing) == (True, False)
    full = {"id": "1", "alert_id": "42", "alert_scope": "host:a", "title": "Errors", "alert_transition": "Triggered"}
    over = {**full, "id": "2", "alert_transition": "Recovered"}
    assert change(full).identity == change(over).identity != change({**full, "alert_scope": "host:b"}).identity


def test_closing_a_sentry_issue_resolves_its_alerts_and_a_new_issue_is_not_an_alert() -> None:
    def change(resource: str, action: str, data: dict[str, Any]) -> AlertChange | None:
        body = json.dumps({"action": action, "data": data}).encode()
        [found] = changes(read_sentry_webhook(body, resource=resource, request_id="r", now=NOW))
        return found

    issue = {"id": EVENT["issue_id"], "title": "boom", "lastSeen": "2026-02-07T11:59:30Z"}
    fired = change("event_alert", "triggered", {"event": EVENT, "triggered_rule": "rule"})
    over = change("issue", "resolved", {"issue": issue})
    assert fired is not None
    assert over is not None
    assert (fired.identity, fired.is_firing, over.is_firing) == (over.identity, True, False)
    assert fired.quiet_after_seconds == 3600
    assert change("issue", "created", {"issue": issue}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("93.4", 93.4),
        ("9.34e+01", 93.4),
        (" 93.4 % ", 0.934),
        ("high", None),
        ("", None),
        ("NaN", None),
        ("+Inf", None),
    ],
)
def test_a_number_is_parsed_in_the_forms_that_templates_write(text: str, expected: float | None) -> None:
    assert parse_number(text) == (None if expected is None else pytest.approx(expected))


def test_the_numbers_of_an_alert_become_points_of_a_metric_with_its_name() -> None:
    fired = alert(annotations={"value": "0.97"})
    [point] = [
        point for one in read_alertmanager(notification(fired), now=NOW).records for point in to_points(one, now=NOW)
    ]
    assert (point.name, point.service, point.value, point.happened_at) == ("HighErrorRate", "shop", 0.97, NOW)
    from_grafana = read_alertmanager(notification(alert(values={"B": 22.5, "C": 1})), now=NOW).records[0]
    assert [(one.attributes, one.value) for one in to_points(from_grafana, now=NOW)] == [
        ({"value": "B"}, 22.5),
        ({"value": "C"}, 1.0),
    ]


def test_the_points_of_a_repeated_alert_have_the_same_ids() -> None:
    fired = alert(labels={"alertname": "Disk", "value": "91 %"}, annotations={})
    once, twice = (
        to_points(read_alertmanager(notification(fired), now=at).records[0], now=at) for at in (NOW, NOW + 5)
    )
    assert [point.point_id for point in once] == [point.point_id for point in twice] != []
