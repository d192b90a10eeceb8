"""The chart on an incident's message: the leading metric over time, with normal band, onset, deploys and fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from detection.types import Finding, ForecastDetails, Metric
from integrations.cards import CardPicture
from integrations.charts import BandPoint, Chart, chart_spec, render_png
from storage import deliveries
from workers.errors import NotYetError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.chart_deploys import marked_deploys
from workers.telling.enqueue import enqueue_refresh
from workers.telling.incident_view import IncidentView, incident_view
from workers.watching.catalogue import watch_of
from workers.words.findings import METRIC_NAMES, finding_sentence, leading, subject_text

log = structlog.get_logger()

LEAD_SECONDS = 900.0
"""How much time before the onset the chart shows."""


TRY_AGAIN_SECONDS = 60.0
GIVEN_UP_SECONDS = 3600.0
"""How long a chart that cannot be drawn or uploaded is tried again."""


def current_picture(content: Mapping[str, Any]) -> CardPicture | None:
    """Return the last picture that was uploaded, from the root delivery's stored content."""
    if "reference" not in content:
        return None
    return CardPicture(content["reference"], content["alt_text"])


def wanted_phase(view: IncidentView, content: Mapping[str, Any]) -> str | None:
    """Return the phase of the incident that is to be drawn; None when the picture shows it, or nothing can be drawn."""
    phase = _phase(view)
    return phase if _drawable_findings(view) and content.get("phase") != phase else None


def draw_picture(services: Services, incident_id: int, phase: str, since: float) -> None:
    """Draw and upload the incident's chart, store its reference, and have the message edited to show it.

    The message never waits for its chart. A chart that fails is tried again each minute for an hour after `since`
    (seconds, UTC).
    """
    with one_at_a_time(services, f"picture:{incident_id}"):
        with services.readers() as session:
            view = incident_view(session, incident_id)
            root = deliveries.root_delivery(session, incident_id)
            if root is None or wanted_phase(view, root.content) != phase:
                return
            root_id = root.id
        try:
            drawn = _draw(services, view, phase)
        except Exception as error:
            # Whatever is wrong with a chart, it must not become a stuck job that a person has to look at.
            log.warning("no_picture", incident_id=incident_id, error=str(error), error_type=type(error).__name__)
            if services.clock().timestamp() - since > GIVEN_UP_SECONDS:
                return
            raise NotYetError(f"no chart: {error}", after_seconds=TRY_AGAIN_SECONDS) from error
        now = services.clock()
        with services.sessions.begin() as session:
            root = deliveries.get_delivery(session, root_id)
            root.content = {**root.content, **drawn}
            enqueue_refresh(session, incident_id, key=f"picture:{incident_id}:{phase}:{drawn['reference']}", now=now)


def _drawable_findings(view: IncidentView) -> list[Finding]:
    """Return the findings that can be drawn as a curve: all but alerts."""
    return [one for one in view.findings if one.metric is not Metric.ALERT]


def _draw(services: Services, view: IncidentView, phase: str) -> dict[str, Any]:
    """Draw and upload the chart; return what the root delivery stores of it."""
    finding = leading(_drawable_findings(view))
    alt_text = finding_sentence(finding)
    png = render_png(chart_spec(_chart(services, view, finding)))
    reference = services.chat.upload_picture(png, filename=f"incident-{view.incident.id}.png", alt_text=alt_text)
    return {"phase": phase, "reference": reference, "alt_text": alt_text, "picture_tries": 0}


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
    with services.readers() as session:
        deploys = marked_deploys(session, view.incident.id, finding, since, until)
    live_at = view.verification.live_at if view.verification is not None else None
    return Chart(
        title=f"{subject_text(finding)}: {METRIC_NAMES[finding.metric]}",
        metric=finding.metric,
        points=watch.points(services, finding, since, until),
        band=tuple(_band_point(finding, at) for at in (since, until)),
        onset_at=None if has_limit else finding.onset_at,
        subtitle="line: measured · dashed: its limit" if has_limit else "",
        deploys=deploys,
        fix_live_at=live_at.timestamp() if live_at is not None else None,
        timezone=services.settings.argux_timezone,
    )


def _band_point(finding: Finding, at: float) -> BandPoint:
    """Return the expected range at a time; for a forecast, the limit."""
    if isinstance(finding.details, ForecastDetails):
        return BandPoint(at, finding.expected, finding.expected, finding.expected)
    return BandPoint(at, finding.expected_low, finding.expected, finding.expected_high)
