"""Read and write the details of a finding as the JSON of its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from detection.types import (
    AlertDetails,
    Attribution,
    EndpointDetails,
    FindingDetails,
    ForecastDetails,
    FunnelDriftDetails,
    FunnelDropDetails,
    FunnelRiseDetails,
    LevelDetails,
    LogDetails,
    Metric,
    TrafficDetails,
)
from storage.models import FindingRecord

_ADAPTERS: Mapping[type[FindingDetails], TypeAdapter[FindingDetails]] = {
    kind: TypeAdapter(kind)
    for kind in (
        FunnelDropDetails,
        FunnelRiseDetails,
        FunnelDriftDetails,
        EndpointDetails,
        TrafficDetails,
        LevelDetails,
        ForecastDetails,
        LogDetails,
        AlertDetails,
    )
}
_ATTRIBUTION = TypeAdapter(Attribution)
_ADDED_LATER = frozenset({"stakes", "attribution", "reading", "usual_entries", "pattern_severity"})
"""Fields that a row does not have while they are None."""

_FORECAST_DETECTOR = "metric_forecast"

log = structlog.get_logger()


def details_to_json(details: FindingDetails | None) -> dict[str, Any]:
    """Return the JSON of a row; a finding without details has an empty object."""
    if details is None:
        return {}
    written: dict[str, Any] = _ADAPTERS[type(details)].dump_python(details, mode="json", warnings="none")
    return {name: value for name, value in written.items() if value is not None or name not in _ADDED_LATER}


def details_of(record: FindingRecord) -> FindingDetails | None:
    """Read the details of a row as the class of its kind of finding; unknown keys are ignored.

    None for an empty object, and for one that does not fit its kind: an incident can be shown without details.
    """
    if not record.details:
        return None
    try:
        return _ADAPTERS[_kind(record)].validate_python(record.details)
    except ValidationError as error:
        log.warning("unreadable_finding_details", finding_id=record.id, metric=record.metric, error=str(error))
        return None


def attribution_to_json(attribution: Attribution) -> dict[str, Any]:
    """Return the part of the JSON that says where a loss is: {"attribution": ...}."""
    return {"attribution": _ATTRIBUTION.dump_python(attribution, mode="json")}


def _kind(record: FindingRecord) -> type[FindingDetails]:
    match Metric(record.metric):
        case Metric.CONVERSION_RATE:
            return _funnel_kind(record.subject.get("kind"))
        case Metric.LATENCY_P95 | Metric.QUERY_COUNT | Metric.ERROR_RATE:
            return EndpointDetails
        case Metric.REQUEST_RATE:
            return TrafficDetails
        case Metric.CUSTOM:
            return ForecastDetails if record.detector == _FORECAST_DETECTOR else LevelDetails
        case Metric.LOG_RATE:
            return LogDetails
        case Metric.ALERT:
            return AlertDetails


def _funnel_kind(subject_kind: object) -> type[FindingDetails]:
    match subject_kind:
        case "funnel_drift" | "funnel_drift_up":
            return FunnelDriftDetails
        case "funnel_rise":
            return FunnelRiseDetails
        case _:
            return FunnelDropDetails
