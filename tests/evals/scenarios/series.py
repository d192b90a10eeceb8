"""The course of every metric, a sample a minute: its usual level with noise, and what the fault makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import Floats

RATIOS = frozenset({"errors", "cpu", "db_cpu", "hits", "disk"})
"""Measures between 0 and 1, which some shops write in percent."""
_USUAL = {
    "latency": (40.0, 260.0),
    "errors": (0.001, 0.008),
    "traffic": (60.0, 900.0),
    "cpu": (0.18, 0.45),
    "memory": (300.0, 900.0),
    "queries": (2.0, 5.0),
    "connections": (15.0, 45.0),
    "pool_wait": (1.0, 4.0),
    "db_latency": (4.0, 20.0),
    "db_load": (200.0, 1200.0),
    "db_cpu": (0.15, 0.4),
    "hits": (0.9, 0.985),
    "lag": (20.0, 90.0),
    "disk": (0.42, 0.6),
    "timeouts": (0.3, 1.5),
    "retries": (1.0, 6.0),
    "restarts": (0.0, 0.0),
    "tls": (0.0, 0.0),
    "provider": (0.2, 0.7),
    "dns_errors": (0.0, 0.2),
    "node_memory": (9000.0, 16000.0),
    "redelivered": (0.0, 0.4),
}
_STEADY = frozenset({"hits", "disk", "memory", "node_memory"})
_WHOLE = frozenset({"restarts", "lag", "connections", "timeouts", "retries"})


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does to one metric from minute `onset` on.

    shape: "step" (within a minute or two), "ramp" (over `length` minutes), "line" (without end, `length` minutes to the
    full effect), "bump" (for `length` minutes), "countdown". to: the level reached, as a multiple of the usual one, or
    if `absolute` as it is.
    """

    role: str
    measure: str
    onset: float
    to: float
    shape: str = "step"
    length: float = 2.0
    absolute: bool = False


def usual_level(measure: str, rng: np.random.Generator) -> float:
    """Return a level that is usual for such a metric."""
    low, high = _USUAL[measure]
    return float(rng.uniform(low, high))


def course(
    measure: str, level: float, minutes: int, effects: Sequence[Effect], noise: float, rng: np.random.Generator
) -> Floats:
    """Return (minutes,) values; `noise` is the relative standard deviation of the usual course."""
    times = np.arange(minutes, dtype=float)
    spread = noise / 6 if measure in _STEADY else noise
    wander = _wandering(minutes, spread, rng)
    rhythm = 0.04 * np.sin(times / minutes * math.pi + rng.uniform(0, 2 * math.pi)) if measure == "traffic" else 0.0
    values = level * np.exp(wander + rhythm)
    for effect in effects:
        reached = effect.to if effect.absolute else level * effect.to
        part = _part(effect, times)
        own_noise = np.exp(_wandering(minutes, min(noise, 0.06), rng))
        values = values * (1 - part) + reached * own_noise * part
    if measure in RATIOS:
        values = np.clip(values, 0.0, 1.0)
    if measure in _WHOLE:
        return np.asarray(np.round(rng.poisson(np.maximum(values, 0.0)) if measure == "timeouts" else values))
    return values


def _part(effect: Effect, times: Floats) -> Floats:
    """Return how far the effect has come at each time: 0 before, 1 when it is full, beyond 1 for a line."""
    since = times - effect.onset
    if effect.shape == "bump":
        return np.where((since >= 0) & (since <= effect.length), 1.0, 0.0)
    share = np.clip(since / max(effect.length, 0.5), 0.0, None if effect.shape == "line" else 1.0)
    return np.where(since >= 0, share, 0.0)


def _wandering(minutes: int, spread: float, rng: np.random.Generator) -> Floats:
    """Return noise that remembers half of its last value, with standard deviation `spread`."""
    shocks = rng.normal(0.0, spread * math.sqrt(0.75), minutes)
    values = np.empty(minutes)
    values[0] = shocks[0]
    for minute in range(1, minutes):
        values[minute] = 0.5 * values[minute - 1] + shocks[minute]
    return values
