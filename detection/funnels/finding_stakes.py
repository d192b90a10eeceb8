"""Add the cost of lost conversions to a finding, from the same series that it was found in."""

from __future__ import annotations

from dataclasses import asdict, replace

from detection.funnels.cohorts import totals
from detection.funnels.stakes import conversion_stakes, counted_in, daily_entries, product, shortfall
from detection.statistics.baselines import HOUR_SECONDS
from detection.statistics.estimates import Estimate
from detection.types import Finding, FunnelDefinition, FunnelSeries, JsonValue


def with_stakes(finding: Finding, recent: FunnelSeries, past: FunnelSeries, funnel: FunnelDefinition) -> Finding:
    """Add `stakes` to a finding's details: the users affected since its onset, and the cost per hour and per day.

    recent: the segment's series since the onset (fine, or hourly for a drift); past: its hourly series, whose days
    before the onset give the usual number of entries. Each estimate is {value, low, high}; revenue_a_day is None if
    the funnel has no value per conversion. The finding is returned unchanged if there are no entries since the onset.
    """
    horizon = finding.details.get("horizon_seconds")
    horizon_seconds = float(horizon) if isinstance(horizon, int | float) else 0.0
    since, until = finding.onset_at, finding.window_end
    entries, converted, _ = totals(recent, horizon_seconds, since=since, until=until)
    if not entries or until <= since:
        return finding
    expected = Estimate(finding.expected, finding.expected_low, finding.expected_high)
    stakes = conversion_stakes(
        entries=entries,
        converted=converted,
        expected=expected,
        daily_entries=daily_entries(past, until=since),
        value_per_conversion=funnel.value_per_conversion,
    )
    hourly_entries = counted_in(entries, share=(until - since) / HOUR_SECONDS)
    lost = shortfall(entries=entries, converted=converted, expected=expected)
    details: dict[str, JsonValue] = {
        "since": since,
        "until": until,
        "entries": entries,
        "affected_users": asdict(stakes.affected_users),
        "entries_an_hour": asdict(hourly_entries),
        "affected_an_hour": asdict(product(lost, hourly_entries)),
        "conversions_a_day": asdict(stakes.conversions_per_day),
        "revenue_a_day": asdict(stakes.revenue_per_day) if stakes.revenue_per_day is not None else None,
        "currency": funnel.currency,
    }
    return replace(finding, details={**finding.details, "stakes": details})
