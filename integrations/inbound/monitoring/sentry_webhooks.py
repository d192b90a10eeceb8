"""What Sentry itself posts when an alert rule fires or an issue changes.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert
from integrations.inbound.monitoring.log_fields import clipped, decoded_json, field, name_of, time_of
from integrations.inbound.monitoring.sentry_envelopes import service_of
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection

_OVER = ("resolved", "ignored", "archived")
ISSUE_ALERT_SECONDS = 3600.0
"""Sentry tells that an issue's rule was triggered, and never that it is not any more."""

_FIRING = ("created", "unresolved", "triggered")


def read_sentry_webhook(text: bytes, *, resource: str, request_id: str | None, now: float) -> Parsed[Alert]:
    """The alert of one webhook; `resource` is its Sentry-Hook-Resource header. Other resources hold none.

    Raises PayloadError.
    """
    body: dict[str, object] = decoded_json(text, dict)
    data = body.get("data")
    if not isinstance(data, Mapping):
        raise PayloadError("must be an object", "data")
    action = str(body.get("action") or "")
    try:
        if resource == "event_alert":
            alert = _issue_alert(_within(data, "event"), data, now)
        elif resource == "metric_alert":
            alert = _metric_alert(_within(data, "metric_alert"), data, action, request_id, now)
        elif resource == "issue" and action in (*_OVER, *_FIRING):
            alert = _issue(_within(data, "issue"), action, request_id, now)
        else:
            return Parsed()
    except FieldError as error:
        return Parsed(rejections=[Rejection(0, f"data.{error.field}", error.message)])
    return Parsed([alert])


def _within(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = data.get(name)
    if not isinstance(found, Mapping):
        raise FieldError(name, "must be an object")
    return found


def _issue_alert(event: Mapping[str, object], data: Mapping[str, object], now: float) -> Alert:
    project = str(field(event, "project") or "0")
    service, version = service_of(event, project)
    at = time_of(event, "datetime", "timestamp", now=now)
    return Alert(
        source="sentry",
        name=name_of(data, "triggered_rule") or name_of(event, "title") or "Sentry alert",
        status=FIRING,
        key=f"{field(event, 'event_id') or repr(at)}:{field(data, 'triggered_rule') or ''}",
        happened_at=now if at is None else at,
        service=service,
        summary=clipped(field(event, "title", "message", "culprit") or ""),
        level=name_of(event, "level"),
        details={
            "issue_id": name_of(event, "issue_id"),
            "url": name_of(event, "web_url"),
            "environment": name_of(event, "environment"),
            "version": version,
        },
        identity=_issue_identity(field(event, "issue_id") or field(event, "title")),
        quiet_after_seconds=ISSUE_ALERT_SECONDS,
    )


def _issue_identity(issue: object) -> str:
    return f"issue:{issue}"


def _metric_alert(
    found: Mapping[str, object], data: Mapping[str, object], action: str, request_id: str | None, now: float
) -> Alert:
    names = ("date_closed", "date_detected") if action == "resolved" else ("date_detected", "date_started")
    at = time_of(found, *names, now=now)
    identifier = field(found, "identifier", "id")
    return Alert(
        source="sentry",
        name=name_of(found, "alert_rule.name", "title") or name_of(data, "description_title") or "Sentry metric alert",
        status=RESOLVED if action == "resolved" else FIRING,
        key=f"metric:{identifier}:{action}:{repr(at) if at is not None else request_id or repr(now)}",
        happened_at=now if at is None else at,
        service=_first_project(found),
        summary=clipped(field(data, "description_text", "description_title") or ""),
        level="warning" if action == "warning" else "error",
        details={"url": name_of(data, "web_url"), "action": clipped(action, 50)},
        identity=f"metric:{identifier}",
    )


def _first_project(found: Mapping[str, object]) -> str | None:
    projects = found.get("projects")
    return clipped(projects[0], 200) if isinstance(projects, list) and projects else None


def _issue(issue: Mapping[str, object], action: str, request_id: str | None, now: float) -> Alert:
    """An issue that is closed ends its alerts; a new one is no alert, unless a rule of the team's makes it one."""
    at = time_of(issue, "firstSeen" if action == "created" else "lastSeen", now=now)
    return Alert(
        source="sentry",
        name=name_of(issue, "title") or "Sentry issue",
        status=RESOLVED if action in _OVER else FIRING,
        key=f"issue:{field(issue, 'id')}:{action}:{request_id or repr(at)}",
        happened_at=now if at is None else at,
        service=name_of(issue, "project.slug"),
        summary=clipped(field(issue, "culprit") or ""),
        level=name_of(issue, "level"),
        details={"issue_id": name_of(issue, "id"), "url": name_of(issue, "web_url", "permalink")},
        identity=_issue_identity(field(issue, "id")) if action in _OVER else None,
    )
