# ruff: noqa: RUF001 - Cyrillic letters look like Latin ones
"""Times are read in the forms of exports, spreadsheets, logs and scripts; a column has one order of day and month."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.backtest.reading.options import DateOrder
from bot.backtest.reading.times.dates import order_of
from bot.backtest.reading.times.stamps import Stamp, Unread, excel_time, is_clock, is_without_year, read_time

MOMENT = datetime(2026, 7, 2, 13, 0, tzinfo=UTC).timestamp()


def seconds(cell: str, order: DateOrder = DateOrder.DAY_FIRST) -> float:
    found = read_time(cell, order)
    assert isinstance(found, Stamp), cell
    return found.seconds


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-07-02 13:00:00", "2026-07-02T13:00Z", "2026/07/02 13:00", "2026.07.02 13:00:00", "2026-7-2 13:00"),
        *("2026-07-02 13:00:00 UTC", "2026-07-02 15:00:00 +02:00", "2026-07-02 15:00:00+0200", "2026-07-02T08:00-05"),
        *("2026-07-02 15:00 CEST", "2026-07-02 09:00:00 EDT", "2026-07-02 15:00 Europe/Berlin", "2026-07-02 13:00 GMT"),
        *("2026-07-02T15:00:00+02:00[Europe/Berlin]", "2026-07-02 13:00:00,000", "2026-07-02 13:00:00.000000000Z"),
        *("02/07/2026 13:00", "2/7/2026 13:00:00", "02.07.2026 13:00", "02-07-2026 13:00", "02/07/26 1:00 PM"),
        *(
            "Jul 2, 2026 1:00 PM",
            "July 2nd, 2026, 1:00:00 PM",
            "2 Jul 2026 13:00",
            "02-Jul-2026 13:00:00",
            "2 July 2026 1 pm",
        ),
        *(
            "Thu, 02 Jul 2026 13:00:00 GMT",
            "Thu Jul  2 13:00:00 2026",
            "Thu Jul 2 13:00:00 UTC 2026",
            "02-JUL-26 13:00",
        ),
        *("Thu Jul 02 2026 15:00:00 GMT+0200 (Central European Summer Time)", "02/Jul/2026:15:00:00 +0200"),
        *("20260702T130000Z", "20260702130000", "20260702 1300", "2026-07-02 1:00\u202fPM", "2026-Jul-02 13:00"),
        *(
            "Jul 2, 2026 @ 13:00:00.000",
            "2. Juli 2026 13:00",
            "2 juil. 2026 13:00",
            "02 jul 2026 um 13:00",
            "2-lug-2026 13:00",
            "2026-07-02 15:00:00.000000000 +0200 CEST",
            "2026-07-02 13:00:00 +0000 UTC m=+0.113112869",
            "2/7/2026, 1:00:00 p.\u00a0m.",
            "2026\u5e747\u67082\u65e5 13:00",
            f"{MOMENT:,.0f}",
            f"{MOMENT:.0f}",
            f"{MOMENT:.3f}",
            f"{MOMENT * 1e3:.0f}",
            f"{MOMENT * 1e6:.0f}",
            f"{MOMENT * 1e9:.0f}",
            "1.7829972e9",
        ),
    ],
)
def test_a_time_is_read_in_the_usual_forms(cell: str) -> None:
    assert seconds(cell) == MOMENT


@pytest.mark.parametrize(
    "cell",
    [
        *("2.7.2026 13.00", "02.07.2026, 13:00 Uhr", "2. Juli 2026, 13 Uhr", "Do., 02.07.2026 13:00:00"),
        *("2 juillet 2026 à 13:00", "02/07/2026 13h00", "02/07/2026 13 h 00 min 00 s", "jeudi 2 juillet 2026 13:00"),
        *("2 de julio de 2026 13:00", "jue. 2 jul 2026, 13:00", "2 luglio 2026 alle ore 13:00", "2 juli 2026 om 13:00"),
        *("2. juli 2026 kl. 13.00", "2 lipca 2026 13:00", "2 iul. 2026 13:00", "2 Tem 2026 13:00"),
        *("2 июля 2026 г., 13:00", "2 липня 2026 р. 13:00"),
        *("2026/7/2 下午1:00:00", "2026年7月2日 13時00分", "2026年7月2日13时00分00秒"),
        *("2026. 7. 2. 오후 1:00", "2026년 7월 2일 13시 00분"),
        *("02-JUL-26 01.00.00.000000 PM", "02-JUL-26 03.00.00.000000000 PM +02:00", "2026-07-02-13.00.00.000000"),
        *("2026-07-02_13-00-00", "2026-07-02T13-00-00", "2026-07-02_13:00", "20260702_130000", "20260702-130000"),
        *("2026-183T13:00:00Z", "2026-183 13:00", "@1782997200", "/Date(1782997200000)/", "1782997200,0"),
        *("2026-07-02 13:00:00 PM", "2026-07-02T13:00:00.000000Z[UTC]", "2026-07-02 09:00:00 America/New York"),
        *("2026-07-02 09:00 America/New_York", "2026-07-02 06:00 America/Los_Angeles", "2026070213"),
        *("2026-07-02 13:00 - 2026-07-02 13:05", "02/07/2026 1:00:00 PM - 1:05:00 PM", "02.07.2026 13:00 – 13:05"),
        *("2026-07-02T13:00:00Z/2026-07-02T13:05:00Z", "2026-07-02 13:00 to 2026-07-02 14:00"),
    ],
)
def test_a_time_is_read_in_other_languages_and_with_other_clocks(cell: str) -> None:
    assert seconds(cell) == MOMENT


@pytest.mark.parametrize("cell", ["1 " * 3000, "1." * 3000, "2026-07-02 " * 500, "1:" * 3000, "1-1 " * 2000])
def test_a_long_cell_is_no_time_and_costs_none(cell: str) -> None:
    assert read_time(cell) is Unread.NO_TIME
    assert not is_clock(cell)


@pytest.mark.parametrize("cell", ["2026-07-02 13:00 +530", "2026-07-02 13:00 -120", "2026-000"])
def test_what_might_mean_something_else_is_no_time(cell: str) -> None:
    assert read_time(cell) is Unread.NO_TIME


def test_a_clock_of_24_hours_may_say_its_half_again_and_no_other() -> None:
    assert seconds("02/07/2026 00:15 AM") == seconds("02/07/2026 00:15")
    assert read_time("02/07/2026 13:15 AM") is Unread.NO_TIME


@pytest.mark.parametrize(
    ("cell", "is_such"),
    [("Jul 2, 11:00AM", True), ("02.07. 11:00", True), ("2 Jul 11:00", True), ("2 Jul 2026", False), ("1.5", True)],
)
def test_a_date_without_its_year_is_told_from_others(cell: str, is_such: bool) -> None:
    assert is_without_year(cell) is is_such


@pytest.mark.parametrize(
    ("cell", "day"),
    [("2026-07-02", 2), ("2 Jul 2026", 2), ("20260702", 2), ("2026-07", 1), ("01/07/2026 24:00", 2), ("Jul 2 2026", 2)],
)
def test_a_date_alone_is_its_first_moment(cell: str, day: int) -> None:
    assert seconds(cell) == datetime(2026, 7, day, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "n/a",
        "yesterday",
        "12",
        "1e300",
        "31/02/2026",
        "2026-13-01",
        "0001-01-01T00:00:00Z",
        "30/12/1899",
        "Total",
        "13:00",
        "2026-07-02 25:00",
        "99",
        "10.0.0.1",
    ],
)
def test_what_is_no_time_is_told_so(cell: str) -> None:
    assert read_time(cell) is Unread.NO_TIME


def test_a_zone_with_several_meanings_is_not_guessed() -> None:
    assert read_time("2026-07-02 13:00 IST") is Unread.ZONE
    assert read_time("2026-07-02 13:00 BST") is Unread.ZONE


def test_a_time_of_day_and_the_days_of_a_spreadsheet_are_told_from_others() -> None:
    assert is_clock("13:00")
    assert is_clock("1 PM")
    assert not is_clock("13")
    assert not is_clock("2026-07-02")
    found = excel_time("46205.541666666664")
    assert found is not None
    assert found.seconds == MOMENT
    assert excel_time("12") is None
    assert excel_time("-1e308") is None


@pytest.mark.parametrize(
    ("cells", "order", "is_said"),
    [
        (["01/02/2026", "13/02/2026"], DateOrder.DAY_FIRST, False),
        (["01/02/2026", "02/13/2026"], DateOrder.MONTH_FIRST, False),
        (["01.02.2026", "02.02.2026"], DateOrder.DAY_FIRST, False),
        (["02/02/2026 00:00", "02/02/2026 00:05"], DateOrder.DAY_FIRST, False),
        ([f"{day:02}/07/2026" for day in range(1, 13)], DateOrder.DAY_FIRST, True),
        ([f"07/{day:02}/2026" for day in range(1, 13)], DateOrder.MONTH_FIRST, True),
        (["2026-07-01", "02/07/2026"], DateOrder.DAY_FIRST, True),
        (["2026-07-01", "07/02/2026"], DateOrder.MONTH_FIRST, True),
        (["03/04/2026 13:00", "03/04/2026 13:05"], DateOrder.DAY_FIRST, True),
        (["03/04/2026 1:00 PM", "03/04/2026 1:05 PM"], DateOrder.MONTH_FIRST, True),
        (["3/4/26 13:00", "3/4/26 13:05"], DateOrder.MONTH_FIRST, True),
        (["3.4.26 13:00", "3.4.26 13:05"], DateOrder.DAY_FIRST, False),
        ([f"26-07-{day:02}" for day in range(1, 30)], DateOrder.YEAR_FIRST, False),
        ([f"26/07/{day:02} 13:00" for day in (2, 3)], DateOrder.YEAR_FIRST, False),
        (["26/07/02 13:00", "26/07/02 13:05"], DateOrder.DAY_FIRST, True),
        ([f"{day:02}/07/26" for day in range(1, 30)], DateOrder.DAY_FIRST, False),
        ([f"07/{day:02}/26" for day in range(1, 30)], DateOrder.MONTH_FIRST, False),
    ],
)
def test_the_whole_column_decides_whether_the_day_comes_first(
    cells: list[str], order: DateOrder, is_said: bool
) -> None:
    decided = order_of(cells, None)

    assert decided.order is order
    assert bool(decided.note) is is_said
    assert not is_said or "--dates" in decided.note


def test_what_a_person_says_of_dates_counts_alone() -> None:
    assert order_of(["13/02/2026"], DateOrder.MONTH_FIRST).order is DateOrder.MONTH_FIRST
    assert seconds("26/07/02 13:00", DateOrder.YEAR_FIRST) == MOMENT
    assert seconds("02/07/2026 13:00", DateOrder.YEAR_FIRST) == MOMENT


def test_dates_without_zeros_are_american_only_between_commas() -> None:
    cells = ["3/4/26 13:00", "3/4/26 13:05"]

    assert order_of(cells, None, ";").order is DateOrder.DAY_FIRST
    assert order_of(cells, None, "\t").order is DateOrder.MONTH_FIRST
