"""The picture on an incident's message: the leading metric over time, with normal, onset, deploys and fix marked."""

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
from workers.telling.root_card import CLOSED
from workers.watching.catalogue import watch_of
from workers.words.findings import METRIC_NAMES, finding_sentence, leading, subject_text

log = structlog.get_logger()

LEAD_SECONDS = 900.0
"""How much of the time before the onset is shown."""


def incident_picture(
    services: Services, view: IncidentView, content: dict[str, Any]
) -> tuple[CardPicture | None, dict[str, Any]]:
    """The chart for where the incident stands; drawn anew when it opens, is diagnosed and is closed.

    content: what the root message remembers of the last picture; returned as it should be remembered now.
    """
    if not _drawable(view):
        return None, content
    phase = _phase(view)
    if content.get("phase") != phase:
        content = _drawn(services, view, phase) or content
    if "reference" not in content:
        return None, content
    return CardPicture(content["reference"], content["alt_text"]), content


def _drawable(view: IncidentView) -> list[Finding]:
    """Findings that have a curve; whether an alert fires is none."""
    return [one for one in view.findings if one.metric is not Metric.ALERT]


def _drawn(services: Services, view: IncidentView, phase: str) -> dict[str, Any] | None:
    """Draw and upload; None where that fails: an alert never waits for its picture, the next edit brings it."""
    finding = leading(_drawable(view))
    alt_text = finding_sentence(finding)
    try:
        png = render_png(chart_spec(_chart(services, view, finding)))
        reference = services.chat.upload_picture(png, filename=f"incident-{view.incident.id}.png", alt_text=alt_text)
    except IntegrationError as error:
        log.warning("no_picture", incident_id=view.incident.id, error=str(error))
        return None
    return {"phase": phase, "reference": reference, "alt_text": alt_text}


def _phase(view: IncidentView) -> str:
    if view.incident.status in CLOSED:
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
    """What was to be expected; of a forecast, the limit."""
    if isinstance(finding.details, ForecastDetails):
        return BandPoint(at, finding.expected, finding.expected, finding.expected)
    return BandPoint(at, finding.expected_low, finding.expected, finding.expected_high)


def _deploys(services: Services, finding: Finding, since: float, until: float) -> tuple[Marker, ...]:
    with services.readers() as session:
        rows = deploys.deploys_between(
            session, finding.subject.service, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
        )
        return tuple(Marker(row.deployed_at.timestamp(), f"deploy {row.commit_sha[:7]}") for row in rows)
