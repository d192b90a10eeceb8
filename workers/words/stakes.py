"""What an outage costs: users and money for a funnel, requests for an endpoint; as figures and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from detection.types import Estimate, Finding, LossDetails, LossStakes, Metric
from workers.words.findings import severity_of

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
"""Currencies that are written with their sign; others with their code."""

_SIGNIFICANT_DIGITS = 2


@dataclass(frozen=True, slots=True)
class FunnelStakes:
    """The cost of lost conversions. affected_users: users since the onset who normally would have converted."""

    affected_users: Estimate
    entries_an_hour: Estimate
    affected_an_hour: Estimate
    conversions_a_day: Estimate
    revenue_a_day: Estimate | None
    currency: str | None

    @property
    def text(self) -> str:
        """Return such as: about 40 of 120 users an hour (28 to 52); €1,900 a day (€1,300 to €2,500)."""
        people = self.affected_an_hour
        words = (
            f"about {_number(people.value)} of {_number(self.entries_an_hour.value)} users an hour "
            f"({_number(people.low)} to {_number(people.high)})"
        )
        if self.revenue_a_day is None:
            return words
        value, low, high = (
            _money(amount, self.currency)
            for amount in (self.revenue_a_day.value, self.revenue_a_day.low, self.revenue_a_day.high)
        )
        return f"{words}; {value} a day ({low} to {high})"


@dataclass(frozen=True, slots=True)
class EndpointStakes:
    """How often a broken endpoint is called. It is unknown who sends the requests, so users are not counted."""

    requests_a_minute: float
    failed_a_minute: Estimate | None

    @property
    def text(self) -> str:
        """Return such as: about 12 of 240 requests a minute fail (8 to 17)."""
        requests = _number(self.requests_a_minute)
        if self.failed_a_minute is None:
            return f"about {requests} requests a minute"
        failed = self.failed_a_minute
        return (
            f"about {_number(failed.value)} of {requests} requests a minute fail "
            f"({_number(failed.low)} to {_number(failed.high)})"
        )


def stakes_of(finding: Finding) -> FunnelStakes | EndpointStakes | None:
    """Return the stakes of a finding; None if they cannot be estimated honestly."""
    if isinstance(finding.details, LossDetails) and finding.details.stakes is not None:
        return _funnel_stakes(finding.details.stakes)
    if finding.subject.endpoint is None or finding.metric is Metric.REQUEST_RATE:
        return None
    seconds = finding.window_end - finding.window_start
    if seconds <= 0 or finding.sample_size <= 0:
        return None
    a_minute = finding.sample_size * 60 / seconds
    if finding.metric is not Metric.ERROR_RATE:
        return EndpointStakes(a_minute, None)
    return EndpointStakes(a_minute, _share_failed(finding).times(a_minute))


def _share_failed(finding: Finding) -> Estimate:
    # Imported late, so that the web process does not load scipy.
    from detection.statistics.proportions import wilson_interval

    low, high = wilson_interval(finding.observed * finding.sample_size, finding.sample_size)
    return Estimate(finding.observed, float(low), float(high))


def worst_stakes(findings: Sequence[Finding]) -> FunnelStakes | EndpointStakes | None:
    """Return the largest stakes of an incident's funnels, by money, then users; else those of the most severe finding.

    Stakes are never added up: a segment is a part of its funnel.
    """
    known = [(finding, stakes) for finding in findings if (stakes := stakes_of(finding)) is not None]
    people = [stakes for _, stakes in known if isinstance(stakes, FunnelStakes)]
    if people:
        return max(people, key=_weight)
    return min(known, key=lambda pair: (severity_of(pair[0]), -pair[0].score))[1] if known else None


def _weight(stakes: FunnelStakes) -> tuple[float, float]:
    return (stakes.revenue_a_day.value if stakes.revenue_a_day is not None else 0.0, stakes.affected_an_hour.value)


def _funnel_stakes(loss: LossStakes) -> FunnelStakes:
    return FunnelStakes(
        affected_users=_not_negative(loss.affected_users),
        entries_an_hour=_not_negative(loss.entries_an_hour),
        affected_an_hour=_not_negative(loss.affected_an_hour),
        conversions_a_day=_not_negative(loss.conversions_a_day),
        revenue_a_day=None if loss.revenue_a_day is None else _not_negative(loss.revenue_a_day),
        currency=loss.currency,
    )


def _not_negative(estimate: Estimate) -> Estimate:
    """Cut an estimate at 0: nothing lost is the least that can be."""
    return Estimate(max(estimate.value, 0.0), max(estimate.low, 0.0), max(estimate.high, 0.0))


def _number(value: float) -> str:
    """Format an estimate with two significant digits: 40; 1,900; 0.4."""
    if value < 0.05:
        return "0"
    digits = _SIGNIFICANT_DIGITS - 1 - floor(log10(value))
    rounded = round(value, digits)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:,.1f}".removesuffix(".0")


def _money(value: float, currency: str | None) -> str:
    number = _number(value)
    if currency is None:
        return number
    return f"{SIGNS[currency]}{number}" if currency in SIGNS else f"{currency} {number}"
