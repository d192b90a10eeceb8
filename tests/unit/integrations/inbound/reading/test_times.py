"""Times as senders write them: ISO 8601, or a number since 1970, which many send as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC).timestamp()
"""1770465600"""


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1770465590", NOW - 10),
        ("1770465590.25", NOW - 9.75),
        ("1770465590250", NOW - 9.75),
        ("1770465590250.5", NOW - 9.7495),
        ("1770465590250000", NOW - 9.75),
        ("1770465590250000000", NOW - 9.75),
        ("999999999", 999_999_999.0),
    ],
)
def test_a_number_since_1970_is_understood_as_text_too(written: str, seconds: float) -> None:
    assert parse_time(written, now=NOW, field="time") == pytest.approx(seconds, abs=1e-3)
    assert parse_time(float(written), now=NOW, field="time") == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(
    "written",
    ["2026-02-07", "20260207", "20260207T000000Z", "20260207 000000", "2026-02-07T00:00:00Z", "2026-02-07 00:00"],
)
def test_a_date_of_digits_stays_a_date(written: str) -> None:
    assert parse_time(written, now=NOW, field="time") == NOW - 43_200


@pytest.mark.parametrize("written", ["", "0", "17", "-1770465590", "1,770,465,590", "1770465590s", "\u0661" * 10])
def test_other_digits_are_no_time(written: str) -> None:
    with pytest.raises(FieldError):
        parse_time(written, now=NOW, field="time")
