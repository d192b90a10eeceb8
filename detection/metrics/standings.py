"""How custom metrics stand now: usual, unusual or with insufficient data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MetricState(StrEnum):
    """Whether a metric is on its usual course."""

    OK = "ok"
    UNUSUAL = "unusual"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class MetricStanding:
    """The current state of a series. latest: the newest point, at `latest_at`.

    expected: the value usual now. low and high: the bounds that 99 % of its values are within. All three are None for
    insufficient data.
    """

    state: MetricState
    latest: float | None
    latest_at: float | None
    expected: float | None
    low: float | None
    high: float | None
