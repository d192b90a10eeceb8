"""The id that a sender gave to a record, and what stands in its place by mistake."""

from __future__ import annotations

import pytest

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.senders_ids import id_text, is_of_nobody, record_id

MISTAKES: list[object] = [
    "", " ", "null", "'undefined'", "None", "{}", "[object Object]", "%{[event][id]}", "%{uuid}", "${UUID}", "{{ id }}",
    "#{id}", "$(uuidgen)", "<%= id %>", "%(uuid)s", "<no value>", "<nil>", "0", 0, "0" * 32, -1, "0.0", "0.0.0.0",
    "00:00:00:00:00:00",
    "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", None, True, [], {},
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_stands_in_the_place_of_an_id_by_mistake_is_no_id(mistake: object) -> None:
    assert record_id(mistake, "id") is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("1", "1"), (1, "1"), (1.0, "1"), (10.5, "10.5"), ("order-17", "order-17"), ("{a}-7", "{a}-7"),
     ("null-7", "null-7"), ("0:0", "0:0"), ("0-0", "0-0"), ("00:17", "00:17"),
     ("0a", "0a"), ("f" * 31, "f" * 31), ("cents)", "cents)"), ("ids", "ids")],
)  # fmt: skip
def test_an_ordinary_id_is_kept_as_text(sent: object, kept: str) -> None:
    assert record_id(sent, "id") == kept
    assert not is_of_nobody(kept)


def test_a_whole_number_is_one_id_with_and_without_a_decimal_point() -> None:
    assert id_text(4711.0) == id_text(4711) == id_text("4711")


def test_a_uuid_is_the_same_in_capitals_and_another_id_is_not() -> None:
    assert record_id("0190A3B4-7C11-7D2E-9F00-AABBCCDDEEFF", "uuid") == "0190a3b4-7c11-7d2e-9f00-aabbccddeeff"
    assert record_id("Order-A7", "uuid") == "Order-A7"


def test_an_id_that_is_too_long_is_refused_by_its_field() -> None:
    with pytest.raises(FieldError, match="messageId: must have at most 200 characters"):
        record_id("x" * 201, "messageId")
