"""The log lines of a scene, and their patterns as a log platform counts them."""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import partial
from typing import Any

from tests.evals.scenarios.fault import Lines
from tests.evals.scenarios.scene import Scene
from tests.evals.scenarios.system import SERVICES

_NUMBER = re.compile(r"\d+")
_ROUTES = ("/api/cart", "/api/checkout", "/api/products", "/api/search", "/api/orders")
_UNRELATED = (
    ("account", "WARN", "deprecated header x-shop-v1 in request {n}"),
    ("search", "INFO", "index segment {n} merged"),
    ("catalog", "WARN", "image {n}.webp not found, using the placeholder"),
    ("account", "ERROR", "password reset for unknown user {n}"),
    ("payment", "WARN", "card {n} declined by its issuer: insufficient funds"),
    ("recommendation", "WARN", "model features older than {n}s, using the last ones"),
    ("frontend", "INFO", "experiment assignment for visitor {n}"),
    ("cart", "WARN", "basket {n} expired while open"),
)
_MANY = 40


def log_lines(scene: Scene) -> list[dict[str, Any]]:
    """Return the lines in order of time."""
    rng = random.Random(scene.rng.randrange(2**32))
    planned = [*_usual(rng), *scene.fault.lines, *_of_victims(scene)]
    lines = [line for lines in planned for line in _written(scene, lines, rng)]
    return sorted(lines, key=lambda line: str(line["timestamp"]))


def patterns(scene: Scene, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return signatures with their count and how much more than before the onset that is."""
    onset = scene.at(scene.fault.onset)
    before, after = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    first: dict[tuple[str, str, str], str] = {}
    for line in lines:
        key = (str(line["service"]), _NUMBER.sub("<N>", str(line["msg"])), str(line["severity_text"]))
        (before if line["timestamp"] < onset else after)[key] += 1
        first.setdefault(key, str(line["timestamp"]))
    share = max(scene.minutes - scene.fault.onset, 1.0) / max(scene.fault.onset, 1.0)
    found = []
    for key in sorted({*before, *after}, key=lambda key: -after[key])[:30]:
        more = round((after[key] - before[key] * share) * _MANY)
        found.append(
            {
                "signature": key[1],
                "service": key[0],
                "count": (before[key] + after[key]) * _MANY,
                "delta_vs_baseline": f"{more:+d}",
                "first_seen": first[key],
                "sentiment": "negative" if key[2] in ("WARN", "ERROR") else "neutral",
            }
        )
    return found


def _usual(rng: random.Random) -> list[Lines]:
    quiet = [
        Lines(
            role,
            "INFO",
            lambda r: f"{r.choice(('GET', 'POST'))} {r.choice(_ROUTES)} 200 in {r.randint(8, 190)}ms",
            0,
            0.25,
        )
        for role in SERVICES
    ]
    noisy = [
        Lines(role, severity, partial(_numbered, text), 0, rng.uniform(0.05, 0.25))
        for role, severity, text in rng.sample(_UNRELATED, 5)
    ]
    return quiet + noisy


def _of_victims(scene: Scene) -> list[Lines]:
    """Return what those say who wait for somebody that fails."""
    fault, found = scene.fault, []
    for steps, (cause, victim) in enumerate(fault.victims):
        if cause in ("dns", "node", "worker") or (fault.kind == "retry_storm" and victim != "frontend"):
            continue
        name, since = scene.name(cause), max(fault.onset, scene.alert_minute - 6) + 0.6 * steps
        if fault.failing:
            found.append(Lines(victim, "ERROR", partial(_failed, name), since, 1.5))
        else:
            found.append(Lines(victim, "WARN", partial(_slow, name), since, 1))
    return found


def _failed(name: str, rng: random.Random) -> str:
    return f"upstream {name} failed with {rng.choice((500, 502, 503))}"


def _slow(name: str, rng: random.Random) -> str:
    return f"slow answer from {name}: {rng.randint(900, 5000)}ms"


def _numbered(text: str, rng: random.Random) -> str:
    return text.format(n=rng.randint(100, 99_999))


def _written(scene: Scene, lines: Lines, rng: random.Random) -> list[dict[str, Any]]:
    until = min(scene.minutes - 0.1, lines.until if lines.until is not None else scene.minutes)
    expected = max(until - lines.since, 0) * lines.each_minute
    times = sorted(rng.uniform(lines.since, until) for _ in range(min(round(expected), 90)))
    if times and lines.since > 0:
        times[0] = min(times[0], lines.since + 0.2)
    return [
        {
            "timestamp": scene.at(minute),
            "service": scene.name(lines.role),
            "severity_text": lines.severity,
            "msg": lines.text(rng),
            "trace_id": f"{rng.randrange(2**128):032x}",
            **lines.attributes,
        }
        for minute in times
    ]
