"""A clock that is wrong, a cloud that gives no more, a machine that fails: what surroundings say they lack."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.scenery import HOUR, MINUTE, ONSET, K, line, observed, sign, weights_of
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds import surroundings

ERRORS = sign("checkout", K.ERRORS, text="error_rate")

SAID = [
    ("clock", "jwt rejected: token used before issued (iat is 65s in the future)"),
    ("clock", "RequestTimeTooSkewed: the difference between the request time and the current time is too large"),
    ("cloud_quota", "scale up failed: Quota 'CPUS' exceeded. Limit: 480.0 in region europe-west4"),
    ("cloud_quota", "launching a new instance failed: InsufficientInstanceCapacity"),
    ("node", "kernel: watchdog: BUG: soft lockup - CPU#3 stuck for 22s!"),
    ("node", "blk_update_request: I/O error, dev nvme1n1, sector 88121"),
]


@pytest.mark.parametrize(("cause", "text"), SAID)
def test_what_the_failing_part_says_it_lacks_is_the_reason(cause: str, text: str) -> None:
    (found,) = surroundings.suspects(observed(signs=[ERRORS], lines=[line("checkout", text)]))

    assert found.hypothesis.cause == cause
    assert weights_of(found) == {"surroundings": weights.SURROUNDINGS_SAID}


def test_what_runs_beside_is_believed_where_its_metrics_show_it_too() -> None:
    told = line("worker-7", "kernel: INFO: task postgres:812 blocked for more than 120 seconds")
    (alone,) = surroundings.suspects(observed(signs=[ERRORS], lines=[told]))
    (shown,) = surroundings.suspects(observed(signs=[ERRORS, sign("worker-7", K.CPU, text="load")], lines=[told]))

    assert weights_of(alone)["surroundings"] == weights.SURROUNDINGS_SAID_BESIDE
    assert weights_of(shown)["surroundings"] == weights.SURROUNDINGS_SAID


def test_a_reason_among_many_others_says_less() -> None:
    lines = [line("checkout", SAID[0][1], count=10), line("checkout", "NullPointerException in Cart.total", count=900)]
    (found,) = surroundings.suspects(observed(signs=[ERRORS], lines=lines))

    assert weights_of(found)["surroundings"] == weights.SURROUNDINGS_SAID_BESIDE


@pytest.mark.parametrize(
    "text",
    [
        "429 Too Many Requests: daily quota for project exceeded",
        "request to payments timed out after 300ms",
        "cart locked by another checkout",
        "delivery date 2026-09-01 lies in the future",
    ],
)
def test_what_names_no_lack_of_the_surroundings_is_none(text: str) -> None:
    assert not list(surroundings.suspects(observed(signs=[ERRORS], lines=[line("checkout", text)])))


@pytest.mark.parametrize("at", [ONSET - HOUR, ONSET + 10 * MINUTE])
def test_what_was_said_long_before_or_only_afterwards_did_not_begin_it(at: float) -> None:
    told = line("checkout", SAID[4][1], at=at)

    assert not list(surroundings.suspects(observed(signs=[ERRORS], lines=[told])))
