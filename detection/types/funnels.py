"""Funnels: their definition, and the progress of a user in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.types.values import JsonValue


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A named step of a funnel: an event with the name `event` and all of `properties`."""

    name: str
    event: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunnelDefinition:
    """A funnel: ordered steps within `window_seconds` (including its end) of the first.

    value_per_conversion is in `currency`, an ISO 4217 code; both are None if not configured.
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
    """One user's attempt that began at `entered_at`: `reached_at[i]` is when step i was reached, step 0 first.

    len(reached_at) is the level, from 1 to the number of steps.
    """

    user_id: str
    entered_at: float
    reached_at: tuple[float, ...]
    dimensions: Mapping[str, str]
