"""Numbers are read with the marks, units and words for nothing of exports and spreadsheets."""

from __future__ import annotations

import pytest

from bot.backtest.reading.numbers import Cell, NumberColumn, looks_like_a_number, read_numbers
from bot.backtest.reading.options import DecimalMark


def column(*cells: str, wanted: DecimalMark | None = None, delimiter: str = ",") -> NumberColumn:
    return read_numbers(cells, "load", wanted, delimiter)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2.5", "-3e2", "+.5", "4."], [1, 2.5, -300, 0.5, 4]),
        (["2,307.2", "12", "1,234,567.8"], [2307.2, 12, 1234567.8]),
        (["2.307,2", "12", "1.234.567,8"], [2307.2, 12, 1234567.8]),
        (["1,5", "0,25", "12"], [1.5, 0.25, 12]),
        (["1 234,5", "1\u202f234\u202f567", "1\u00a0234"], [1234.5, 1234567, 1234]),
        (["1'234.5", "1\u2019234"], [1234.5, 1234]),
        (["12,34,567.5", "1,00,000"], [1234567.5, 100000]),
        (["\u22125", "(1,204.50)", "- 3"], [-5, -1204.5, -3]),
        (["$1,204.50", "-$3.20", "$ 7"], [1204.5, -3.2, 7]),
        (["1.204,50 €", "7,20 €"], [1204.5, 7.2]),
        (["EUR 12.5", "EUR 7"], [12.5, 7]),
        (["true", "FALSE", "True"], [1, 0, 1]),
        (["UP", "down", "up"], [1, 0, 1]),
        (["1.234,56-", "12,00", "5,5-"], [-1234.56, 12, -5.5]),
        (["1,5 Mio.", "0,3 Mio."], [1.5e6, 3e5]),
    ],
)
def test_marks_and_currencies_are_read(cells: list[str], values: list[float]) -> None:
    assert column(*cells).values == pytest.approx(values)


@pytest.mark.parametrize(
    ("cells", "values", "unit"),
    [
        (["230.7 K", "900", "1.2 M", "1.5 Bil"], [230_700, 900, 1.2e6, 1.5e9], ""),
        (["230.7K", "1.2B"], [230_700, 1.2e9], ""),
        (["350 ms", "420 ms"], [350, 420], "ms"),
        (["350 ms", "1.2 s", "2 min", "80 µs"], [0.35, 1.2, 120, 8e-5], "s"),
        (["1h 2m 3s", "1m30s", "45s"], [3723, 90, 45], "s"),
        (["0:05:12", "1:00:00.5"], [312, 3600.5], "s"),
        (["1.2 GB", "980 MB", "0 B"], [1.2e9, 9.8e8, 0], "bytes"),
        (["1 GiB", "512 KiB"], [2**30, 2**19], "bytes"),
        (["128Mi", "1Gi", "64974Ki"], [2**27, 2**30, 64974 * 1024], "bytes"),
        (["250m", "1", "2500m"], [0.25, 1, 2.5], ""),
        (["1.2 MB/s", "300 kB/s", "0 B/s"], [1.2e6, 3e5, 0], "bytes/s"),
        (["120 req/min", "1 req/s"], [2, 1], "req/s"),
        (["12 %", "3.5%"], [12, 3.5], ""),
        (["12%", "3.5%"], [12, 3.5], "%"),
        (["12.5 °C", "13 °C"], [12.5, 13], "°C"),
        (["1.2 K ops/s", "900 ops/s"], [1200, 900], "ops/s"),
        (["800 MHz", "1.2 GHz"], [8e8, 1.2e9], "Hz"),
    ],
)
def test_units_are_read_and_made_one_where_they_differ(cells: list[str], values: list[float], unit: str) -> None:
    read = column(*cells)

    assert read.values == pytest.approx(values)
    assert read.unit == (unit or read.unit)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        "NaN",
        "nan",
        "null",
        "NULL",
        "None",
        "nil",
        "-",
        "\u2013",
        "N/A",
        "n/a",
        "#N/A",
        "\\N",
        "undefined",
        "+Inf",
        "inf",
    ],
)
def test_an_empty_cell_and_words_for_nothing_are_no_value(cell: str) -> None:
    assert column("1", cell, "2.5 K").values == (1.0, Cell.NOTHING, 2500.0)


@pytest.mark.parametrize(
    "cell",
    ["much", "5xx", "1.2.3", "web-1", "12 34", "1,2,3", "7 of 9", "2026-07-02", "0x1F", "(5", "a1", "1.2-3.4", "<1"],
)
def test_what_is_no_number_is_told_so(cell: str) -> None:
    assert column("1", cell, "2").values == (1.0, Cell.NO_NUMBER, 2.0)


@pytest.mark.parametrize("word", ["up", "fail", "no", "ok"])
def test_a_word_for_a_state_is_no_number_among_numbers(word: str) -> None:
    assert column("1", word, "2").values == (1.0, Cell.NO_NUMBER, 2.0)


def test_what_states_are_read_as_is_said() -> None:
    read = column("ok", "", "fail")

    assert read.values == (1.0, Cell.NOTHING, 0.0)
    assert read.notes == ("load is read with ok as 1, fail as 0.",)


def test_a_value_in_a_unit_of_another_kind_is_not_mixed_in() -> None:
    assert column("1 KB", "2 MB", "3 ms", "4 KB").values == (1000.0, 2e6, Cell.OTHER_UNIT, 4000.0)
    assert column("250 ms", "1.2 s", "7", "0").values == (0.25, 1.2, Cell.OTHER_UNIT, 0.0)
    assert column("1", "7 apples", "2", "3").values == (1.0, Cell.OTHER_UNIT, 2.0, 3.0)


@pytest.mark.parametrize(
    ("cells", "delimiter", "first", "said"),
    [
        (["2,307", "998"], ",", 2307, "is read with 2,307 as 2307; with --decimal comma it is 2.307"),
        (["2,307", "0,998"], ";", 2.307, "with decimal commas, such as 2,307"),
        (["2,307", "1,998"], ";", 2.307, "as 2.307; with --decimal dot it is 2307"),
        (["2,307", "12345"], ",", 2.307, "with --decimal dot"),
        (["2.307", "998"], ",", 2.307, ""),
        (["2.307", "1.002", "3.500", "998"], ";", 2307, "with dots between thousands, such as 2.307"),
        (["2.307", "1.5", "3.500", "998"], ";", 2.307, ""),
    ],
)
def test_the_whole_column_decides_what_a_mark_separates(
    cells: list[str], delimiter: str, first: float, said: str
) -> None:
    read = column(*cells, delimiter=delimiter)

    assert read.values[0] == first
    assert said in " ".join(read.notes)
    assert bool(said) == bool(read.notes)


def test_what_a_person_says_of_the_decimal_mark_counts() -> None:
    assert column("2,307", wanted=DecimalMark.COMMA).values == (2.307,)
    assert column("2.307", wanted=DecimalMark.COMMA).values == (2307.0,)
    assert column("2,307", wanted=DecimalMark.DOT, delimiter=";").values == (2307.0,)


def test_words_and_classes_do_not_look_like_numbers() -> None:
    assert not any(map(looks_like_a_number, ["5xx", "web-1", "eu-west-1a", "v2", "10.0.0.1"]))
