"""Read the webhooks that Sentry posts when an alert rule fires or a Sentry issue changes.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert
from integrations.inbound.monitoring.log_fields import clipped, decoded_json, field, short_text, time_of
from integrations.inbound.monitoring.sentry_envelopes import service_of
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection

_RESOLVED_ACTIONS = ("resolved", "ignored", "archived")
ISSUE_ALERT_SECONDS = 3600.0
"""How long an issue alert counts as firing: Sentry reports that a rule was triggered, but never that it ended."""

_FIRING_ACTIONS = ("created", "unresolved", "triggered")


def read_sentry_webhook(text: bytes, *, resource: str, request_id: str | None, now: float) -> Parsed[Alert]:
    """Read the alert of one webhook. `resource` is its Sentry-Hook-Resource header. Other resources have no alert.

    Raises PayloadError.
    """
    body: dict[str, object] = decoded_json(text, dict)
    data = body.get("data")
    if not isinstance(data, Mapping):
        raise PayloadError("must be an object", "data")
    action = str(body.get("action") or "")
    try:
        if resource == "event_alert":
            alert = _issue_alert(_require_part(data, "event"), data, now)
        elif resource == "metric_alert":
            alert = _metric_alert(_require_part(data, "metric_alert"), data, action, request_id, now)
        elif resource == "issue" and action in (*_RESOLVED_ACTIONS, *_FIRING_ACTIONS):
            alert = _issue(_require_part(data, "issue"), action, request_id, now)
        else:
            return Parsed()
    except FieldError as error:
        return Parsed(rejections=[Rejection(0, f"data.{error.field}", error.message)])
    return Parsed([alert])


def _require_part(data: Mapping[str, object], name: str) -> Mapping[str, object]:
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
        name=short_text(data, "triggered_rule") or short_text(event, "title") or "Sentry alert",
        status=FIRING,
        key=f"{field(event, 'event_id') or repr(now if at is None else at)}:{field(data, 'triggered_rule') or ''}",
        happened_at=now if at is None else at,
        service=service,
        summary=clipped(field(event, "title", "message", "culprit") or ""),
        level=short_text(event, "level"),
        details={
            "issue_id": short_text(event, "issue_id"),
            "url": short_text(event, "web_url"),
            "environment": short_text(event, "environment"),
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
        name=short_text(found, "alert_rule.name", "title")
        or short_text(data, "description_title")
        or "Sentry metric alert",
        status=RESOLVED if action == "resolved" else FIRING,
        key=f"metric:{identifier}:{action}:{repr(at) if at is not None else request_id or repr(now)}",
        happened_at=now if at is None else at,
        service=_first_project(found),
        summary=clipped(field(data, "description_text", "description_title") or ""),
        level="warning" if action == "warning" else "error",
        details={"url": short_text(data, "web_url"), "action": clipped(action, 50)},
        identity=f"metric:{identifier}",
    )


def _first_project(found: Mapping[str, object]) -> str | None:
    projects = found.get("projects")
    return clipped(projects[0], 200) if isinstance(projects, list) and projects else None


def _issue(issue: Mapping[str, object], action: str, request_id: str | None, now: float) -> Alert:
    """Read a change of a Sentry issue. A closed issue resolves its alerts.

    A new issue has no identity, because it is an alert only if a rule of the team says so.
    """
    at = time_of(issue, "firstSeen" if action == "created" else "lastSeen", now=now)
    return Alert(
        source="sentry",
        name=short_text(issue, "title") or "Sentry issue",
        status=RESOLVED if action in _RESOLVED_ACTIONS else FIRING,
        key=f"issue:{field(issue, 'id')}:{action}:{request_id or repr(now if at is None else at)}",
        happened_at=now if at is None else at,
        service=short_text(issue, "project.slug"),
        summary=clipped(field(issue, "culprit") or ""),
        level=short_text(issue, "level"),
        details={"issue_id": short_text(issue, "id"), "url": short_text(issue, "web_url", "permalink")},
        identity=_issue_identity(field(issue, "id")) if action in _RESOLVED_ACTIONS else None,
    )
