"""The picture on an incident's message: the leading metric over time, with normal, onset, deploys and fix marked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import structlog

from detection.histograms import quantile
from detection.types import DELAY_EDGES_SECONDS, EndpointSeries, Finding, FunnelSeries, Metric
from integrations.cards import CardPicture
from integrations.charts import BandPoint, Chart, Marker, Point, chart_spec, render_png
from integrations.errors import IntegrationError
from storage import deploys
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, FINE_FUNNEL_SECONDS
from workers.describing import METRIC_NAMES, finding_sentence, leading
from workers.incident_cards import CLOSED
from workers.services import Services
from workers.views import IncidentView

log = structlog.get_logger()

LEAD_SECONDS = 900.0
"""How much of the time before the onset is shown."""

FEWEST = {Metric.LATENCY_P95: 5, Metric.QUERY_COUNT: 5, Metric.CONVERSION_RATE: 20}
"""Requests or entries from which a point says something; a stretch with fewer is a gap."""

STEP_SECONDS = {Metric.LATENCY_P95: 20.0, Metric.QUERY_COUNT: 20.0, Metric.CONVERSION_RATE: 30.0}
"""How long a stretch of time one point of the line stands for."""


def incident_picture(
    services: Services, view: IncidentView, content: dict[str, Any]
) -> tuple[CardPicture | None, dict[str, Any]]:
    """The chart for where the incident stands; drawn anew when it opens, is diagnosed and is closed.

    content: what the root message remembers of the last picture; returned as it should be remembered now.
    """
    if not view.findings or leading(view.findings).metric not in STEP_SECONDS:
        return None, content
    phase = _phase(view)
    if content.get("phase") != phase:
        content = _drawn(services, view, phase) or content
    if "reference" not in content:
        return None, content
    return CardPicture(content["reference"], content["alt_text"]), content


def _drawn(services: Services, view: IncidentView, phase: str) -> dict[str, Any] | None:
    """Draw and upload; None where that fails: an alert never waits for its picture, the next edit brings it."""
    finding = leading(view.findings)
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
    since = finding.onset_at - LEAD_SECONDS
    until = (view.incident.closed_at or services.clock()).timestamp()
    live_at = view.verification.live_at if view.verification is not None else None
    return Chart(
        title=f"{finding.subject.name}: {METRIC_NAMES[finding.metric]}",
        metric=finding.metric,
        points=_points(services, finding, since, until),
        band=tuple(
            BandPoint(at, finding.expected_low, finding.expected, finding.expected_high) for at in (since, until)
        ),
        onset_at=finding.onset_at,
        deploys=_deploys(services, finding, since, until),
        fix_live_at=live_at.timestamp() if live_at is not None else None,
        timezone=services.settings.argux_timezone,
    )


def _deploys(services: Services, finding: Finding, since: float, until: float) -> tuple[Marker, ...]:
    with services.readers() as session:
        rows = deploys.deploys_between(
            session, finding.subject.service, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
        )
        return tuple(Marker(row.deployed_at.timestamp(), f"deploy {row.commit_sha[:7]}") for row in rows)


def _points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """The metric over time; a stretch without data is a gap, never a zero."""
    step = STEP_SECONDS[finding.metric]
    edges = np.arange(np.floor(since / step) * step, until, step)
    if finding.metric is Metric.CONVERSION_RATE:
        return _conversion_points(services, finding, edges, step, until)
    found = services.telemetry.endpoint_series(since=since, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS)
    subject = finding.subject
    series = next((one for one in found if (one.service, one.endpoint) == (subject.service, subject.endpoint)), None)
    if series is None:
        return ()
    return tuple(Point(float(at) + step / 2, _endpoint_value(series, finding.metric, at, at + step)) for at in edges)


def _endpoint_value(series: EndpointSeries, metric: Metric, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    requests = int(series.request_count[inside].sum())
    if requests < FEWEST[metric]:
        return None
    if metric is Metric.QUERY_COUNT:
        return float(series.query_sum[inside].sum() / requests)
    return float(quantile(series.duration_histogram[inside].sum(axis=0).astype(np.float64), 0.95))


def _conversion_points(
    services: Services, finding: Finding, edges: Any, step: float, until: float
) -> tuple[Point, ...]:
    """Entries that have not had the finding's horizon to convert are left out, as the detector leaves them out."""
    assert finding.subject.funnel_id is not None
    horizon = float(str(finding.details.get("horizon_seconds", 0.0)))
    found = services.telemetry.funnel_series(
        finding.subject.funnel_id, since=float(edges[0]), until=until, bucket_seconds=FINE_FUNNEL_SECONDS
    )
    where = (finding.subject.dimension, finding.subject.value)
    series = next((one for one in found if (one.dimension, one.value) == where), None)
    if series is None:
        return ()
    ripe = [float(at) for at in edges if at + step + horizon <= until]
    return tuple(Point(at + step / 2, _conversion_rate(series, horizon, at, at + step)) for at in ripe)


def _conversion_rate(series: FunnelSeries, horizon: float, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    entries = int(series.entries[inside].sum())
    in_time = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon, side="right"))
    return (
        float(series.converted_by_delay[inside][:, :in_time].sum() / entries)
        if entries >= FEWEST[Metric.CONVERSION_RATE]
        else None
    )
