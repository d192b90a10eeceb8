"""One variant with its clock and its series: everything that the files of the export are written from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from detection.types import Floats
from tests.evals.scenarios.fault import Fault
from tests.evals.scenarios.series import RATIOS, Effect, course, usual_level
from tests.evals.scenarios.system import DATABASES, SERVICES, Shop

_LIMITS = {"errors": 0.05, "cpu": 0.85}
_OFTEN = 2.5
_MINUTES_ABOVE = 3
_DAY = 86_400
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """courses: by (role, measure), a value a minute. alert_minute: when the alert fired; the export ends later."""

    shop: Shop
    fault: Fault
    rng: random.Random
    start: datetime
    minutes: int
    alert_minute: int
    limit: float
    courses: Mapping[Key, Floats]
    placed: Mapping[str, str]

    def at(self, minute: float) -> str:
        """Return the time as the export writes it."""
        return f"{self.start + timedelta(seconds=round(minute * 60)):%Y-%m-%dT%H:%M:%SZ}"

    def name(self, role: str) -> str:
        """Return what the shop calls a role."""
        if role == "node":
            return self.placed["batch"]
        return self.shop.provider_host if role == "provider" else self.shop.names[role]

    def value(self, role: str, measure: str, minute: float) -> float:
        """Return the metric's value at a minute."""
        return float(self.courses[role, measure][min(max(int(minute), 0), self.minutes - 1)])

    def written(self, measure: str, value: float) -> float:
        """Return the value in the unit of the shop."""
        if measure in RATIOS and self.shop.in_percent:
            value *= 100
        return round(value, 4 if measure in RATIOS and not self.shop.in_percent else 2)


