"""Funnel levels against ClickHouse's own `windowFunnel` in its default mode, vector by vector."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from detection.funnels.attempts import attempts
from detection.types import Event, FunnelDefinition, FunnelStep
from tests.benchmarks.figures import Figure, NothingToMeasureError

AT_LEAST = 1.0
MODE = "default"

Occurrences = Sequence[tuple[float, str]]
Vector = tuple[Occurrences, Sequence[str], float, int]
"""Events as (seconds, name), the names of the steps, the window in seconds, and the level that ClickHouse returns."""


def run(data: Path) -> Iterator[Figure]:
    """Yield the share of vectors in which the best of the user's attempts reaches ClickHouse's level.

    Raises NothingToMeasureError.
    """
    folder = data / "funnel_oracle"
    vectors = [*_official(folder / "windowfunnel_official.json"), *_random(folder / "windowfunnel_random.jsonl")]
    if not vectors:
        raise NothingToMeasureError(f"there is no windowfunnel_official.json or windowfunnel_random.jsonl in {folder}")
    right = sum(_agrees(*vector) for vector in vectors)
    yield Figure(
        "funnel_oracle", right / len(vectors), "share of vectors", "ClickHouse windowFunnel", 1.0, at_least=AT_LEAST
    )


def _agrees(occurrences: Occurrences, steps: Sequence[str], window: float, expected: int) -> bool:
    funnel = FunnelDefinition(1, "oracle", tuple(FunnelStep(step, step) for step in steps), window, 7)
    events = [Event(str(index), name, "someone", at, {}) for index, (at, name) in enumerate(occurrences)]
    best = max((len(attempt.reached_at) for attempt in attempts(funnel, events)), default=0)
    return best == expected


def _official(path: Path) -> Iterator[Vector]:
    for one in json.loads(path.read_text(encoding="utf-8")) if path.exists() else []:
        if one["mode"] == MODE:
            yield one["events"], one["steps"], float(one["window"]), int(one["expected"])


def _random(path: Path) -> Iterator[Vector]:
    """Read keys "mode|funnel|window"; a funnel is the letters of its steps, a user without events has only "all"."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        user = json.loads(line)
        for key, expected in user["expected"].items():
            mode, *rest = key.split("|")
            if mode == MODE:
                yield user["events"], rest[0].replace("_", ""), float(rest[1]), int(expected)
