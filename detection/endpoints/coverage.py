"""Which endpoints can be judged: what the endpoint detectors need, held against how often each is called."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.options import EndpointOptions
from detection.types import Subject

STRIKE_PATIENCE = 4
"""The strikes of an endpoint lie within this many times their number of intervals."""

Endpoint = tuple[str, str]
"""(service, endpoint)."""


def endpoint_states(
    requests: Mapping[Endpoint, int], busy_intervals: Mapping[Endpoint, int], *, options: EndpointOptions
) -> list[Watched]:
    """Say of each endpoint whether it can be judged, by name.

    requests: its requests of the baseline window before the recent one. busy_intervals: how many of its last
    `strike_window_seconds(options) / interval_seconds` intervals had `minimum_requests`; a missing endpoint has none.
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
    """How long the intervals may take of which enough must strike."""
    return options.consecutive_strikes * STRIKE_PATIENCE * options.interval_seconds
