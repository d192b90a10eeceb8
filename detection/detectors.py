"""The detectors: series in, findings out. One for conversion rates, one for endpoints."""

from __future__ import annotations

from collections.abc import Callable

from detection.endpoints.findings import endpoint_findings
from detection.funnels.findings import funnel_findings, funnel_rises
from detection.options import EndpointOptions, FunnelOptions
from detection.types import Finding

DETECTORS: dict[str, Callable[..., list[Finding]]] = {
    "funnel_conversion": funnel_findings,
    "endpoint_regression": endpoint_findings,
}
"""Every detector by name; each takes fine series, baseline series, `now` and its options, and returns findings."""

__all__ = ["DETECTORS", "EndpointOptions", "FunnelOptions", "endpoint_findings", "funnel_findings", "funnel_rises"]
