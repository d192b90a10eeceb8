"""Which endpoints have enough data for the endpoint detectors."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.options import EndpointOptions
from detection.types import Subject

STRIKE_PATIENCE = 4
"""The strikes of a run must lie within this many times as many intervals."""

Endpoint = tuple[str, str]
"""(service, endpoint)."""


def endpoint_states(
    requests: Mapping[Endpoint, int], busy_intervals: Mapping[Endpoint, int], *, options: EndpointOptions
) -> list[Watched]:
    """Return for each endpoint whether it has enough data to be judged, sorted by service and endpoint.

    requests: requests in the baseline window, which ends before the recent window. busy_intervals: how many of the last
    `strike_window_seconds(options) / interval_seconds` intervals had `minimum_requests`; 0 for a missing endpoint.
    """
    minutes = strike_window_seconds(options) / 60
    busy = f"intervals of {options.interval_seconds:g} s with {options.minimum_requests} or more requests"
    return [
        watched(
            Subject("endpoint", endpoint, service=service, endpoint=endpoint),
            [
                Need(requests.get((service, endpoint), 0), options.minimum_baseline_requests, "requests of history"),
                Need(
                    busy_intervals.get((service, endpoint), 0),
                    options.consecutive_strikes,
                    busy,
                    f"in the last {minutes:g} min",
                ),
            ],
        )
        for service, endpoint in sorted({*requests, *busy_intervals})
    ]


def strike_window_seconds(options: EndpointOptions) -> float:
    """Return the length of the window in which `consecutive_strikes` busy intervals must lie."""
    return options.consecutive_strikes * STRIKE_PATIENCE * options.interval_seconds
