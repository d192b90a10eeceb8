"""Which deploys an incident's chart marks: those of the service, and once the cause is known, the guilty one alone."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from detection.types import Finding
from integrations.charts import Marker
from storage.deploys import deploys_between
from storage.diagnoses import latest_diagnosis
from storage.models import Diagnosis, Hypothesis
from workers.words.text import short_sha


def marked_deploys(
    session: Session, incident_id: int, finding: Finding, since: float, until: float
) -> tuple[Marker, ...]:
    """Return the deploys to mark in the chart of an incident's finding from `since` to `until`, oldest first.

    The deploy nearest to the onset may be innocent: a chart that shows it beside a known cause points at the wrong one.
    """
    diagnosis = latest_diagnosis(session, incident_id)
    guilty = _guilty(diagnosis) if diagnosis is not None else None
    if guilty is not None:
        return (_marker_of(guilty, finding.subject.service),)
    rows = deploys_between(
        session, finding.subject.service, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
    )
    return tuple(Marker(row.deployed_at.timestamp(), f"deploy {short_sha(row.commit_sha)}") for row in rows)


def _guilty(diagnosis: Diagnosis) -> Hypothesis | None:
    """Return the cause that the diagnosis confirmed, if it is a deploy."""
    return next(
        (one for one in diagnosis.hypotheses if one.status == "confirmed" and "deployed_at" in one.parameters), None
    )


def _marker_of(guilty: Hypothesis, service: str | None) -> Marker:
    of = guilty.parameters
    whose = "" if of["service"] == service else f" of {of['service']}"
    return Marker(float(of["deployed_at"]), f"deploy {short_sha(of['commit_sha'])}{whose}")
