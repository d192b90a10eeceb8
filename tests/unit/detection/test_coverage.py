from __future__ import annotations

import numpy as np
import pytest

from detection.coverage import Need, Watched, WatchState, label, watched, with_broken
from detection.endpoints.coverage import endpoint_states
from detection.funnels.coverage import funnel_states
from detection.funnels.findings import funnel_findings
from detection.logs.coverage import log_states
from detection.logs.findings import LogOptions
from detection.metrics.coverage import Heard, metric_states
from detection.metrics.series import MetricOptions
from detection.options import EndpointOptions, FunnelOptions
from detection.types import FunnelDefinition, Subject
from tests.unit.detection.conftest import HOUR, Shop

OPTIONS = FunnelOptions()
FUNNEL = Subject("funnel", "Signup", funnel_id=1)


@pytest.mark.parametrize(
    ("need", "text"),
    [
        (Need(40, 100, "entries", "in the last 30 min"), "40 of 100 entries needed in the last 30 min"),
        (Need(2.9, 3, "hours of history"), "2 of 3 hours of history needed"),
        (Need(0.4, 24, "hours of history"), "0.4 of 24 hours of history needed"),
        (Need(0, 1_000, "entries"), "0 of 1,000 entries needed"),
        (Need(99.99, 100, "entries"), "99 of 100 entries needed"),
    ],
)
def test_a_need_reads_in_numbers_and_too_little_never_reads_as_enough(need: Need, text: str) -> None:
    assert need.text == text


def test_an_object_is_ok_only_if_every_need_is_met_and_all_unmet_needs_are_listed() -> None:
    enough, short = Need(5, 5, "entries"), Need(1, 3, "hours")
    assert watched(FUNNEL, [enough]) == Watched(FUNNEL, WatchState.OK)
    assert watched(FUNNEL, [enough, short, short]).reason == "1 of 3 hours needed; 1 of 3 hours needed"


def test_broken_objects_are_marked_and_added_if_they_have_no_state() -> None:
    rise = Subject("funnel_rise", "Signup", funnel_id=1)
    segment = Subject("funnel", "Signup", funnel_id=1, dimension="country", value="DE")
    line = Subject("log_template", "t1", service="shop")
    alert = Subject("alert", "DiskFull", service="shop")
    lacking = [watched(one, [Need(0, 1, "x")]) for one in (FUNNEL, segment, Subject("logs", "shop", service="shop"))]
    marked = with_broken(lacking, [rise, line, alert])
    assert [(one.subject.kind, one.state) for one in marked] == [
        ("funnel", WatchState.BROKEN),
        ("funnel", WatchState.INSUFFICIENT_DATA),
        ("logs", WatchState.BROKEN),
        ("alert", WatchState.BROKEN),
    ]
    assert [one.reason for one in marked if one.state is WatchState.BROKEN] == ["", "", ""]


def states(shop: Shop, funnel: FunnelDefinition, *, fine: float, hourly: float, days: float) -> list[Watched]:
    tens = shop.tens(shop.now - 2 * HOUR, shop.now)
    series = [shop.funnel(tens, fine, 0.4)]
    past = [shop.funnel(shop.hours(days), hourly, 0.4)]
    return funnel_states(series, past, funnel, now=shop.now, options=OPTIONS)


def test_a_busy_funnel_with_a_week_of_history_is_ok(shop: Shop, signup: FunnelDefinition) -> None:
    [everyone] = states(shop, signup, fine=5, hourly=100, days=7)
    assert everyone.state is WatchState.OK


def test_a_quiet_half_hour_is_insufficient_data_with_the_number_of_entries(
    shop: Shop, signup: FunnelDefinition
) -> None:
    [everyone] = states(shop, signup, fine=0.2, hourly=100, days=7)
    assert everyone.state is WatchState.INSUFFICIENT_DATA
    count, rest = everyone.reason.split(" ", 1)
    assert 20 <= int(count) <= 55
    assert rest == "of 100 entries needed in the last 30 min"


