"""Webhooks of monitors in which a field is null, missing or of another type: never an error of ours, seldom a loss."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from detection.types import LogRecord
from integrations.inbound.monitoring import sns
from integrations.inbound.monitoring.alertmanager import read_alertmanager
from integrations.inbound.monitoring.alerts import Alert, to_change, to_points, to_record
from integrations.inbound.monitoring.cloudwatch import read_subscription
from integrations.inbound.monitoring.datadog import read_datadog_alert, read_datadog_logs
from integrations.inbound.monitoring.sentry_envelopes import read_envelope
from integrations.inbound.monitoring.sentry_webhooks import read_sentry_webhook
from integrations.inbound.reading.records import Parsed, PayloadError

NOW = 1_770_465_600.0
MISSING = object()
OTHERS: tuple[Any, ...] = (None, MISSING, 7, -1.5, True, "", "x", [], [None], {}, {"a": None}, 10**400)


def sentry(resource: str) -> Callable[[bytes], Parsed[Any]]:
    return lambda body: read_sentry_webhook(body, resource=resource, request_id=None, now=NOW)


def alarm(body: bytes) -> Parsed[Any]:
    message = sns.Message("Notification", "m1", "arn:x", body.decode(), "2026-02-07T11:59:00Z", "1", "s", "https://c")
    return sns.read_notification(message, now=NOW)


def subscription(body: bytes) -> Parsed[Any]:
    import base64

    packed = {"awslogs": {"data": base64.b64encode(body).decode()}}
    return read_subscription(json.dumps(packed).encode(), now=NOW, max_decoded_bytes=10**6)


def envelope(body: bytes) -> Parsed[Any]:
    return read_envelope(b'{}\n{"type":"event"}\n' + body, project="1", now=NOW).parsed


@dataclass(frozen=True)
class Sample:
    """A whole payload. needed: the paths without which there is no alert."""

    read: Callable[[bytes], Parsed[Any]]
    body: dict[str, Any]
    needed: frozenset[str]


GRAFANA = {
    "receiver": "argux", "status": "firing", "orgId": 1, "groupKey": "{}:{}", "truncatedAlerts": 0, "version": "1",
    "groupLabels": {}, "commonLabels": {"a": "b"}, "commonAnnotations": {}, "externalURL": "http://grafana/",
    "title": "[FIRING:1]", "state": "alerting", "message": "x",
    "alerts": [
        {
            "status": "firing", "labels": {"alertname": "Slow", "grafana_folder": "f", "service": "shop"},
            "annotations": {"summary": "slow", "value": "3"}, "startsAt": "2026-02-07T11:58:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://grafana/a", "fingerprint": "f1",
            "silenceURL": "http://grafana/s", "dashboardURL": "", "panelURL": "", "valueString": "[ var='B' ]",
            "values": {"B": 22.5, "C": 1},
        },
    ],
}  # fmt: skip
SAMPLES = {
    "Grafana": Sample(
        lambda body: read_alertmanager(body, now=NOW), GRAFANA,
        frozenset({"alerts", "alerts.0", "alerts.0.labels", "alerts.0.labels.alertname"}),
    ),
    "Datadog": Sample(
        lambda body: read_datadog_alert(body, now=NOW),
        {
            "id": "1", "alert_id": "2", "title": "[Triggered on {host:a}] CPU", "alert_transition": "Triggered",
            "alert_status": "cpu is high", "alert_scope": "host:a", "tags": "service:shop,env:prod",
            "date": "1770465540000", "last_updated": 1770465540000, "link": "http://dd", "body": "x",
            "event_type": "metric_alert_monitor", "org": {"id": "1", "name": "o"}, "alert_type": "error",
        },
        frozenset({"title"}),
    ),
    "Datadog's logs": Sample(
        lambda body: read_datadog_logs(body, now=NOW),
        {"message": "x", "ddsource": "java", "ddtags": "env:prod", "hostname": "h", "service": "shop", "status": "info",
         "timestamp": 1770465540000, "trace_id": "1"},
        frozenset({"message"}),
    ),
    "Sentry's issue alert": Sample(
        sentry("event_alert"),
        {"action": "triggered", "data": {"triggered_rule": "r", "event": {
            "event_id": "e", "project": 1, "release": "shop@1", "tags": [["service", "shop"], ["a", "b"]],
            "datetime": "2026-02-07T11:59:00Z", "title": "t", "level": "error", "issue_id": "7", "web_url": "u",
            "culprit": "c", "environment": "prod"}}},
        frozenset({"data", "data.event"}),
    ),
    "Sentry's metric alert": Sample(
        sentry("metric_alert"),
        {"action": "critical", "data": {"description_text": "d", "description_title": "t", "web_url": "u",
         "metric_alert": {"id": "1", "identifier": "2", "alert_rule": {"name": "n"}, "projects": ["shop"],
         "date_started": "2026-02-07T11:58:00Z", "date_detected": "2026-02-07T11:59:00Z", "title": "x"}}},
        frozenset({"data", "data.metric_alert"}),
    ),
    "Sentry's issue": Sample(
        sentry("issue"),
        {"action": "created", "data": {"issue": {"id": "1", "title": "t", "culprit": "c", "level": "error",
         "project": {"slug": "shop"}, "firstSeen": "2026-02-07T11:58:00Z", "lastSeen": "2026-02-07T11:59:00Z",
         "web_url": "u", "permalink": None}}},
        frozenset({"action", "data", "data.issue"}),
    ),
    "Sentry's SDKs": Sample(
        envelope,
        {"event_id": "e", "timestamp": 1770465540.5, "level": "error", "release": "shop@1", "tags": {"service": "shop"},
         "exception": {"values": [{"type": "T", "value": "v", "stacktrace": {"frames": [
             {"filename": "f", "lineno": 1, "function": "g"}]}}]}, "user": {"id": "1"},
         "contexts": {"trace": {"trace_id": "t"}}, "message": "m", "logentry": {"formatted": "x"}},
        frozenset(),
    ),
    "CloudWatch's alarm": Sample(
        alarm,
        {"AlarmName": "hot", "AlarmArn": "arn:1", "AlarmDescription": "d", "AWSAccountId": "1", "Region": "eu",
         "NewStateValue": "ALARM", "NewStateReason": "r", "OldStateValue": "OK",
         "StateChangeTime": "2026-02-07T11:59:00.000+0000", "OKActions": [], "AlarmActions": ["a"],
         "Trigger": {"MetricName": "CPU", "Dimensions": [{"name": "FunctionName", "value": "shop"}]}},
        frozenset(),
    ),
    "CloudWatch's logs": Sample(
        subscription,
        {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/aws/lambda/shop", "logStream": "s",
         "subscriptionFilters": ["f"], "policyLevel": "ACCOUNT",
         "logEvents": [{"id": "1", "timestamp": 1770465540000, "message": "x"}]},
        frozenset({"messageType", "logEvents", "logEvents.0", "logEvents.0.message"}),
    ),
}  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, found in inner:
        yield (*path, name)
        yield from paths(found, (*path, name))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> bytes:
    found = copy.deepcopy(body)
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(found).encode()


def stored(parsed: Parsed[Any]) -> int:
    """Convert everything as the door does, and return how many records there are."""
    for found in parsed.records:
        if isinstance(found, Alert):
            msgspec.json.encode([to_change(found), to_points(found, now=NOW), to_record(found)])
        else:
            assert isinstance(found, LogRecord)
            msgspec.json.encode(found)
    return len(parsed.records)


def read(sample: Sample, path: tuple[Any, ...], value: Any) -> tuple[int, list[str]]:
    """Return how many records the changed payload gives, and what is said of the refused ones."""
    try:
        parsed = sample.read(changed(sample.body, path, value))
    except PayloadError as error:
        return 0, [str(error)]
    return stored(parsed), [rejection.message for rejection in parsed.rejections]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_field_of_another_type_breaks_no_reader_and_a_refusal_has_a_reason(name: str) -> None:
    sample = SAMPLES[name]
    for path in paths(sample.body):
        for value in OTHERS:
            count, refusals = read(sample, path, value)
            assert count + len(refusals) <= 1, path
            assert all(refusals), path


@pytest.mark.parametrize("name", SAMPLES)
def test_a_null_or_missing_field_that_is_not_needed_loses_nothing(name: str) -> None:
    sample = SAMPLES[name]
    for path in paths(sample.body):
        for value in (None, MISSING):
            count, refusals = read(sample, path, value)
            assert count or ".".join(map(str, path)) in sample.needed, (path, refusals)


@pytest.mark.parametrize("values", [None, {"B": None, "C": 2}, [], "x", {"B": "NaN"}, {"B": True}])
def test_grafana_without_values_still_alerts(values: Any) -> None:
    body = changed(GRAFANA, ("alerts", 0, "values"), values)
    [alert] = read_alertmanager(body, now=NOW).records
    assert (alert.name, alert.service) == ("Slow", "shop")
    assert alert.values == ({"C": 2.0, "value": 3.0} if isinstance(values, dict) and "C" in values else {"value": 3.0})


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 more alert of this group was left out by the sender (max_alerts); slow"),
        (1411, "1,411 more alerts of this group were left out by the sender (max_alerts); slow"),
        (0, "slow"),
        (None, "slow"),
        ("7", "slow"),
    ],
)
def test_what_the_sender_left_out_is_said_first(count: Any, said: str) -> None:
    [alert] = read_alertmanager(changed(GRAFANA, ("truncatedAlerts",), count), now=NOW).records
    assert alert.summary == said
