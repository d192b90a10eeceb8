"""`argux backtest FILE.csv`: what the detectors would have said about a metric's or a funnel's own history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bot.backtest_chart import chart_of
from bot.backtest_csv import CsvError, FunnelHistory, History, read_history
from bot.backtest_funnel import FunnelReplay, replay
from detection.streams import StreamScores, score_stream
from integrations.charts import render_png

LEAST_POINTS = 200
_ENOUGH_SECONDS = 8 * 86_400


def run(file: Path, *, chart: Path | None, console: Console) -> int:
    """Print what would have fired, and write the chart where one is asked for. Returns the exit code.

    0 whether or not anything fired, 2 when the file cannot be read or the chart cannot be written.
    """
    try:
        scores = _replayed(read_history(file), console)
    except (OSError, CsvError) as error:
        console.print(f"{file}: {_words(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    if chart is None:
        return 0
    try:
        chart.write_bytes(render_png(chart_of(scores, file.name)))
    except OSError as error:
        console.print(f"{chart}: {_words(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    console.print(f"The chart is in {chart}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _words(error: OSError | CsvError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _replayed(history: History | FunnelHistory, console: Console) -> StreamScores:
    """Print what would have fired; return what the chart shows."""
    span = f"{_moment(history.times[0])} to {_moment(history.times[-1])}"
    if isinstance(history, FunnelHistory):
        replayed = replay(history)
        people = f"{history.conversions.sum():,.0f} conversions of {history.entries.sum():,.0f} entries"
        console.print(f"{len(history.times):,} rows, {people}, {span}", highlight=False, soft_wrap=True)
        _report(len(replayed.alarms), funnel_table(replayed), console)
        if history.times[-1] - history.times[0] < _ENOUGH_SECONDS:
            console.print("A week of history says what is normal: give it more than that.", soft_wrap=True)
        return replayed.scores
    scores = score_stream(history.times, history.values)
    named = f" of {history.column}" if history.column else ""
    count = f"{len(history.times):,} point{'' if len(history.times) == 1 else 's'}"
    console.print(f"{count}{named}, {span}", markup=False, highlight=False, soft_wrap=True)
    _report(int(scores.anomalous.sum()), alarm_table(scores), console)
    if len(history.times) < LEAST_POINTS:
        console.print(f"With fewer than {LEAST_POINTS} points there is little to learn from: give it a longer history.")
    return scores


def _report(alarms: int, table: Table, console: Console) -> None:
    if not alarms:
        console.print("Nothing would have fired.")
        return
    console.print(table)
    console.print(f"{alarms} alarm{'s' if alarms > 1 else ''} would have fired.", highlight=False)


def funnel_table(replayed: FunnelReplay) -> Table:
    """One row an alarm, at the end of the rows that raised it."""
    table = Table(title="What would have fired", title_justify="left")
    for name in ("began (UTC)", "noticed (UTC)", "rate", "usual", "change", "entries"):
        table.add_column(name, justify="left" if "UTC" in name else "right", no_wrap=True)
    for one in replayed.alarms:
        table.add_row(
            _moment(one.onset_at)[:-3],
            _moment(one.window_end)[:-3],
            f"{one.observed:.1%}",
            f"{one.expected:.1%}",
            f"{one.ratio - 1:+.0%}",
            f"{one.sample_size:,}",
        )
    return table


def alarm_table(scores: StreamScores) -> Table:
    """One row an alarm."""
    table = Table(title="What would have fired", title_justify="left")
    table.add_column("when (UTC)", no_wrap=True)
    for name in ("observed", "expected", "usual range", "score"):
        table.add_column(name, justify="right")
    for place in np.flatnonzero(scores.anomalous):
        table.add_row(
            _moment(scores.times[place]),
            f"{scores.values[place]:,.6g}",
            f"{scores.expected[place]:,.6g}",
            f"{scores.expected_low[place]:,.6g} to {scores.expected_high[place]:,.6g}",
            f"{scores.score[place]:.2f}",
        )
    return table


def _moment(time: float) -> str:
    return f"{datetime.fromtimestamp(float(time), UTC):%Y-%m-%d %H:%M:%S}"
