"""A metric's own CSV history through the detector: read, told, drawn, and refused with the line and the column."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bot.backtest import CsvError, History, read_history, run
from bot.backtest_chart import DRAWN, chart_of, drawn_places
from detection.streams import score_stream

START = datetime(2026, 2, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queue_depth.csv"


def values() -> np.ndarray:
    measured = 100 + np.random.default_rng(1).normal(0, 3, 2000)
    measured[1500:1505] = 400.0
    return measured


def written(file: Path, measured: np.ndarray) -> Path:
    rows = [
        f"{datetime.fromtimestamp(START + 300 * place, UTC):%Y-%m-%d %H:%M:%S},{value:.3f}"
        for place, value in enumerate(measured)
    ]
    file.write_text("\n".join(["timestamp,value", *rows]))
    return file


def told(file: Path, chart: Path | None = None) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=120)
    code = run(file, chart=chart, console=console)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


def read(file: Path, text: str) -> History:
    file.write_text(text)
    return read_history(file)


def test_what_would_have_fired_is_told_with_when_and_what_was_expected(file: Path) -> None:
    code, text = told(written(file, values()))
    [row] = [line for line in text.splitlines() if "2026-02-06 05:00:00" in line]

    assert code == 0
    assert "2,000 points, 2026-02-01 00:00:00 to 2026-02-07 22:35:00" in text
    assert "400" in row


def test_a_history_in_which_nothing_happened_says_so(file: Path) -> None:
    assert told(written(file, np.full(500, 7.0)))[1].splitlines()[-1] == "Nothing would have fired."


def test_a_short_history_is_said_to_be_short(file: Path) -> None:
    assert "give it a longer history" in told(written(file, np.full(50, 7.0)))[1]


def test_the_chart_is_a_png_that_shows_the_alarms(file: Path, tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"

    code, text = told(written(file, values()), chart)

    assert code == 0
    assert str(chart) in text.replace("\n", "")
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_chart_that_cannot_be_written_is_told(file: Path, tmp_path: Path) -> None:
    code, text = told(written(file, np.full(300, 7.0)), tmp_path / "nowhere" / "chart.png")

    assert code == 2
    assert "No such file or directory" in text.replace("\n", " ")


def test_the_chart_keeps_every_alarm_and_every_spike_of_a_long_history() -> None:
    measured = np.tile(values(), 2)
    scores = score_stream(START + 300 * np.arange(len(measured)), measured)
    places = drawn_places(measured)

    assert len(places) <= DRAWN
    assert measured[places].max() == 400.0
    assert places == sorted(places)
    assert f"{scores.anomalous.sum()} alarms" in str(chart_of(scores, "x")["title"])


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,value\n2026-02-01 00:00:00,1\n2026-02-01T00:05:00Z,2\n",
        "2026-02-01T01:00:00+01:00,1\r\n2026-02-01 00:05,2\r\n",
        f"{START:.0f},1\n{START + 300:.1f},2",
        f"\ufefftime,value,note\n{START * 1000:.0f},1,first\n\n{START * 1000 + 300_000:.0f},2,\n",
        f"{START + 300:.0f},2\n{START:.0f},1",
    ],
    ids=["header", "offset", "epoch", "milliseconds", "newest first"],
)
def test_times_are_read_in_the_usual_forms(file: Path, text: str) -> None:
    history = read(file, text)

    assert history.times.tolist() == [START, START + 300]
    assert history.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timestamp,value\n2026-02-01,1\n2026-02-01,much\n", "line 3, column 2: 'much' is not a finite number"),
        ("2026-02-01,1\nyesterday,2\n", "line 2, column 1: 'yesterday' is neither an ISO 8601 time nor epoch seconds"),
        ("2026-02-01,1\n\n2026-02-02,nan\n", "line 3, column 2: 'nan' is not a finite number"),
        ("2026-02-01,1\n2026-02-02\n", "line 2: there is no second column"),
        ("1e300,1\n", "line 1, column 1"),
        ("timestamp,value\n", "there is no point in it"),
        ("", "there is no point in it"),
        ("2026-02-01," + "x" * 5000, "line 1, column 2: '" + "x" * 40 + "…'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_line_and_the_column(file: Path, text: str, words: str) -> None:
    with pytest.raises(CsvError) as refused:
        read(file, text)

    assert words in str(refused.value)


def test_a_file_that_is_no_text_is_refused_and_a_missing_one_told(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"\x89PNG\xff\xfe\x00\x01")

    assert told(file)[0] == 2
    assert "not a text file" in told(file)[1]
    assert "No such file or directory" in told(tmp_path / "missing.csv")[1]
