"""`argux backtest`: read a CSV history, print its alarms, draw the chart, and refuse bad files by line and column."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot.backtest import command
from bot.backtest.chart import MOST_POINTS, ChartData, chart_specification, drawn_indices
from bot.backtest.command import run
from bot.backtest.csv_history import CsvError, FunnelHistory, History, read_history
from bot.backtest.funnel import replay
from bot.backtest.funnel_screen import FunnelScreen
from bot.backtest.reading.options import DateOrder, ReadingOptions
from bot.backtest.shown_zone import ShownZone
from bot.cli import app
from detection.types import Floats
from integrations.errors import RetryableError
from workers.settings import Settings

START = datetime(2026, 2, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queue_depth.csv"


def settings(**others: object) -> Settings:
    return Settings(_env_file=None, **others)  # type: ignore[arg-type]


def week_with_a_spike() -> Floats:
    """Return a week of values, one per five minutes, with an hour of high values on the sixth day."""
    measured = 100 + np.random.default_rng(1).normal(0, 3, 2000)
    measured[1500:1512] = 400.0
    return measured


def write_history(file: Path, measured: Floats) -> Path:
    rows = [
        f"{datetime.fromtimestamp(START + 300 * place, UTC):%Y-%m-%d %H:%M:%S},{value:.3f}"
        for place, value in enumerate(measured)
    ]
    file.write_text("\n".join(["timestamp,value", *rows]))
    return file


def run_backtest(file: Path, chart: Path | None = None, **others: object) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=120)
    code = run(file, chart=chart, console=console, settings=settings(**others))
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


def read_metric_history(file: Path, text: str) -> History:
    file.write_text(text)
    [history] = read_history(file).series
    assert isinstance(history, History)
    return history


def read_funnel_history(file: Path) -> FunnelHistory:
    [history] = read_history(file).series
    assert isinstance(history, FunnelHistory)
    return history


def test_an_alarm_is_printed_with_its_time_and_the_expected_value(file: Path) -> None:
    code, text = run_backtest(write_history(file, week_with_a_spike()))
    [row] = [line for line in text.splitlines() if "2026-02-06 05:" in line]

    assert code == 0
    assert "2,000 points of queue_depth, 2026-02-01 00:00 to 2026-02-07 22:35" in text
    assert "queue_depth is 400, normally 99.62" in row
    assert "1 alarm would have fired." in text


def test_a_history_without_alarms_says_that_nothing_would_have_fired(file: Path) -> None:
    assert run_backtest(write_history(file, np.full(500, 7.0)))[1].splitlines()[-1] == "Nothing would have fired."


def test_a_history_too_short_or_too_sparse_says_what_is_needed(file: Path) -> None:
    needs = "Too little to judge: a metric is judged once 124 points and a day and a half of it are known."
    short = run_backtest(write_history(file, np.full(200, 7.0)))[1]
    assert needs in short
    assert "Nothing would have fired" not in short
    hourly = [f"{START + 3600 * hour:.0f},{hour % 7}" for hour in range(100)]
    file.write_text("\n".join(hourly))
    assert needs in run_backtest(file)[1]


def test_the_settings_decide_what_fires(file: Path) -> None:
    drop = write_funnel(file, minutes=60, entries=1500)
    assert "Nothing would have fired." in run_backtest(drop, min_drop_percent=70)[1]


def test_a_repeated_row_counts_once_and_is_reported(file: Path) -> None:
    once = run_backtest(write_history(file, week_with_a_spike()))[1]
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([header, *(row for row in rows for _ in range(2))]))

    twice = run_backtest(file)[1].splitlines()
    told = "2,000 rows said again what another had said, and counted once."

    assert told in twice
    assert [line for line in twice if line != told] == once.splitlines()


def test_the_grain_and_the_true_coverage_are_stated(file: Path) -> None:
    header, *rows = write_history(file, week_with_a_spike()).read_text().splitlines()
    file.write_text("\n".join([header, *rows[:1000], *rows[1024:1100], *rows[1101:]]))

    text = run_backtest(file)[1]

    assert (
        "One point every 5 min; 1,975 of 2,000 expected points (98.8%); 2 gaps, the longest 2 h from 2026-02-04 11:15."
    ) in text
    assert "of 1,975 points could be judged" in text


def test_what_was_left_out_is_counted_by_reason_in_one_block(file: Path) -> None:
    header, *rows = write_history(file, week_with_a_spike()).read_text().splitlines()
    for line, value in ((3, ""), (4, "null"), (40, "n.m."), (90, "offline")):
        rows[line - 2] = rows[line - 2].split(",")[0] + "," + value
    file.write_text("\n".join([header, *rows, "Total,200000"]))

    code, text = run_backtest(file)

    assert code == 0
    assert "Left out, from 5 lines of 2,001:" in text
    assert "- 2 without a value (empty, NaN, null, inf, -): lines 3 to 4." in text
    assert "- 2 with a value that is no number: lines 40 'n.m.', 90 'offline'. Write a number, or leave" in text
    assert "- 1 with a time that cannot be read: line 2002 'Total'. Write it as 2026-07-02 13:00:00Z" in text
    assert "1 alarm would have fired." in text


def test_each_series_of_a_file_is_judged_and_drawn_apart(file: Path, tmp_path: Path) -> None:
    broken, steady = week_with_a_spike(), 100 + np.random.default_rng(4).normal(0, 3, 2000)
    rows = ["time,host,value"]
    for place, (one, other) in enumerate(zip(broken, steady, strict=True)):
        moment = f"{datetime.fromtimestamp(START + 300 * place, UTC):%Y-%m-%dT%H:%MZ}"
        rows += [f"{moment},web-1,{one:.2f}", f"{moment},web-2,{other:.2f}"]
    file.write_text("\n".join(rows))

    code, text = run_backtest(file, tmp_path / "chart.png")
    [alarm] = [line for line in text.splitlines() if "normally" in line]

    assert code == 0
    assert "queue_depth (host=web-1), queue_depth (host=web-2): each 2,000 points, 2026-02-01 00:00 to" in text
    assert "One point every 5 min; 2,000 of 2,000 expected points; no gap." in text
    assert "web-1" in alarm
    assert [path.name for path in tmp_path.glob("*.png")] == ["chart-queue_depth-host-web-1.png"]


def test_on_a_narrow_terminal_alarms_stand_one_under_the_other(file: Path) -> None:
    console = Console(file=io.StringIO(), width=40)
    run(write_history(file, week_with_a_spike()), chart=None, console=console, settings=settings())
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()

    assert "1. queue_depth is 400, normally 99.62\n   began   2026-02-06 0" in text


def test_the_options_reach_the_reading(file: Path) -> None:
    file.write_text("day,load,temp\n02/07/2026 00:00,1,3\n02/07/2026 00:05,2,4\n")
    options = ReadingOptions(column="temp", dates=DateOrder.MONTH_FIRST, zone="America/New_York")
    console = Console(file=io.StringIO(), width=120)
    run(file, chart=None, console=console, settings=settings(), options=options)
    assert isinstance(console.file, io.StringIO)

    assert "2 points of temp, 2026-02-07 00:00 to 2026-02-07 00:05 New York" in console.file.getvalue()


@pytest.mark.parametrize("zone", ["", "Asia/Tokyo"])
def test_times_are_shown_in_the_zone_of_the_file_or_of_the_team(file: Path, zone: str) -> None:
    console = Console(file=io.StringIO(), width=120)
    write_history(file, week_with_a_spike())
    team = settings(argux_timezone="Europe/Berlin")
    run(file, chart=None, console=console, settings=team, options=ReadingOptions(zone=zone))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()

    first, name = ("2026-02-01 00:00", "Tokyo") if zone else ("2026-02-01 01:00", "Berlin")
    assert f"2,000 points of queue_depth, {first} to" in text
    assert f"began ({name})" in text
    assert f"2026-02-06 0{5 if zone else 6}:" in text or f"2026-02-06 0{4 if zone else 5}:59" in text


def test_a_name_in_square_brackets_is_printed_literally(tmp_path: Path) -> None:
    file = write_history(tmp_path / "depth[bold].csv", week_with_a_spike())

    assert "depth[bold] is 400" in run_backtest(file)[1]


def test_several_files_are_told_one_after_the_other_and_the_standard_input_is_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "render_png", lambda specification: b"")
    monkeypatch.setattr("bot.cli.read_settings", settings)
    monkeypatch.chdir(tmp_path)
    steady = "time;Wert\n" + "".join(f"01.02.2026 {n // 60:02}:{n % 60:02};5\n" for n in range(60))
    write_history(file, np.full(50, 5.0))

    both = CliRunner().invoke(app, ["backtest", str(file), "-"], input=steady)
    missing = CliRunner().invoke(app, ["backtest", "none.csv", str(file)])
    named = CliRunner().invoke(app, ["backtest", str(file), "-", "--chart", "one.png"])

    assert both.exit_code == 0
    assert both.output.index("50 points of queue_depth") < both.output.index("60 points of history")
    assert {path.name for path in tmp_path.glob("*.png")} == {"queue_depth.backtest.png", "history.backtest.png"}
    assert missing.exit_code == 2
    assert "50 points of queue_depth" in missing.output
    assert named.exit_code == 1
    assert "--chart names the picture of one file" in named.output


def test_the_chart_is_a_png_that_shows_the_alarms(file: Path, tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"

    code, text = run_backtest(write_history(file, week_with_a_spike()), chart)

    assert code == 0
    assert str(chart) in text.replace("\n", "")
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_chart_that_cannot_be_written_is_an_error_with_its_reason(file: Path, tmp_path: Path) -> None:
    code, text = run_backtest(write_history(file, np.full(300, 7.0)), tmp_path / "nowhere" / "chart.png")

    assert code == 2
    assert "No such file or directory" in text.replace("\n", " ")


def test_a_chart_that_cannot_be_drawn_costs_no_alarm(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(specification: object) -> bytes:
        raise RetryableError("Chart", "it could not be drawn: timed out")

    monkeypatch.setattr(command, "render_png", fails)

    code, text = run_backtest(write_history(file, week_with_a_spike()), tmp_path / "chart.png")

    assert code == 2
    assert "1 alarm would have fired." in text
    assert "the chart could not be drawn in time; what is told above holds." in text


def test_the_chart_keeps_every_alarm_and_every_spike_of_a_long_history() -> None:
    measured = np.tile(week_with_a_spike(), 2)
    unknown, fired = np.full(len(measured), np.nan), measured > 300
    chart_data = ChartData(
        START + 300.0 * np.arange(len(measured), dtype=np.float64), measured, unknown, unknown, fired
    )
    places = drawn_indices(measured)

    assert len(places) <= MOST_POINTS
    assert measured[places].max() == 400.0
    assert places == sorted(places)
    assert "24 alarms" in str(chart_specification(chart_data, "x")["title"])


def test_a_chart_in_the_teams_zone_shows_its_local_times() -> None:
    one, unknown = np.array([START]), np.array([np.nan])
    chart_data = ChartData(one, np.array([7.0]), unknown, unknown, np.array([True]))
    specification = str(chart_specification(chart_data, "x", ShownZone(ZoneInfo("Asia/Kolkata"), "Kolkata")))

    assert "times in Kolkata" in specification
    assert str(round(START + 5.5 * 3600) * 1000) in specification


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,value\n2026-02-01 00:00:00,1\n2026-02-01T00:05:00Z,2\n",
        "2026-02-01T01:00:00+01:00,1\r\n2026-02-01 00:05,2\r\n",
        f"{START:.0f},1\n{START + 300:.1f},2",
        f"\ufefftime,value,note\n{START * 1000:.0f},1,first\n\n{START * 1000 + 300_000:.0f},2,\n",
        f"{START + 300:.0f},2\n{START:.0f},1",
        "host,value,time\na,1,2026-02-01\na,2,2026-02-01 00:05\n",
        "time;latency\n2026-02-01 00:00;1,0\n2026-02-01 00:05;2\n",
        "2026-02-01\t1\n2026-02-01T00:05\t2\n",
    ],
    ids=["header", "offset", "epoch", "milliseconds", "newest first", "named columns", "semicolons", "tabs"],
)
def test_times_are_read_in_the_usual_forms(file: Path, text: str) -> None:
    history = read_metric_history(file, text)

    assert history.times.tolist() == [START, START + 300]
    assert history.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timestamp,value\n2026-02-01,1\n2026-02-01,much\n", "no number: line 3 'much'"),
        ("2026-02-01,1\nyesterday,2\n", "a time that cannot be read: line 2 'yesterday'. Write it as 2026-07-02"),
        ("time,value\n2026-02-01,\n2026-02-02,nan\n", "2 without a value (empty, NaN, null, inf, -): lines 2 to 3"),
        ("2026-02-01,1\n2026-02-02\n", "1 with too few cells: line 2. Each line should be timestamp,value"),
        ("1e300,1\n", "line 1: no column holds times; '1e300' is none"),
        ("1,2\n", "line 1: no column holds times; '1' is none. A time is written as 2026-07-02 13:00:00Z"),
        ("2026-02-01,1\n2026-02-02,-1e308\n", "with a value beyond 1e+30: line 2 '-1e308'"),
        ("time,entries,orders\n2026-02-01,1e20,7\n", "counts that cannot be: line 2 '7 of 1e+20'"),
        ("foo,bar,baz\n1,2,3\n", "line 2: no column holds times; '1' is none"),
        ("2026-02-01,2,3\n", "line 1: 3 columns and no header that names them; write one, or name the metric"),
        ("time,host,state\n2026-02-01,a,up\n", "which column is the metric? No other than the time holds numbers"),
        ("time,entries,orders\n2026-02-01,5,7\n", "counts that cannot be: line 2 '7 of 5'"),
        ("time,entries,orders\n2026-02-01,5\n", "without a value (empty, NaN, null, inf, -) in orders: line 2"),
        ("timestamp,value\n2026-02-01,1,5\n2026-02-02,1,7\n", "quotes around it"),
        ("timestamp,value\n", "there is no point in it"),
        ("", "there is no point in it"),
        ("2026-02-01," + "x" * 5000, "line 1 '" + "x" * 40 + "…'"),
        ('time,value\n2026-02-01,"1\n2026-02-02,2\n', "line 2: a quote is opened and not closed again"),
        ('{"status":"success","data":{}}', "this is JSON, not CSV"),
        ("[[1769904000, 2], [1769904060, 3]]", "this is JSON, not CSV"),
        ("<!doctype html><title>Sign in</title>", "this is a web page"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_lines_and_how_to_mend_them(
    file: Path, text: str, words: str
) -> None:
    with pytest.raises(CsvError) as refused:
        read_metric_history(file, text)

    assert words in str(refused.value)


def test_a_binary_file_and_a_missing_file_are_refused(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"\x89PNG\xff\xfe\x00\x01")

    assert run_backtest(file)[0] == 2
    assert "not a text file" in run_backtest(file)[1]
    assert "No such file or directory" in run_backtest(tmp_path / "missing.csv")[1]


def write_funnel(file: Path, *, minutes: int, days: int = 8, entries: int = 100) -> Path:
    """Write a funnel's history: a conversion rate of one third, but of one sixth for an hour of the last day."""
    random, rows = np.random.default_rng(2), days * 1440 // minutes
    broken_from = rows - 720 // minutes
    lines = ["timestamp,visits,orders"]
    for row in range(rows):
        rate = 1 / 6 if broken_from <= row < broken_from + 60 // minutes else 1 / 3
        moment = datetime.fromtimestamp(START + 60 * minutes * row, UTC)
        lines.append(f"{moment:%Y-%m-%d %H:%M},{entries},{random.binomial(entries, rate)}")
    file.write_text("\n".join(lines))
    return file


