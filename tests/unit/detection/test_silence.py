from __future__ import annotations

import numpy as np
import pytest

from detection.detectors import FunnelOptions, funnel_rises
from detection.silence import is_heard
from detection.types import FunnelSeries, Metric
from detection.verification import RecoveryState, recovery
from tests.unit.detection.endpoints.test_traffic import OPTIONS, hours, lately, traffic_found

FUNNEL = FunnelOptions()


def test_what_came_until_now_is_heard_and_what_never_came_is_not() -> None:
    starts, counts = np.arange(0.0, 600.0, 10.0), np.full(60, 4)
    assert is_heard(starts, counts, since=0.0, now=605.0, bucket_seconds=10.0)
    assert not is_heard(starts, counts, since=600.0, now=605.0, bucket_seconds=10.0)


@pytest.mark.parametrize(("every_seconds", "silent_seconds"), [(10, 200), (120, 700)])
def test_a_silence_in_which_many_should_have_come_is_heard_as_such(every_seconds: int, silent_seconds: int) -> None:
    starts = np.arange(0.0, 3600.0, every_seconds)
    came = np.ones(len(starts), dtype=np.int64)
    last = float(starts[-1]) + 10
    assert not is_heard(starts, came, since=0.0, now=last + silent_seconds, bucket_seconds=10.0)
    assert is_heard(starts, came, since=0.0, now=last + every_seconds, bucket_seconds=10.0)


def test_a_sender_may_hold_back_for_a_minute_or_two() -> None:
    starts, counts = np.arange(0.0, 600.0, 10.0), np.full(60, 100)
    assert is_heard(starts, counts, since=0.0, now=700.0, bucket_seconds=10.0)


def risen(shop, signup, after: float) -> tuple[RecoveryState, float]:
    starts = shop.tens(shop.now - 7200, shop.now)
    past = [shop.funnel(shop.hours(until=shop.now - 3600), 7200, 0.3)]
    rate = np.where(starts >= shop.now - 300, after, np.where(starts >= shop.now - 1200, 0.5, 0.3))
    then = starts < shop.now - 300
    before: list[FunnelSeries] = [shop.funnel(starts[then], 20.0, rate[then], until=shop.now - 300)]
    (rise,) = funnel_rises(before, past, signup, now=shop.now - 300, options=FUNNEL)
    series = [shop.funnel(starts, 20.0, rate, until=shop.now)]
    result = recovery(rise, series, past, since=shop.now - 300, now=shop.now, options=FUNNEL)
    return result.state, result.recovered_share


def test_a_rise_is_over_when_the_rate_has_come_down_again_and_not_before(shop, signup) -> None:
    assert risen(shop, signup, 0.5)[0] is RecoveryState.STILL_BROKEN
    state, share = risen(shop, signup, 0.3)
    assert state is RecoveryState.RECOVERED
    assert share > 0.8


def test_after_a_surge_silence_is_no_recovery(shop) -> None:
    baseline = hours(shop)
    quiet = lately(shop, 40.0, since=shop.now - 480)
    (surge,) = traffic_found(shop, quiet, baseline)
    assert (surge.metric, surge.observed > surge.expected) == (Metric.REQUEST_RATE, True)
    states = [
        recovery(surge, [series], [baseline], since=since, now=until, options=OPTIONS).state
        for series, since, until in (
            (quiet, shop.now, shop.now + 65),
            (lately(shop, 4.0, since=shop.now - 60), shop.now - 60, shop.now),
        )
    ]
    assert states == [RecoveryState.STILL_BROKEN, RecoveryState.RECOVERED]
