"""The chart on an incident's message: the leading metric over time, with normal band, onset, deploys and fix."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog

from detection.types import Finding, ForecastDetails, Metric
from integrations.cards import CardPicture
from integrations.charts import BandPoint, Chart, Marker, chart_spec, render_png
from integrations.errors import IntegrationError
from storage import deploys
from workers.services import Services
from workers.telling.incident_view import IncidentView
from workers.watching.catalogue import watch_of
from workers.words.findings import METRIC_NAMES, finding_sentence, leading, subject_text

log = structlog.get_logger()

LEAD_SECONDS = 900.0
"""How much time before the onset the chart shows."""


def incident_picture(
    services: Services, view: IncidentView, content: dict[str, Any]
) -> tuple[CardPicture | None, dict[str, Any]]:
    """Return the incident's chart and the content to store; redraw it when the incident opens, is diagnosed, is closed.

    content: the root delivery's stored content, with the reference of the last picture. (None, content) without one.
    """
    if not _drawable_findings(view):
        return None, content
    phase = _phase(view)
    if content.get("phase") != phase:
        content = _draw(services, view, phase) or content
    if "reference" not in content:
        return None, content
    return CardPicture(content["reference"], content["alt_text"]), content


def _drawable_findings(view: IncidentView) -> list[Finding]:
    """Return the findings that can be drawn as a curve: all but alerts."""
    return [one for one in view.findings if one.metric is not Metric.ALERT]


def _draw(services: Services, view: IncidentView, phase: str) -> dict[str, Any] | None:
    """Draw and upload the chart. Return None on failure: the message is sent without it, and the next edit retries."""
    finding = leading(_drawable_findings(view))
    alt_text = finding_sentence(finding)
    try:
        png = render_png(chart_spec(_chart(services, view, finding)))
        reference = services.chat.upload_picture(png, filename=f"incident-{view.incident.id}.png", alt_text=alt_text)
    except IntegrationError as error:
        log.warning("no_picture", incident_id=view.incident.id, error=str(error))
        return None
    return {"phase": phase, "reference": reference, "alt_text": alt_text}


def _phase(view: IncidentView) -> str:
    if view.incident.status.is_closed:
        return "closed"
    if view.diagnosis is not None and view.diagnosis.finished_at is not None:
        return "diagnosed"
    return "opened"


def _chart(services: Services, view: IncidentView, finding: Finding) -> Chart:
    watch = watch_of(finding.metric)
    has_limit = isinstance(finding.details, ForecastDetails)
    since = min(finding.onset_at - LEAD_SECONDS, finding.window_start if has_limit else finding.onset_at)
    until = (view.incident.closed_at or services.clock()).timestamp()
    live_at = view.verification.live_at if view.verification is not None else None
    return Chart(
        title=f"{subject_text(finding)}: {METRIC_NAMES[finding.metric]}",
        metric=finding.metric,
        points=watch.points(services, finding, since, until),
        band=tuple(_band_point(finding, at) for at in (since, until)),
        onset_at=None if has_limit else finding.onset_at,
        subtitle="line: measured · dashed: its limit" if has_limit else "",
        deploys=_deploys(services, finding, since, until),
        fix_live_at=live_at.timestamp() if live_at is not None else None,
        timezone=services.settings.argux_timezone,
    )


def _band_point(finding: Finding, at: float) -> BandPoint:
    """Return the expected range at a time; for a forecast, the limit."""
    if isinstance(finding.details, ForecastDetails):
        return BandPoint(at, finding.expected, finding.expected, finding.expected)
    return BandPoint(at, finding.expected_low, finding.expected, finding.expected_high)


def _deploys(services: Services, finding: Finding, since: float, until: float) -> tuple[Marker, ...]:
    with services.readers() as session:
        rows = deploys.deploys_between(
            session, finding.subject.service, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
        )
        return tuple(Marker(row.deployed_at.timestamp(), f"deploy {row.commit_sha[:7]}") for row in rows)