def test_a_history_of_some_hours_is_insufficient_data_with_its_length(shop: Shop, signup: FunnelDefinition) -> None:
    [everyone] = states(shop, signup, fine=5, hourly=100, days=0.5)
    assert everyone.reason == "11 of 24 hours of history needed"


def test_a_funnel_without_entries_still_has_a_state(shop: Shop, signup: FunnelDefinition) -> None:
    [everyone] = funnel_states([], [], signup, now=shop.now, options=OPTIONS)
    assert (everyone.subject.name, everyone.state) == ("Signup", WatchState.INSUFFICIENT_DATA)


def test_each_segment_has_its_own_state(shop: Shop, signup: FunnelDefinition) -> None:
    tens, hours = shop.tens(shop.now - 2 * HOUR, shop.now), shop.hours(7)
    series = [shop.funnel(tens, 5, 0.4), shop.funnel(tens, 0.1, 0.4, dimension="country", value="LI")]
    past = [shop.funnel(hours, 100, 0.4), shop.funnel(hours, 3, 0.4, dimension="country", value="LI")]
    found = funnel_states(series, past, signup, now=shop.now, options=OPTIONS)
    assert [(one.subject.value, one.state) for one in found] == [
        (None, WatchState.OK),
        ("LI", WatchState.INSUFFICIENT_DATA),
    ]


@pytest.mark.parametrize(("fine", "days"), [(5.0, 7.0), (0.2, 7.0), (5.0, 0.5)])
def test_data_are_insufficient_exactly_when_the_detector_does_not_judge(
    shop: Shop, signup: FunnelDefinition, fine: float, days: float
) -> None:
    """Conversions have stopped: the detector finds that exactly where the state is not insufficient data."""
    tens = shop.tens(shop.now - 2 * HOUR, shop.now)
    series, past = [shop.funnel(tens, fine, 0.0)], [shop.funnel(shop.hours(days), 100, 0.4)]
    [everyone] = funnel_states(series, past, signup, now=shop.now, options=OPTIONS)
    found = funnel_findings(series, past, signup, now=shop.now, options=OPTIONS)
    assert bool(found) == (everyone.state is WatchState.OK)


def test_log_templates_need_a_day_of_history() -> None:
    found = log_states({"shop": 0.0, "new": 80_000.0}, now=90_000.0, options=LogOptions())
    assert [(label(one.subject), one.reason) for one in found] == [
        ("new logs", "2 of 24 hours of history needed"),
        ("shop logs", ""),
    ]


def test_a_metric_needs_a_day_and_a_half_and_recent_points() -> None:
    known, gone, new = ("shop", "heap", ""), ("shop", "disk", "device=sda"), ("shop", "queue", "")
    heard = {known: Heard(90, 990.0, 60.0), gone: Heard(90, 100.0, 60.0), new: Heard(20, 990.0, 60.0)}
    found = metric_states(heard, now=1000.0, options=MetricOptions())
    assert {label(one.subject): one.reason for one in found} == {
        "shop heap": "",
        "shop disk (device=sda)": "0 of 1 points needed in the last 10 min",
        "shop queue": "20 of 36 hours of history needed",
    }


def test_an_endpoint_needs_a_history_and_busy_intervals_now() -> None:
    shop, rare, new = ("shop", "POST /checkout"), ("shop", "GET /rare"), ("shop", "GET /new")
    found = endpoint_states({shop: 5000, rare: 900}, {shop: 12, new: 3}, options=EndpointOptions())
    assert {one.subject.name: one.reason for one in found} == {
        "POST /checkout": "",
        "GET /rare": "0 of 3 intervals of 10 s with 5 or more requests needed in the last 2 min",
        "GET /new": "0 of 200 requests of history needed",
    }
    assert np.all([one.subject.kind == "endpoint" for one in found])


@pytest.mark.parametrize(
    ("have", "text"), [(0.0, "0"), (0.04, "0"), (0.46, "0.4"), (0.99, "0.9"), (1.9, "1"), (1234.0, "1,234")]
)
def test_the_available_amount_is_rounded_down_so_that_it_never_reads_as_enough(have: float, text: str) -> None:
    assert Need(have, 2000, "hours").text == f"{text} of 2,000 hours needed"
