"""Where each door is, and how its senders say which service a record is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

NOWHERE = "nowhere"
"""The door of what is sent to an address where there is none."""

_COLLECTOR = "an OpenTelemetry collector can take it and send it on to /v1"
FOREIGN: Mapping[str, str] = {
    "/services/collector": "Splunk's HTTP Event Collector is not spoken here: Fluent Bit, Vector and the OpenTelemetry "
    "collector can send the same to /_bulk or /v1/logs",
    "/api/v1/write": f"Prometheus' remote write is not spoken here: {_COLLECTOR}/metrics",
    "/api/v1/push": f"Prometheus' remote write is not spoken here: {_COLLECTOR}/metrics",
    "/api/v2/alerts": "this is Alertmanager's own address: let an Alertmanager send to its webhook, "
    "/alertmanager/webhook",
    "/api/v1/alerts": "this is Alertmanager's own address: let an Alertmanager send to its webhook, "
    "/alertmanager/webhook",
    "/alertmanager": "Alertmanager's and Grafana's webhook is /alertmanager/webhook",
    "/api/v2/series": f"of Datadog logs and monitors are taken, not metrics: {_COLLECTOR}/metrics",
    "/api/v1/series": f"of Datadog logs and monitors are taken, not metrics: {_COLLECTOR}/metrics",
    "/api/v0.2/traces": f"of Datadog logs and monitors are taken, not traces: {_COLLECTOR}/traces",
    "/v0.4/traces": f"of Datadog logs and monitors are taken, not traces: {_COLLECTOR}/traces",
    "/api/v2/spans": f"Zipkin's spans are not taken: {_COLLECTOR}/traces",
    "/api/v1/spans": f"Zipkin's spans are not taken: {_COLLECTOR}/traces",
    "/api/traces": f"Jaeger's spans are not taken: {_COLLECTOR}/traces",
    "/gelf": "Graylog's format is not spoken here: send JSON lines to /_bulk, or syslog to SYSLOG_PORT",
    "/logplex": "Heroku's HTTPS drain is not spoken here: add a syslog drain, syslog://YOUR-ADDRESS:SYSLOG_PORT",
    "/v2/enqueue": "PagerDuty's events are not taken: let the monitor send to /alertmanager/webhook or "
    "/datadog/webhook, or post an event to /api/events",
    "/write": "InfluxDB's lines are not taken: Telegraf's output `opentelemetry` sends to /v1/metrics",
    "/api/v2/write": "InfluxDB's lines are not taken: Telegraf's output `opentelemetry` sends to /v1/metrics",
    "/v1/pixel": "Segment's pixel is not taken: send the same by POST to /v1/track",
}
"""Addresses of other systems, by how they begin, and what to do instead."""

_FOREIGN_ENDS: Mapping[str, str] = {
    "/store": "Sentry's old address is not served: SDKs since 2021 send to /api/1/envelope/, so update the SDK",
    "/minidump": "minidumps are not taken; of Sentry's SDKs errors, messages and logs are",
    "/security": "browsers' security reports are not taken; of Sentry's SDKs errors, messages and logs are",
    "/_doc": "single documents are not taken: send them to /_bulk, each with an action on the line before it",
    "/_create": "single documents are not taken: send them to /_bulk, each with an action on the line before it",
}

_CLOSE = 0.8
"""How alike two addresses are of which one is meant for the other."""

_LONGEST = 80
"""No address of ours is nearly as long, and comparing takes time."""

_OTLP = "set OTEL_SERVICE_NAME, or the resource attribute service.name"
_ALERT = "give the alert a label or tag `service`"


@dataclass(frozen=True, slots=True)
class DoorWords:
    """path: the door's address. naming: how a sender names the service, empty where its records have none.

    needs_key: whether a sender is known by a key of ours; otherwise by a signature or by its network.
    """

    path: str
    naming: str = ""
    needs_key: bool = True


DOORS: Mapping[str, DoorWords] = {
    "events": DoorWords("/api/events"),
    "deploys": DoorWords("/api/deploys"),
    "posthog": DoorWords("/batch", "give the exception a property `service`"),
    "segment": DoorWords("/v1/batch"),
    "amplitude": DoorWords("/2/httpapi"),
    "mixpanel": DoorWords("/track"),
    "otlp_traces": DoorWords("/v1/traces", _OTLP),
    "otlp_logs": DoorWords("/v1/logs", _OTLP),
    "otlp_metrics": DoorWords("/v1/metrics", _OTLP),
    "datadog_logs": DoorWords("/api/v2/logs", "set `service` on the log, or DD_SERVICE where it is written"),
    "datadog_webhook": DoorWords("/datadog/webhook", "add the tag `service:` to the monitor"),
    "alertmanager": DoorWords("/alertmanager/webhook", _ALERT),
    "loki": DoorWords("/loki/api/v1/push", "add the label `service_name`"),
    "sentry": DoorWords("/api/1/envelope/", "set the tag `service`, or a release such as shop@1.2"),
    "sentry_webhook": DoorWords("/sentry/webhook", _ALERT, needs_key=False),
    "cloudwatch_logs": DoorWords("/aws/logs", "name the log group after the service"),
    "firehose": DoorWords("/aws/firehose", "give the delivery stream the parameter `service`"),
    "sns": DoorWords("/aws/sns", "give the alarm a dimension or tag `service`", needs_key=False),
    "elasticsearch": DoorWords("/_bulk", "give the document the field `service.name`"),
    "github": DoorWords("/github/webhooks", needs_key=False),
    "flags": DoorWords("/api/flags"),
    "launchdarkly": DoorWords("/launchdarkly/webhook", needs_key=False),
    "unleash": DoorWords("/unleash/webhook"),
    "flagsmith": DoorWords("/flagsmith/webhook", needs_key=False),
    "commits": DoorWords("/api/commits"),
    "kubernetes": DoorWords("/api/events/kubernetes"),
    "service_map": DoorWords("/api/service-map"),
    "status_feeds": DoorWords("/api/status-feeds"),
    "syslog": DoorWords("SYSLOG_PORT", "set the program's name, such as `logger --tag shop`", needs_key=False),
    NOWHERE: DoorWords("an address without a door", needs_key=False),
    "tail": DoorWords("argux tail", "use `--service NAME`", needs_key=False),
}


def door_words(door: str) -> DoorWords:
    """Return the words about a door; of one that is not known, its name alone."""
    return DOORS.get(door, DoorWords(door))


def meant_door(path: str) -> str | None:
    """Return the address that a sender probably means with one where there is nothing; None if there is no telling.

    Such as /v1/traces for /v1/trace, and for an address with something before it or with itself twice.
    """
    path = path.rstrip("/")
    if len(path) > _LONGEST:
        return None
    addresses = [words.path for words in DOORS.values() if words.path.startswith("/")]
    ends = [address for address in addresses if path.endswith(address.rstrip("/"))]
    if ends:
        return max(ends, key=len)
    return next(iter(get_close_matches(path, addresses, n=1, cutoff=_CLOSE)), None)


def foreign_door(path: str) -> str | None:
    """Say what to do instead at an address that another system has, or return None."""
    path = path.rstrip("/")
    within = (words for begin, words in FOREIGN.items() if path == begin or path.startswith(f"{begin}/"))
    return next(within, None) or next((words for end, words in _FOREIGN_ENDS.items() if path.endswith(end)), None)
