"""Times in the forms of other loggers, servers and languages, alone in a field and at the start of a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from integrations.inbound.reading.line_times import leading_time
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

HERE = datetime(2026, 7, 9, 14, 3, 9, tzinfo=UTC).timestamp()
NOW = HERE + 40
LIMA = ZoneInfo("America/Lima")

ZONED = [
    "2026-07-09t14:03:09z", "2026-07-09 14:03:09 UTC", "2026-07-09 14:03:09.000 +0000 UTC m=+7.25",
    "2026-07-09 19:33:09 +0530", "2026-07-09 16:03:09 CEST", "2026-07-09 10:03:09 EDT", "2026-07-09 07:03:09 PDT",
    "2026-07-09 23:03:09 JST", "2026-07-09 16:03:09.000 MESZ", "2026-07-09T16:03:09+02:00[Europe/Paris]",
    "2026-07-09T14:03:09Z[GMT]", "2026-07-09T09:03:09\u221205:00", "2026-07-09 16:03:09 Europe/Paris",
    "Thu, 09 Jul 2026 14:03:09 GMT", "Thu, 9 Jul 2026 09:03:09 -0500", "Thursday, 09-Jul-26 14:03:09 GMT",
    "Thu Jul 09 2026 16:03:09 GMT+0200 (Central European Summer Time)", "Thu Jul  9 14:03:09 UTC 2026",
    "Thu Jul  9 16:03:09 CEST 2026", "Thu Jul 9 14:03:09 +0000 2026", "09/Jul/2026:11:03:09 -0300",
    "9 Jul 2026 14:03:09 UTC", "July 9, 2026 2:03:09 PM UTC", "20260709T140309Z", "20260709T190309.000+0500",
    "2026-07-09-14.03.09.000000Z", "2026.07.09 14:03:09 GMT",
]  # fmt: skip
"""The same moment, in times that name their zone."""

ZONELESS = [
    "2026/07/09 09:03:09", "2026.07.09 09:03:09.000", "2026-07-09 09:03:09,000", "Thu Jul  9 09:03:09 2026",
    "Jul 9, 2026, 9:03:09 AM", "July 9, 2026 09:03:09", "Jul. 9, 2026 9:03:09 a.m.", "09-Jul-2026 09:03:09.000",
    "9 July 2026 09:03:09", "2026 Jul  9 09:03:09", "Jul  9 2026 09:03:09", "Jul  9 09:03:09", "09 Jul 09:03:09",
    "09.07.2026 09:03:09", "9.7.2026 09:03:09", "7/9/2026 9:03:09 AM", "07/09/2026 09:03:09", "09/07/2026 09:03:09",
    "09-07-2026 09:03:09", "26/07/09 09:03:09", "09/07/26 09:03:09", "09.07.26 09:03:09", "20260709 09:03:09",
    "20260709-09:03:09:000", "2026-07-09-09.03.09.000000", "2026-07-09_09:03:09", "2026-07-09 09:03:09 a.m.",
]  # fmt: skip
"""The same moment in Lima."""


def in_lima(written: datetime) -> float:
    return written.replace(tzinfo=LIMA).timestamp()


@pytest.mark.parametrize("text", ZONED)
def test_a_time_with_a_zone_is_understood_alone_and_before_a_message(text: str) -> None:
    assert parse_time(text, now=NOW, field="time", zoneless=in_lima) == HERE
    assert leading_time(f"{text} refused", now=NOW, zoneless=in_lima) == HERE
    assert leading_time(f"[{text}] refused", now=NOW, zoneless=in_lima) == HERE


@pytest.mark.parametrize("text", ZONELESS)
def test_a_time_without_a_zone_is_understood_in_the_zone_that_is_meant(text: str) -> None:
    assert parse_time(text, now=NOW, field="time", zoneless=in_lima) == HERE
    assert leading_time(f"{text} refused", now=NOW, zoneless=in_lima) == HERE


@pytest.mark.parametrize(
    "line",
    [
        "[worker-3] 2026-07-09 09:03:09,000 refused", "ERROR:billing:2026-07-09 09:03:09,000 refused",
        "\ufeff2026-07-09 09:03:09 refused", "=== 2026-07-09 09:03:09 ===", "# Time: 2026-07-09T09:03:09.000000",
        "shop-db-1  | 2026-07-09 09:03:09 refused", "Date: 2026-07-09 09:03:09", "*Jul  9 09:03:09.000: %LINK-3-UPDOWN",
        "260709  9:03:09 [ERROR] mysqld: refused", "07-09 09:03:09.000  812  840 E Shop: refused",
        "E20260709 09:03:09.000000  7 shop.cc:1] refused", "[7:7:0709/090309.000000:ERROR:shop.cc(1)] refused",
        "1783605789.000 12 10.0.0.1 TCP_MISS/502 GET", "[1783605789] SERVICE ALERT: shop;CRITICAL",
        "type=AVC msg=audit(1783605789.000:77): denied", "ts=1783605789.0 level=error msg=refused",
        '{"level":"error","ts":1783605789.0,"msg":"refused"', "1783605789000 refused",
    ],
)  # fmt: skip
def test_a_time_after_what_a_logger_writes_first_and_one_counted_since_1970_are_understood(line: str) -> None:
    assert leading_time(line, now=NOW, zoneless=in_lima) == HERE


@pytest.mark.parametrize(
    "line",
    [
        "order 1783605789 refused", "0912345678 called back", "9876543210 is a telephone number", "12:30 lunch",
        "expires 2026-07-09 09:03:09 at last", "3/4 done", "1.2.3 released", "10.0.0.1 - - nothing", "Jul broke it",
        "192.168.10.20 12:00:00 no date", "2026-07-09", "user anna joined at 2026-07-08 10:00:00", "CST 09:03:09",
    ],
)  # fmt: skip
def test_numbers_and_dates_within_a_message_are_not_its_time(line: str) -> None:
    assert leading_time(line, now=NOW, zoneless=in_lima) == NOW


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-09T13:59:60Z", datetime(2026, 7, 9, 14, tzinfo=UTC)),
        ("2026-07-09 14:03 UTC", datetime(2026, 7, 9, 14, 3, tzinfo=UTC)),
        ("2026-07-08T24:00:00Z", datetime(2026, 7, 9, tzinfo=UTC)),
        ("2026-07-09 12:15:00 AM UTC", datetime(2026, 7, 9, 0, 15, tzinfo=UTC)),
        ("2026-07-08 12:15:00 PM UTC", datetime(2026, 7, 8, 12, 15, tzinfo=UTC)),
        ("2026-01-09 12:00:00 Europe/Paris", datetime(2026, 1, 9, 11, tzinfo=UTC)),
    ],
)
def test_leap_seconds_midnight_at_24_noon_and_the_summer_time_of_a_place(text: str, moment: datetime) -> None:
    assert parse_time(text, now=NOW, field="time") == moment.timestamp()
    assert leading_time(f"{text} refused", now=NOW) == moment.timestamp()


@pytest.mark.parametrize("hours", [8, -6])
def test_of_the_zones_with_one_abbreviation_the_one_in_which_it_is_now_is_meant(hours: int) -> None:
    there = datetime.fromtimestamp(HERE, timezone(timedelta(hours=hours)))
    assert leading_time(f"{there:%Y-%m-%d %H:%M:%S} CST refused", now=NOW) == HERE


@pytest.mark.parametrize(
    ("now", "line", "moment"),
    [
        ("2027-01-01T00:00:09+00:00", "Dec 31 23:59:58 refused", "2026-12-31T23:59:58+00:00"),
        ("2026-12-31T20:00:09+00:00", "Jan  1 06:59:58 refused", "2027-01-01T06:59:58+11:00"),
        ("2028-03-01T00:00:09+00:00", "Feb 29 23:59:58 refused", "2028-02-29T23:59:58+00:00"),
    ],
)
def test_a_time_without_a_year_is_of_the_year_in_which_it_was_just_now(now: str, line: str, moment: str) -> None:
    expected = datetime.fromisoformat(moment)
    found = leading_time(
        line,
        now=datetime.fromisoformat(now).timestamp(),
        zoneless=lambda written: written.replace(tzinfo=expected.tzinfo).timestamp(),
    )
    assert found == expected.timestamp()


@pytest.mark.parametrize(
    "value",
    [
        "1.783605789e9", "1.783605789E+12", " 1783605789 ", "+1783605789", "1783605789,0", "/Date(1783605789000)/",
        "/Date(1783605789000+0200)/", {"$date": "2026-07-09T14:03:09Z"}, {"$date": 1783605789000},
        {"seconds": 1783605789, "nanos": 0}, {"epochSecond": 1783605789, "nanoOfSecond": 0}, [2026, 7, 9, 14, 3, 9],
        [2026, 7, 9, 14, 3, 9, 0], "  2026-07-09T14:03:09Z ",
    ],
)  # fmt: skip
def test_times_of_other_languages_and_libraries_are_understood(value: object) -> None:
    assert parse_time(value, now=NOW, field="time") == HERE


@pytest.mark.parametrize(
    "value",
    ["soon", "35ms", "14:03:09", "2026-07-09 refused", "9 lives", "31/31/2026 09:03:09", "2026-07-09 25:03:09",
     {"seconds": "many"}, {"$date": None}, [2026, 7], [2026, 13, 9, 14, 3], [True] * 6, "2026-07-09 09:61:09 UTC"],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(FieldError):
        parse_time(value, now=NOW, field="time")
