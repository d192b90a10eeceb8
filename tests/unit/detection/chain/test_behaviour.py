from __future__ import annotations

from typing import TypedDict, Unpack

import numpy as np
import pytest

from detection.chain.suspects.behaviour import END, Behaviour, Call, Occurrence, behaviour, compared
from detection.chain.suspects.ranking import ClueKind, Suspect, suspects


class CheckoutKeywords(TypedDict, total=False):
    """Optional arguments of `checkout`."""

    charge_ms: float
    wait_ms: float
    charged: bool


def checkout(
    number: int, *, charge_ms: float = 20.0, wait_ms: float = 5.0, charged: bool = True
) -> tuple[list[Call], list[Occurrence]]:
    """Return one call of the shop to payments, which logs "charging" and, if `charged`, "charged"."""
    trace = str(number)
    calls = [
        Call(trace, "shop", None, "shop", "POST /checkout", 0.0, 10.0 + wait_ms + charge_ms),
        Call(trace, "client", "shop", "shop", "HTTP POST", 0.0, wait_ms + charge_ms),
        Call(trace, "charge", "client", "payments", "POST /charge", 0.0, charge_ms),
    ]
    events = [("payments", "charging", 1.0), *([("payments", "charged", 2.0)] if charged else [])]
    return calls, [Occurrence(trace, "charge", part, event, at) for part, event, at in reversed(events)]


def behaved(
    count: int = 10, *, jitter: np.random.Generator | None = None, **keywords: Unpack[CheckoutKeywords]
) -> Behaviour:
    calls: list[Call] = []
    occurrences: list[Occurrence] = []
    for number in range(count):
        arguments = CheckoutKeywords()
        if jitter is not None:
            arguments["charge_ms"] = 20.0 * float(np.exp(jitter.normal(0, 0.1)))
        arguments.update(keywords)
        own_calls, own_occurrences = checkout(number, **arguments)
        calls += own_calls
        occurrences += own_occurrences
    return behaviour(calls, occurrences)


def normal() -> list[Behaviour]:
    random = np.random.default_rng(1)
    return [behaved(jitter=random) for _ in range(5)]


def first(during: Behaviour) -> Suspect:
    return suspects(*compared(normal(), during))[0]


def test_events_follow_each_other_in_time_from_the_operation_to_the_end() -> None:
    followed = behaved(2).followed
    assert followed["payments", "POST /charge", "charging"] == 2
    assert followed["payments", "charging", "charged"] == 2
    assert followed["payments", "charged", END] == 2
    assert followed["shop", "HTTP POST", END] == 2


def test_the_own_time_of_a_call_excludes_waiting_which_counts_for_the_called_part() -> None:
    times = behaved(1).times
    assert np.exp(times[ClueKind.OWN_TIME, "shop", "POST /checkout"]).tolist() == pytest.approx([10.0])
    assert np.exp(times[ClueKind.OWN_TIME, "payments", "POST /charge"]).tolist() == pytest.approx([20.0])
    assert np.exp(times[ClueKind.WAIT, "payments", "shop HTTP POST"]).tolist() == pytest.approx([5.0])


def test_the_slow_part_is_suspected_and_not_the_part_that_waits_for_it() -> None:
    suspect = first(behaved(charge_ms=400.0))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.OWN_TIME


def test_a_part_with_slow_network_responses_is_suspected() -> None:
    suspect = first(behaved(wait_ms=300.0))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.WAIT
    assert suspect.clues[0].now == pytest.approx(np.log(300.0))


def test_code_that_stops_half_way_is_suspected_by_its_missing_log_events() -> None:
    suspect = first(behaved(charged=False))
    assert suspect.part == "payments"
    assert suspect.clues[0].kind is ClueKind.PATTERN
    assert suspect.clues[0].name.startswith("charging -> ")


def test_more_calls_with_the_same_behaviour_raise_no_suspicion() -> None:
    ranked = suspects(*compared(normal(), behaved(200, jitter=np.random.default_rng(2))))
    assert all(suspect.score == 0.0 for suspect in ranked)


def test_a_call_without_logs_goes_from_its_operation_to_the_end() -> None:
    silent = behaviour(checkout(1)[0], [])
    assert silent.followed["payments", "POST /charge", END] == 1
    assert first(silent) is not None
