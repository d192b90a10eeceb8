"""Funnels: their definition, and how far a user came in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.types.values import JsonValue


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A named step: an event that matches `event` and has every one of `properties`."""

    name: str
    event: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunnelDefinition:
    """Ordered steps within `window_seconds` (inclusive of its end) of the first.

    value_per_conversion is in `currency`, an ISO 4217 code; both are None where nobody said.
    """

    funnel_id: int
    name: str
    steps: tuple[FunnelStep, ...]
    window_seconds: float
    baseline_days: int
    value_per_conversion: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class FunnelProgress:
    """One user's best attempt begun at `entered_at`: `reached_at[i]` is when step i was reached, step 0 first.

    len(reached_at) is the level, 1 up to the number of steps.
    """

    user_id: str
    entered_at: float
    reached_at: tuple[float, ...]
    dimensions: Mapping[str, str]