def test_a_funnels_history_is_replayed_through_the_funnel_detector(file: Path, tmp_path: Path) -> None:
    code, text = run_backtest(write_funnel(file, minutes=60, entries=1500), tmp_path / "chart.png")

    assert code == 0
    assert "192 rows" in text
    assert "1 alarm would have fired" in text
    [row] = [line for line in text.splitlines() if "2026-02-08 12:" in line and "%" in line]
    assert "2026-02-08 13:00" in row
    assert "-5" in row or "-4" in row
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_rise_that_only_follows_a_drop_is_no_alarm(file: Path) -> None:
    """Users who could not convert during the drop convert after it: in production that is not reported either."""
    measured = read_funnel_history(write_funnel(file, minutes=60, entries=1500))
    conversions = measured.conversions.copy()
    [dropped] = np.flatnonzero(conversions < 350)
    conversions[dropped + 1] = 900
    with_echo = FunnelHistory(measured.times, measured.entries, conversions)
    conversions = conversions.copy()
    conversions[dropped] = 500
    rise_alone = FunnelHistory(measured.times, measured.entries, conversions)

    assert [one.subject.kind for one in replay(with_echo, settings()).alarms] == ["funnel"]
    assert [one.subject.kind for one in replay(rise_alone, settings()).alarms] == ["funnel_rise"]


