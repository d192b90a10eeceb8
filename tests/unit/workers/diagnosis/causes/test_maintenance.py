"""A dependency that whoever runs it took down is told from one that was brought down by load."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.scenery import HOUR, MINUTE, ONSET, K, calls, line, observed, sign, weights_of
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds import maintenance

STORE = [calls("checkout", "orders-db")]
DOWN = (sign("orders-db", K.ERRORS), sign("checkout", K.ERRORS))


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("RDS-EVENT-0026 offline patching of the instance is starting", weights.MAINTENANCE_SAID),
        ("terminating connection due to administrator command", weights.MAINTENANCE_SAID),
        ("the planned maintenance window of the cluster has begun", weights.MAINTENANCE_SAID),
        ("READONLY You can't write against a read only replica.", weights.SWITCHED_OVER),
        ("sentinel: +switch-master, replica-2 promoted to master", weights.SWITCHED_OVER),
        ("failover to orders-db-2 initiated", weights.SWITCHED_OVER),
    ],
)
def test_a_database_that_was_taken_down_is_found(text: str, weight: float) -> None:
    (found,) = maintenance.suspects(
        observed(signs=DOWN, origin="orders-db", lines=[line("orders-db", text)], edges=STORE)
    )

    assert found.hypothesis.key == "maintenance:orders-db"
    assert weights_of(found) == {"taken_down": weight}


def test_what_the_origin_keeps_its_data_in_may_be_the_one_that_was_taken_down() -> None:
    lines = [line("orders-db", "database system is shutting down", bad=False)]

    assert list(maintenance.suspects(observed(signs=DOWN, origin="checkout", lines=lines, edges=STORE)))


def test_a_failover_of_a_database_that_was_overloaded_before_is_a_consequence() -> None:
    signs = (sign("orders-db", K.CPU, at=ONSET - 8 * MINUTE), *DOWN)
    lines = [line("orders-db", "failover to orders-db-2 initiated")]
    (found,) = maintenance.suspects(observed(signs=signs, origin="orders-db", lines=lines, edges=STORE))

    assert weights_of(found) == {"taken_down": weights.BROUGHT_DOWN}


@pytest.mark.parametrize(
    "lines",
    [
        [line("orders-db", "RDS-EVENT-0026 offline patching is starting", at=ONSET - 3 * HOUR)],
        [line("orders-db", "terminating connection due to administrator command", count=50, usual=48)],
        [line("wiki-db", "terminating connection due to administrator command")],
        [line("orders-db", "checkpoint complete: wrote 812 buffers")],
        [line("checkout", "could not place the order, please try again later")],
    ],
)
def test_what_is_old_usual_or_elsewhere_and_ordinary_work_is_no_maintenance(lines: list[object]) -> None:
    scene = observed(signs=DOWN, origin="orders-db", lines=lines, edges=STORE, parts=["wiki-db"])  # type: ignore[arg-type]

    assert not list(maintenance.suspects(scene))
