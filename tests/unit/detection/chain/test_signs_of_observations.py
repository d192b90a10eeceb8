"""Metrics, log lines, events and traces as signs, and what gives none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.chain import LineGroup, Sign
from detection.chain.observed import USAGE
from detection.chain.signs import (
    metric_departed_when,
    metric_departure,
    parts_that_differ,
    signs_of_events,
    signs_of_lines,
    signs_of_metrics,
    signs_of_traces,
)
from detection.types import Floats, SymptomKind
from tests.unit.detection.chain.stories import MINUTE, event, hop, lines

_TIMES: Floats = np.arange(6, dtype=np.float64) * 3 * MINUTE


def _metric(name: str, *values: float, alerted_at: float | None = None) -> tuple[Sign, ...]:
    series = ("cart", name, _TIMES[: len(values)], np.array(values, dtype=np.float64))
    return signs_of_metrics([series], alerted_at=alerted_at)


def test_a_latency_that_multiplies_is_a_sign_between_its_samples() -> None:
    (sign,) = _metric("p99_latency_ms", 45, 46, 1840, 2210, 2350, 2400)
    assert (sign.part, sign.kind, sign.source) == ("cart", SymptomKind.LATENCY, "metric")
    assert (sign.earliest, sign.latest) == (180.0, 360.0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("error_rate_pct", (0.1, 0.1, 0.2, 0.3, 0.5, 0.9)),
        ("error_rate_pct", (22.0, 1.0, 0.2, 0.1, 0.1, 0.1)),
        ("p99_latency_ms", (200, 205, 230, 240, 238, 236)),
        ("pg_max_connections", (100, 100, 200, 200, 200, 200)),
        ("tls_cert_seconds_until_expiry", (900, 600, 300, 0, -300, -600)),
        ("cpu_pct", (40, 41, 43, 44, 43, 44)),
        ("build_number", (1, 1, 50, 50, 50, 50)),
    ],
)
def test_small_better_configured_and_unknown_courses_are_no_signs(name: str, values: tuple[float, ...]) -> None:
    assert _metric(name, *values) == ()


def test_a_percentage_needs_a_point_and_a_factor() -> None:
    (sign,) = _metric("error_rate_pct", 0.1, 0.2, 0.6, 22.0, 47.0, 51.0)
    assert sign.latest == 540.0


def test_traffic_that_falls_is_traffic_lost() -> None:
    (sign,) = _metric("requests_per_sec", 290, 300, 295, 11, 8, 5)
    assert sign.kind is SymptomKind.TRAFFIC_LOST


def test_an_unknown_duration_that_grows_is_latency() -> None:
    (sign,) = _metric("rules_reload_ms", 8, 8, 1790, 2160, 2300, 2340)
    assert sign.kind is SymptomKind.LATENCY


def test_what_was_over_long_before_the_alarm_is_no_sign_of_it() -> None:
    values = (0.1, 40.0, 0.1, 0.1, 0.1, 0.1)
    assert _metric("error_rate_pct", *values, alerted_at=6 * MINUTE) != ()
    assert _metric("error_rate_pct", *values, alerted_at=30 * MINUTE) == ()


def test_a_counter_that_only_rises_is_read_as_what_it_rises_by() -> None:
    times = np.arange(60, dtype=np.float64) * MINUTE
    steady = np.cumsum(np.full(60, 5.0))
    assert metric_departure("errors_total", times, steady) is None
    found = metric_departure("errors_total", times, np.cumsum(np.where(np.arange(60) >= 40, 500.0, 5.0)))
    assert found is not None
    assert found.latest == 40 * MINUTE


def test_a_change_is_held_against_a_metric_in_the_unit_that_its_name_gives() -> None:
    times = np.arange(90, dtype=np.float64) * MINUTE
    noise = np.random.default_rng(1).normal(size=90)
    rising = 0.2 + 0.02 * noise + 20 * (times >= 60 * MINUTE)
    assert metric_departed_when("error_rate_pct", times, rising, 59 * MINUTE, 300.0) > 2
    assert metric_departed_when("error_rate_pct", times, rising, 70 * MINUTE, 300.0) < -2
    harmless = 0.2 + 0.02 * noise + 0.5 * (times >= 60 * MINUTE)
    assert metric_departed_when("error_rate_pct", times, harmless, 59 * MINUTE, 300.0) < -2


_PARTS = {"cart", "stock", "profile", "node-7"}


def _line(text: str, *, part: str = "cart", count: float = 500, usual: float = 0, bad: bool = True) -> tuple[Sign, ...]:
    return signs_of_lines([LineGroup(part, text, count, usual, 60.0, bad)], _PARTS)


def test_a_new_line_is_a_sign_of_what_it_complains_of_and_blames_whom_it_names() -> None:
    (sign,) = _line("deadline exceeded calling stock")
    assert (sign.kind, sign.blames, sign.earliest) == (SymptomKind.TIMEOUTS, frozenset({"stock"}), 60.0)


def test_lines_as_many_as_ever_and_lines_about_ordinary_work_are_no_signs() -> None:
    assert _line("timeout calling stock", count=120, usual=100) == ()
    assert _line("item served", bad=False) == ()
    assert _line("item served", count=88_000, usual=87_970, bad=False) == ()


def test_a_bad_line_of_unknown_words_is_an_error() -> None:
    (sign,) = _line("frobnicator went sideways")
    assert sign.kind is SymptomKind.ERRORS


def test_a_refusal_of_a_bad_request_is_the_clients_error_alone() -> None:
    (sign,) = _line("promo rule rejected: HTTP 422 invalid window from stock")
    assert sign.kind is SymptomKind.CLIENT_ERRORS
    assert sign.blames == frozenset()


def test_a_word_that_is_a_service_elsewhere_is_not_blamed_but_a_called_one_is() -> None:
    assert all(not sign.blames for sign in _line("error: invalid weights profile holiday"))
    assert all(sign.blames == {"profile"} for sign in _line("error 503 from profile"))
    assert all(sign.blames == {"profile"} for sign in _line("profile unavailable"))
    assert all(sign.blames == {"profile"} for sign in _line("POST http://profile/v1 gave no answer"))


def test_the_line_of_an_unknown_writer_is_the_sign_of_the_one_part_it_names() -> None:
    signs = _line("kubelet node-7: memory pressure", part="kubelet", bad=False)
    assert {sign.part for sign in signs} == {"node-7"}


def test_the_kubelet_never_suffers_itself() -> None:
    group = LineGroup("kubelet", "node-7: memory pressure", 4, 0, 60.0, True)
    assert {sign.part for sign in signs_of_lines([group], {*_PARTS, "kubelet"})} == {"node-7"}
    group = LineGroup("kubelet", "memory pressure", 4, 0, 60.0, True)
    assert signs_of_lines([group], {*_PARTS, "kubelet"}) == ()


def test_a_text_names_a_part_by_any_spelling() -> None:
    group = LineGroup("cart", "too many connections to orders-db", 4, 0, 60.0, True)
    (sign,) = signs_of_lines([group], {"cart", "pg:orders-db"})
    assert sign.blames == {"pg:orders-db"}


def test_lines_of_unknown_time_lie_in_the_window_or_are_left_out() -> None:
    group = LineGroup("cart", "timeout calling stock", 50, 0, None, True)
    assert signs_of_lines([group], _PARTS) == ()
    (sign,) = signs_of_lines([group], _PARTS, window=(0.0, 900.0))
    assert (sign.earliest, sign.latest) == (0.0, 900.0)


def test_pressure_on_a_node_is_a_sign_of_the_node_and_an_eviction_blames_it() -> None:
    pressure = event("node/node-7", "NodeMemoryPressure", "allocatable 270Mi", 4, "node-7")
    evicted = event("pod/cart-7f9c-x2", "Evicted", "The node was low on resource: memory", 5, "node-7")
    signs = signs_of_events([pressure, evicted], _PARTS)
    assert {sign.part for sign in signs} == {"node-7", "cart"}
    assert all(sign.blames == {"node-7"} for sign in signs if sign.part == "cart")


_SAID = "x509: certificate has expired; out of memory; timeout calling stock"
"""What a container printed, or somebody had it print."""


def test_what_the_message_of_an_event_says_adds_nothing_to_its_reason() -> None:
    said = signs_of_events([event("pod/cart-7f9c-x2", "BackOff", _SAID, 4)], _PARTS)
    assert said == signs_of_events([event("pod/cart-7f9c-x2", "BackOff", "restarting", 4)], _PARTS)
    assert {(sign.kind, sign.blames) for sign in said} == {(SymptomKind.RESTARTS, frozenset())}


def test_a_warning_of_an_unknown_reason_is_an_error_whatever_it_says_and_a_normal_event_is_nothing() -> None:
    unknown = replace(event("pod/cart-7f9c-x2", "SomethingOdd", _SAID, 4), is_warning=True)
    assert {sign.kind for sign in signs_of_events([unknown], _PARTS)} == {SymptomKind.ERRORS}
    assert signs_of_events([replace(unknown, is_warning=False)], _PARTS) == ()


def test_a_rollout_and_a_scale_up_are_no_signs() -> None:
    rollout = event("deploy/cart", "ScalingReplicaSet", "Rolled cart to v2", 4)
    scaled = event("hpa/cart", "SuccessfulRescale", "Scaled cart to 16 replicas due to CPU 90%", 4)
    assert signs_of_events([rollout, scaled], _PARTS) == ()


def test_an_event_of_an_object_that_belongs_to_no_known_part_is_left_out() -> None:
    assert signs_of_events([event("pod/unknown-1", "BackOff", "restarting", 4)], _PARTS) == ()


def test_failed_spans_are_signs_from_the_first_and_blame_whom_their_errors_name() -> None:
    late, early = hop("cart", None, 9, "timeout calling stock"), hop("cart", None, 5, "timeout")
    (sign,) = signs_of_traces([(late,), (early, hop("stock", "cart", 5))], _PARTS)
    assert (sign.part, sign.latest, sign.source) == ("cart", 5 * MINUTE, "trace")
    assert sign.blames == {"stock"}


def _differs(name: str, *values: float) -> bool:
    return bool(parts_that_differ([("mesh", name, _TIMES[: len(values)], np.array(values, dtype=np.float64))]))


def test_a_part_differs_where_a_number_that_says_nothing_is_no_longer_what_it_was() -> None:
    assert _differs("pushed_routes", 412, 412, 0, 0, 0, 0)
    assert _differs("banned_agents", 3, 3, 90, 91, 95, 96)
    assert _differs("sealed", 0, 0, 0, 1, 1, 1)


def test_a_part_does_not_differ_by_a_little_or_by_what_has_a_meaning() -> None:
    assert not _differs("pushed_routes", 412, 409, 380, 377, 371, 380)
    assert not _differs("requests_per_s", 400, 410, 20, 21, 20, 20)
    assert not _differs("sealed", 0, 0, 0, 1, 0, 1)
    assert not _differs("sealed", 0, 0, 0, 0, 0, 1)


def test_who_waits_for_a_lock_suffers_and_who_holds_it_only_takes_much() -> None:
    waits = lines(["refunds"], ("refunds", "refund job waiting for lock on bookings for 120s", 1.0))
    holds = lines(["migrator"], ("migrator", "exclusive lock held on bookings for 120s", 1.0))
    assert {sign.kind for sign in waits} - USAGE
    assert {sign.kind for sign in holds} <= USAGE


def test_a_service_named_by_one_ordinary_word_is_blamed_with_its_status_and_not_as_a_path() -> None:
    parts = ["cart", "pricing"]
    assert lines(parts, ("cart", "cannot add: pricing 503", 1.0))[0].blames == {"pricing"}
    assert not lines(parts, ("cart", "GET /pricing 503 in 20 ms", 1.0))[0].blames


def test_a_name_that_is_no_ordinary_word_is_blamed_however_it_is_spoken_of() -> None:
    text = "stockservice reserve failed, retrying (attempt 3/10)"
    group = LineGroup("cart", text, 50, 0, 60.0, True)
    signs = signs_of_lines([group], {"cart", "stockservice"})
    assert all(sign.blames == {"stockservice"} for sign in signs)
