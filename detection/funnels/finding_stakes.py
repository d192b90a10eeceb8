"""Add the cost of lost conversions to a finding, from the same series that it was found in."""

from __future__ import annotations

from dataclasses import replace

from detection.funnels.cohorts import totals
from detection.funnels.stakes import conversion_stakes, counted_in, daily_entries, product, shortfall
from detection.statistics.baselines import HOUR_SECONDS
from detection.types import Estimate, Finding, FunnelDefinition, FunnelSeries, LossDetails, LossStakes


def with_stakes(finding: Finding, recent: FunnelSeries, past: FunnelSeries, funnel: FunnelDefinition) -> Finding:
    """Add `stakes` to a finding's details: the users affected since its onset, and the cost per hour and per day.

    recent: the segment's series since the onset (fine, or hourly for a drift); past: its hourly series, whose days
    before the onset give the usual number of entries. The finding is returned unchanged if there are no entries since
    the onset.
    """
    details = finding.details
    assert isinstance(details, LossDetails)
    since, until = finding.onset_at, finding.window_end
    entries, converted, _ = totals(recent, details.horizon_seconds, since=since, until=until)
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
    cost = LossStakes(
        since=since,
        until=until,
        entries=entries,
        affected_users=stakes.affected_users,
        entries_an_hour=hourly_entries,
        affected_an_hour=product(lost, hourly_entries),
        conversions_a_day=stakes.conversions_per_day,
        revenue_a_day=stakes.revenue_per_day,
        currency=funnel.currency,
    )
    return replace(finding, details=replace(details, stakes=cost))
