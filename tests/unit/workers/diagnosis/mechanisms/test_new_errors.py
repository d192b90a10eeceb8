"""A new or spiking error as a mechanism."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.workers.diagnosis.scenes import calls, course, line, said, seen
from workers.diagnosis.causes.mechanisms import new_error

EDGES = (calls("web", "checkout"), calls("checkout", "payment"))
FAILING = (course("payment", "error_rate", 0.001, 0.3), course("checkout", "error_rate", 0.001, 0.2, from_minute=64))
PANIC = "panic: runtime error: invalid memory address or nil pointer dereference"


def test_a_panic_at_the_origin_from_the_start_is_told_with_its_text_and_its_time() -> None:
    observed = seen(FAILING, [line("payment", PANIC, 80)], EDGES)
    assert observed.chain.origin == "payment"

    (found,) = new_error.suspects(observed)

    assert "payment crashes" in found.hypothesis.statement
    assert "nil pointer dereference" in found.evidence[0].result
    assert "<t:" in found.evidence[0].result
    assert said(found)["new_error_line"] > 0


def test_an_error_that_was_always_there_and_spikes_weighs_less_than_a_new_one() -> None:
    spiking = line("payment", "failed to charge card", 400, usual=20)
    (spike,) = new_error.suspects(seen(FAILING, [spiking], EDGES))
    (new,) = new_error.suspects(seen(FAILING, [line("payment", "failed to charge card", 400)], EDGES))

    assert 0 < said(spike)["new_error_line"] < said(new)["new_error_line"]
    assert "usually 20" in spike.evidence[0].result


def test_an_error_that_nobody_dated_is_told_without_a_time_and_weighs_less() -> None:
    undated = replace(line("payment", PANIC, 80), first_seen=None)
    (found,) = new_error.suspects(seen(FAILING, [undated], EDGES))
    (dated,) = new_error.suspects(seen(FAILING, [line("payment", PANIC, 80)], EDGES))

    assert "80 lines of payment, not seen before: “panic" in found.evidence[0].result
    assert 0 < said(found)["new_error_line"] < said(dated)["new_error_line"]


def test_an_error_of_a_victim_is_not_the_origins() -> None:
    observed = seen(FAILING, [line("checkout", "failed to call payment: 503", 200, minute=64)], EDGES)
    assert observed.chain.origin == "payment"

    assert list(new_error.suspects(observed)) == []


def test_an_error_that_comes_a_quarter_of_an_hour_after_the_first_signs_is_a_consequence() -> None:
    observed = seen(FAILING, [line("payment", PANIC, 80, minute=78)], EDGES)

    assert list(new_error.suspects(observed)) == []


def test_an_error_that_comes_twice_as_often_is_no_spike() -> None:
    assert (
        list(new_error.suspects(seen(FAILING, [line("payment", "failed to charge card", 42, usual=20)], EDGES))) == []
    )
