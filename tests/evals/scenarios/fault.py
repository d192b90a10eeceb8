"""What one kind of fault does: where it begins, what it does to metrics, what is logged, which change made it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.evals.scenarios.series import Effect
from tests.evals.scenarios.system import Shop

Words = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Lines:
    """Log lines of `role`, about `each_minute` of them from minute `since` to `until` (None: to the end)."""

    role: str
    severity: str
    text: Words
    since: float
    each_minute: float
    until: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Roles, not names; minutes since the start of the export.

    mechanism: of the culprit's diff, None if no change is at fault. victims: edges (who fails, whom it drags along).
    slow, failing: what the victims feel. aliases: names that are as good as the origin's. flag: what was turned on.
    """

    kind: str
    cause: str
    origin: str
    onset: float
    effects: tuple[Effect, ...]
    lines: tuple[Lines, ...]
    victims: tuple[tuple[str, str], ...]
    alert_role: str
    alert_measure: str
    remediation: str
    mechanism: str | None = None
    culprit_role: str = ""
    delay: float = 0.0
    words: Mapping[str, str] = field(default_factory=dict)
    slow: float = 1.0
    failing: float = 0.0
    aliases: tuple[str, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    status: Mapping[str, Any] | None = None
    minutes: int = 110
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a kind of fault is drawn from. onset: the minute in which the first metric leaves its course."""

    shop: Shop
    rng: random.Random
    onset: float
    minutes: int
