"""Generate seven days of past shop visits from the live shop's measurements.

The visits are a sample: fewer people than the live rate would produce. Shoppers are drawn from the same distributions
as the live shoppers. Response times are drawn from those that the live shop had on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from bot.demo.behaviour import Shopper, Step, draw_shopper

HOUR_SECONDS = 3600.0
DAY_SECONDS = 24 * HOUR_SECONDS
LATENCY_SPREAD = 0.06
"""Standard deviation of the logarithm of the factor by which one hour's latency differs from the week's."""

BY_HOUR = (
    0.45, 0.40, 0.36, 0.35, 0.36, 0.42, 0.55, 0.72, 0.90, 1.04, 1.13, 1.20,
    1.27, 1.25, 1.19, 1.17, 1.22, 1.34, 1.50, 1.62, 1.58, 1.35, 1.00, 0.67,
)  # fmt: skip
"""Traffic by hour of the day (UTC), relative to the day's mean: quiet nights, a busy evening."""

BY_WEEKDAY = (0.97, 0.94, 0.95, 0.98, 1.02, 1.10, 1.04)
"""Relative traffic by weekday, Monday first."""


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """How much history to generate: `visits` over the last `days`, ending `quiet_seconds` before now.

    traced_share: the share of visits with traces, chosen at random as a head sampler does. All visits have events.
    """

    visits: int
    days: float
    quiet_seconds: float
    traced_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One request of a visit: its start (seconds since the epoch) and its duration."""

    step: Step
    started_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Visit:
    """One past shopper and the requests of their visit."""

    user_id: str
    shopper: Shopper
    answers: tuple[Answer, ...]


def make_visits(
    plan: HistoryPlan,
    response_seconds: Mapping[Step, Sequence[float]],
    now: float,
    random: Random,
    *,
    draw: Callable[[Random], Shopper] = draw_shopper,
) -> Iterator[Visit]:
    """Generate past visits, ordered by arrival.

    response_seconds: response times of the live shop, at least one for each step.
    """
    end = now - plan.quiet_seconds
    start = now - plan.days * DAY_SECONDS
    for hour_start, hour_end, share in _hours(start, end):
        slowness = random.lognormvariate(0.0, LATENCY_SPREAD)
        count = int(plan.visits * share + random.random())
        arrivals = sorted(random.uniform(hour_start, hour_end) for _ in range(count))
        for arrival in arrivals:
            yield _visit(draw(random), arrival, slowness, response_seconds, random)


def _hours(start: float, end: float) -> list[tuple[float, float, float]]:
    """Return (start, end, share of the traffic) for each clock hour between two moments. The shares sum to 1."""
    hours: list[tuple[float, float, float]] = []
    beginning = start
    while beginning < end:
        until = min(end, (beginning // HOUR_SECONDS + 1) * HOUR_SECONDS)
        moment = datetime.fromtimestamp(beginning, UTC)
        hours.append((beginning, until, (until - beginning) * BY_HOUR[moment.hour] * BY_WEEKDAY[moment.weekday()]))
        beginning = until
    total = sum(weight for _, _, weight in hours)
    return [(beginning, until, weight / total) for beginning, until, weight in hours]


def _visit(
    shopper: Shopper, arrival: float, slowness: float, response_seconds: Mapping[Step, Sequence[float]], random: Random
) -> Visit:
    """Generate one visit. The shopper gives up after a response slower than their patience, as in the live shop."""
    answers: list[Answer] = []
    moment = arrival
    for step, thinking in zip(shopper.wants, shopper.thinking_seconds, strict=True):
        moment += thinking
        seconds = slowness * random.choice(response_seconds[step])
        answers.append(Answer(step, moment, seconds))
        if seconds > shopper.patience_seconds:
            break
        moment += seconds
    return Visit(_identifier(random), shopper, tuple(answers))


def _identifier(random: Random) -> str:
    digits = random.randbytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
