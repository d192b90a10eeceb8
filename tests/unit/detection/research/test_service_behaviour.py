from __future__ import annotations

import numpy as np
import pytest

from detection.research.service_behaviour import END, Behaviour, Call, Occurrence, behaviour, compared
from detection.research.service_suspects import ClueKind, suspects


def checkout(number: int, *, charge_ms: float = 20.0, wait_ms: float = 5.0, charged: bool = True) -> tuple:
    """One call of the shop, which calls the payments, which log that they charge and that they have charged."""
    trace = str(number)
    calls = [
        Call(trace, "shop", None, "shop", "POST /checkout", 0.0, 10.0 + wait_ms + charge_ms),
        Call(trace, "client", "shop", "shop", "HTTP POST", 0.0, wait_ms + charge_ms),
        Call(trace, "charge", "client", "payments", "POST /charge", 0.0, charge_ms),
    ]
    events = [("payments", "charging", 1.0), *([("payments", "charged", 2.0)] if charged else [])]
    return calls, [Occurrence(trace, "charge", part, event, at) for part, event, at in reversed(events)]


def behaved(count: int = 10, *, jitter: np.random.Generator | None = None, **about: object) -> Behaviour:
    calls, occurrences = [], []
    for number in range(count):
        noise = {"charge_ms": 20.0 * np.exp(jitter.normal(0, 0.1))} if jitter is not None else {}
        own_calls, own_occurrences = checkout(number, **{**noise, **about})
        calls += own_calls
        occurrences += own_occurrences
    return behaviour(calls, occurrences)


def normal() -> list[Behaviour]:
    random = np.random.default_rng(1)
    return [behaved(jitter=random) for _ in range(5)]


def first(during: Behaviour):
    return suspects(*compared(normal(), during))[0]


def test_events_follow_each_other_in_time_from_the_operation_to_the_end() -> None:
    followed = behaved(2).followed
    assert followed["payments", "POST /charge", "charging"] == 2
    assert followed["payments", "charging", "charged"] == 2
    assert followed["payments", "charged", END] == 2
    assert followed["shop", "HTTP POST", END] == 2


def test_a_calls_own_time_leaves_out_what_it_waits_for_and_the_wait_is_the_called_parts() -> None:
    times = behaved(1).times
    assert np.exp(times[ClueKind.OWN_TIME, "shop", "POST /checkout"]).tolist() == pytest.approx([10.0])
    assert np.exp(times[ClueKind.OWN_TIME, "payments", "POST /charge"]).tolist() == pytest.approx([20.0])
    assert np.exp(times[ClueKind.WAIT, "payments", "shop HTTP POST"]).tolist() == pytest.approx([5.0])


def test_a_part_that_got_slow_itself_is_suspected_and_not_the_one_that_waits_for_it() -> None:
    suspect = first(behaved(charge_ms=400.0))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.OWN_TIME


def test_a_part_that_answers_late_over_the_network_is_suspected() -> None:
    suspect = first(behaved(wait_ms=300.0))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.WAIT
    assert suspect.clues[0].now == pytest.approx(np.log(300.0))


def test_code_that_stops_half_way_is_suspected_by_what_it_no_longer_logs() -> None:
    suspect = first(behaved(charged=False))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.PATTERN
    assert suspect.clues[0].name.startswith("charging -> ")


def test_more_calls_of_the_same_behaviour_are_no_change() -> None:
    ranked = suspects(*compared(normal(), behaved(200, jitter=np.random.default_rng(2))))
    assert all(suspect.score == 0.0 for suspect in ranked)


def test_a_call_without_logs_counts_as_one_that_logged_nothing() -> None:
    silent = behaviour(checkout(1)[0], [])
    assert silent.followed["payments", "POST /charge", END] == 1
    assert first(silent) is not None
