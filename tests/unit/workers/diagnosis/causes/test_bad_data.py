"""Data that the code cannot take, and errors that come from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detection.chain import LineGroup
from tests.unit.workers.diagnosis.scenery import END, ONSET, START, K, line, observed, sign, weights_of
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds.bad_data import suspects
from workers.diagnosis.scene.model import Scene

ERRORS = (sign("checkout", K.ERRORS),)


def test_a_poison_message_is_found_and_the_one_record_named() -> None:
    text = "consumer failed on message=m-1837, redelivered for the 9th time"
    (found,) = suspects(observed(signs=ERRORS, lines=[line("checkout", text)]))

    assert weights_of(found) == {"data_lines": weights.POISON_SAID, "one_record": weights.ONE_RECORD}


def test_records_that_cannot_be_read_are_found_with_less_weight() -> None:
    text = "failed to parse order: invalid character 'x' looking for value"
    (found,) = suspects(observed(signs=ERRORS, lines=[line("checkout", text)]))

    assert weights_of(found) == {"data_lines": weights.CANNOT_BE_READ}


def test_one_tenant_in_nearly_all_errors_speaks_for_its_data() -> None:
    lines = [
        line("checkout", "corrupt invoice for tenant=acme-7", count=90),
        line("checkout", "corrupt invoice for tenant=bolt-2", count=5),
    ]

    assert weights_of(*suspects(observed(signs=ERRORS, lines=lines)))["one_record"] == weights.ONE_RECORD


def test_errors_of_many_tenants_are_not_of_one_record() -> None:
    lines = [line("checkout", f"corrupt invoice for tenant=t{number}", count=20) for number in range(6)]

    assert "one_record" not in weights_of(*suspects(observed(signs=ERRORS, lines=lines)))


def test_a_group_of_lines_with_many_values_is_read_word_for_word() -> None:
    group = line("checkout", "could not decode message offset=17: unexpected end of JSON input")
    many = tuple(("checkout", f"could not decode message offset={n}: unexpected end of JSON input") for n in range(9))
    one = (("checkout", "could not decode message offset=17: unexpected end of JSON input"),) * 9
    scene = Scene(START, END, ("checkout",), ONSET)

    of_many = weights_of(*suspects(observed(signs=ERRORS, lines=[group], more=replace(scene, said=many))))
    of_one = weights_of(*suspects(observed(signs=ERRORS, lines=[group], more=replace(scene, said=one))))

    assert "one_record" not in of_many
    assert of_one["one_record"] == weights.ONE_RECORD


def test_two_lines_of_one_record_are_too_few() -> None:
    lines = [line("checkout", "corrupt invoice for tenant=acme-7", count=2)]

    assert "one_record" not in weights_of(*suspects(observed(signs=ERRORS, lines=lines)))


@pytest.mark.parametrize(
    "group",
    [
        line("checkout", "timeout after 3s calling payments for order=o-17"),
        line("checkout", "panic: nil pointer dereference in user=u-4"),
        line("mailer", "poison message m-17 sent to the dead letter queue"),
        line("checkout", "poison message m-17 parked", count=40, usual=35),
        line("checkout", "dead letter queue is empty", bad=False),
        line("checkout", "retry: charging order=o-17 again, attempt 3"),
        line("checkout", "deadlock detected, requested by order=o-17"),
    ],
)
def test_errors_of_another_kind_elsewhere_or_of_every_day_are_no_bad_data(group: LineGroup) -> None:
    assert not list(suspects(observed(signs=ERRORS, lines=[group], parts=["mailer"])))


def test_a_crash_on_one_record_again_and_again_is_of_its_data() -> None:
    panic = "panic: slice bounds out of range while parsing gtin, file=feed-20260318.csv"
    (found,) = suspects(observed(signs=ERRORS, lines=[line("checkout", panic)]))
    assert weights_of(found) == {"data_lines": weights.CANNOT_BE_READ, "one_record": weights.ONE_RECORD}

    many = [line("checkout", panic.replace("20260318", f"2026031{number}")) for number in range(5)]
    assert not list(suspects(observed(signs=ERRORS, lines=many)))