def test_the_quick_check_misses_no_alarm(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = read_funnel_history(write_funnel(file, minutes=60, entries=1500))
    quick = replay(history, settings()).alarms
    monkeypatch.setattr(FunnelScreen, "may_have_finding", lambda screen, now, broken: True)

    assert quick == replay(history, settings()).alarms
    assert len(quick) == 1


def test_no_row_is_judged_by_later_rows(file: Path) -> None:
    whole = read_funnel_history(write_funnel(file, minutes=60, entries=1500))
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-9]))
    cut = read_funnel_history(file)
    kept = len(cut.times)
    assert (
        replay(cut, settings()).chart_data.fired.tolist() == replay(whole, settings()).chart_data.fired[:kept].tolist()
    )


@pytest.mark.parametrize(
    "rows",
    [
        ("time;visits;orders", "01.02.2026 00:00;1.204;998", "01.02.2026 01:00;912;2"),
        ("time,visits,orders", '2026-02-01 00:00,"1,204",998', "2026-02-01 01:00,912,2"),
    ],
)
def test_a_funnels_counts_are_whole_whatever_stands_between_their_thousands(file: Path, rows: tuple[str, ...]) -> None:
    file.write_text("\n".join(rows))
    history = read_funnel_history(file)

    assert history.entries.tolist() == [1204.0, 912.0]
    assert history.conversions.tolist() == [998.0, 2.0]


