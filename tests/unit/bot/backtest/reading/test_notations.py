"""A series that is written in any of the accepted notations is read back the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.backtest.csv_history import History, read_history
from bot.backtest.reading.options import DateOrder, DecimalMark, ReadingOptions

BERLIN = ZoneInfo("Europe/Berlin")
Writes = Callable[[datetime], str]
TIMES: dict[str, Writes] = {
    "iso": lambda at: at.isoformat(),
    "z": lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}",
    "utc": lambda at: f"{at:%Y-%m-%d %H:%M:%S} UTC",
    "berlin offset": lambda at: at.astimezone(BERLIN).isoformat(sep=" "),
    "seconds": lambda at: f"{at.timestamp():.0f}",
    "milliseconds": lambda at: f"{at.timestamp() * 1000:.0f}",
    "nanoseconds": lambda at: f"{at.timestamp():.0f}000000000",
    "day first": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
    "month first": lambda at: f"{at:%m/%d/%Y %I:%M:%S %p}",
    "english": lambda at: f"{at:%b %d, %Y %I:%M:%S %p}",
    "rfc 2822": lambda at: f"{at:%a, %d %b %Y %H:%M:%S} +0000",
    "apache": lambda at: f"{at:%d/%b/%Y:%H:%M:%S} +0000",
    "compact": lambda at: f"{at:%Y%m%dT%H%M%SZ}",
}
NUMBERS: dict[str, tuple[Callable[[float], str], DecimalMark]] = {
    "plain": (lambda value: f"{value:.3f}", DecimalMark.DOT),
    "shortest": (repr, DecimalMark.DOT),
    "exponent": (lambda value: f"{value:.17e}", DecimalMark.DOT),
    "comma thousands": (lambda value: f"{value:,.3f}", DecimalMark.DOT),
    "spaces": (lambda value: f"{value:,.3f}".replace(",", "\u202f"), DecimalMark.DOT),
    "apostrophes": (lambda value: f"{value:,.3f}".replace(",", "'"), DecimalMark.DOT),
    "decimal comma": (lambda value: f"{value:.3f}".replace(".", ","), DecimalMark.COMMA),
    "german": (lambda value: f"{value:,.3f}".translate({44: 46, 46: 44}), DecimalMark.COMMA),
    "thousands": (lambda value: f"{value / 1000:.6f} K", DecimalMark.DOT),
    "milliseconds": (lambda value: f"{value:.3f} ms", DecimalMark.DOT),
    "percent": (lambda value: f"{value:.3f}%", DecimalMark.DOT),
    "dollars": (lambda value: f"${value:,.3f}".replace("$-", "-$"), DecimalMark.DOT),
    "accounts": (lambda value: f"({-value:,.3f})" if value < 0 else f"{value:,.3f}", DecimalMark.DOT),
}
EXAMPLES = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@EXAMPLES
@given(
    time=st.sampled_from(sorted(TIMES)),
    number=st.sampled_from(sorted(NUMBERS)),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    has_header=st.booleans(),
    minutes=st.lists(st.integers(0, 500_000), min_size=2, max_size=20, unique=True),
    thousandths=st.lists(st.integers(-(10**9), 10**9), min_size=20, max_size=20),
)
def test_a_series_is_read_as_it_was_written(
    tmp_path: Path,
    time: str,
    number: str,
    delimiter: str,
    encoding: str,
    has_header: bool,
    minutes: list[int],
    thousandths: list[int],
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [first + timedelta(minutes=minute) for minute in minutes]
    values = [thousandth / 1000 for thousandth in thousandths[: len(minutes)]]
    written, mark = NUMBERS[number]
    rows = [
        delimiter.join(f'"{cell}"' for cell in (TIMES[time](at), written(value)))
        for at, value in zip(moments, values, strict=True)
    ]
    file = tmp_path / "written.csv"
    file.write_text("\n".join([f"time{delimiter}load"] * has_header + rows), encoding=encoding)
    order = DateOrder.MONTH_FIRST if time == "month first" else DateOrder.DAY_FIRST

    read = read_history(file, ReadingOptions(dates=order, decimal=mark))

    [history] = read.series
    assert isinstance(history, History)
    order_in_time = sorted(range(len(moments)), key=minutes.__getitem__)
    assert history.times.tolist() == [moments[place].timestamp() for place in order_in_time]
    assert history.values.tolist() == pytest.approx([values[place] for place in order_in_time])
    assert read.left_out.reasons == {}


@EXAMPLES
@given(
    before=st.sampled_from(["", "time,value\n", "date;hour;host;value\n", "time,visits,orders\n2026-02-01,3,1\n"]),
    text=st.text(st.sampled_from('0123456789.,;:-/ "\n\tKMTZaeinpmu%$()#{}=\xe9\u202f\xb2'), max_size=120),
    zone=st.sampled_from(["", "Europe/Berlin"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, before: str, text: str, zone: str) -> None:
    file = tmp_path / "any.csv"
    file.write_text(f"{before}{text}\n2026-02-01,1\n2026-02-01 00:05,2\n2026-02-01 00:10,3\n{text}")
    try:
        read = read_history(file, ReadingOptions(zone=zone))
    except ValueError as error:
        assert type(error).__name__ == "CsvError"  # noqa: PT017 - a refusal is one of two right ends
        return
    assert all((one.times[1:] > one.times[:-1]).all() for one in read.series)