def scene(shop: Shop, fault: Fault, rng: random.Random) -> Scene:
    """Let the fault happen in the shop."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    effects = (*fault.effects, *_on_victims(fault, rng))
    effects += _unrelated(effects, fault, rng)
    noise = rng.uniform(0.03, 0.09)
    keys = _watched(effects, fault, rng)
    courses = {
        key: _one_course(key, [e for e in effects if (e.role, e.measure) == key], fault.minutes, noise, numbers, rng)
        for key in keys
    }
    alert = (fault.alert_role, fault.alert_measure)
    quiet = float(np.median(courses[alert][: max(int(fault.onset) - 5, 10)]))
    limit = _limit(fault, courses[alert], quiet)
    if fault.kind == "no_fault":
        limit, minute = _flapping(courses[alert], fault, rng)
    else:
        minute = _first_above(courses[alert], limit, fault)
    minutes = min(fault.minutes, minute + rng.randint(3, 12))
    start = datetime(2026, rng.randint(1, 11), rng.randint(1, 27), rng.randint(0, 21), rng.randrange(60), tzinfo=UTC)
    shortened = {key: values[:minutes] for key, values in courses.items()}
    return Scene(shop, fault, rng, start, minutes, minute, limit, shortened, _placed(shop, fault, rng))


def _watched(effects: tuple[Effect, ...], fault: Fault, rng: random.Random) -> list[Key]:
    """Return what is measured: the usual of everyone, what the fault touches, and what has nothing to do with it."""
    keys = [(role, measure) for role in SERVICES for measure in ("latency", "errors", "traffic")]
    keys += [(role, "cpu") for role in rng.sample(SERVICES, 5)]
    keys += [(role, measure) for role in DATABASES for measure in ("connections", "db_latency")]
    keys += [("cache", "hits"), ("queue", "lag"), ("worker", "errors")]
    spare = [("account", "disk"), ("orders", "disk"), ("search", "memory"), ("cart", "memory"), ("dns", "dns_errors")]
    spare += [
        ("payment", "provider"),
        ("checkout", "timeouts"),
        ("checkout", "retries"),
        ("recommendation", "restarts"),
    ]
    spare += [("node", "node_memory"), ("account", "cert"), ("cart", "queries"), ("orders", "queries")]
    spare += [("inventory", "pool_wait"), ("orders_db", "db_load"), ("catalog_db", "db_cpu"), ("queue", "redelivered")]
    keys += rng.sample(spare, 8)
    keys += [(effect.role, effect.measure) for effect in effects]
    keys.append((fault.alert_role, fault.alert_measure))
    return sorted(set(keys))


def _one_course(
    key: Key, effects: list[Effect], minutes: int, noise: float, numbers: np.random.Generator, rng: random.Random
) -> Floats:
    measure = key[1]
    if measure == "cert":
        onset = effects[0].onset if effects else minutes + rng.uniform(20, 80) * _DAY / 60
        return np.asarray(np.maximum((onset - np.arange(minutes)) * 60.0, -3600.0))
    return course(measure, usual_level(measure, numbers), minutes, effects, noise, numbers)


def _on_victims(fault: Fault, rng: random.Random) -> list[Effect]:
    """Return how the failure reaches those who wait for it: later and weaker with every step."""
    depth, onset = {fault.origin: 0}, {fault.origin: fault.onset}
    own = [e.onset for e in fault.effects if e.role == fault.origin and e.measure in ("errors", "latency")]
    felt = onset[fault.origin] = min(own, default=fault.onset)
    found: list[Effect] = []
    touched = {effect.role for effect in fault.effects if effect.role != fault.origin and effect.measure != "timeouts"}
    for cause, victim in fault.victims:
        depth[victim] = depth.get(cause, 0) + 1
        onset[victim] = onset.get(cause, felt) + rng.uniform(0.4, 1.6)
        if victim in touched and victim != "catalog":
            continue
        damp = 0.8 ** depth[victim]
        if fault.slow > 1:
            found.append(Effect(victim, "latency", onset[victim], max(fault.slow**damp, 1.5), "ramp", 3))
        if fault.failing:
            found.append(Effect(victim, "errors", onset[victim], fault.failing * damp, "ramp", 2, absolute=True))
    return found


def _unrelated(effects: tuple[Effect, ...], fault: Fault, rng: random.Random) -> tuple[Effect, ...]:
    """Return short bumps of services that have nothing to do with it, before and during the fault."""
    touched = {effect.role for effect in effects} | {fault.alert_role}
    calm = [role for role in SERVICES if role not in touched]
    return tuple(
        Effect(role, "latency", rng.uniform(10, fault.onset + 5), rng.uniform(1.3, 2.0), "bump", rng.uniform(1, 4))
        for role in rng.sample(calm, min(2, len(calm)))
    )


def _limit(fault: Fault, values: Floats, quiet: float) -> float:
    """Return the limit that a team might have set: well above the usual level, and such that this fault reaches it."""
    after = values[int(fault.onset) :]
    held = [min(after[minute : minute + _MINUTES_ABOVE]) for minute in range(len(after) - 6)]
    limit = max(_LIMITS.get(fault.alert_measure, 0.0), quiet * _OFTEN)
    reached = quiet + 0.6 * (float(max(held)) - quiet)
    return round(min(limit, reached) if reached > quiet else limit, 3 if quiet < 5 else 0)


def _first_above(values: Floats, limit: float, fault: Fault) -> int:
    """Return the minute in which the alert has been above its limit for three minutes."""
    above = values > limit
    for minute in range(int(fault.onset), len(values) - 1):
        if minute >= _MINUTES_ABOVE and all(above[minute - _MINUTES_ABOVE + 1 : minute + 1]):
            return minute
    return min(int(fault.onset) + 12, len(values) - 4)


def _flapping(values: Floats, fault: Fault, rng: random.Random) -> tuple[float, int]:
    """Put two short peaks into the series and return a limit between them and the rest, and the last one's minute."""
    top = float(np.max(values))
    last = int(fault.onset)
    for minute in (last - rng.randint(14, 25), last):
        values[minute] = min(top * rng.uniform(1.12, 1.2), 0.99 if fault.alert_measure in RATIOS else np.inf)
    return top * 1.06, last


def _placed(shop: Shop, fault: Fault, rng: random.Random) -> dict[str, str]:
    """Return the node of each role; where a node suffers, exactly those on it do."""
    placed = dict(shop.nodes)
    if fault.origin == "node":
        victims = {victim for _, victim in fault.victims}
        elsewhere = [node for node in sorted(set(placed.values())) if node != placed["batch"]] or ["node-31"]
        for role in placed:
            if role in victims:
                placed[role] = placed["batch"]
            elif placed[role] == placed["batch"] and role != "batch":
                placed[role] = rng.choice(elsewhere)
    return placed