def test_each_country_of_a_funnel_is_a_funnel_of_its_own(file: Path) -> None:
    rows = [f"2026-02-01,{hour},{place},100,{hour}" for hour in range(24) for place in ("DE", "AT")]
    file.write_text("\n".join(["date,hour,country,visitors,orders", *rows]))

    code, text = run_backtest(file)

    assert code == 0
    assert (
        "queue_depth (country=DE), queue_depth (country=AT): each 24 rows, 2026-02-01 00:00 to 2026-02-01 23:00" in text
    )


def test_a_funnel_that_is_too_coarse_does_not_hide_the_others_of_its_file(file: Path) -> None:
    rows = [f"2026-02-{day:02} {hour:02}:00,DE,100,30" for day in range(1, 4) for hour in range(24)]
    rows += [f"2026-02-{day:02},AT,100,30" for day in range(1, 4)]
    file.write_text("\n".join(["time,country,visitors,orders", *rows]))

    code, text = run_backtest(file)

    assert code == 0
    assert "queue_depth (country=AT) is left out: the rows are 24 h apart; a funnel's history needs one an hour" in text
    assert "Nothing would have fired." in text


def test_an_hourly_funnel_is_read_and_a_daily_one_is_refused(file: Path) -> None:
    history = read_funnel_history(write_funnel(file, minutes=60))
    assert history.entries.tolist() == [100.0] * 192
    code, text = run_backtest(write_funnel(file, minutes=1440))
    assert code == 2
    assert "24 h apart" in text
