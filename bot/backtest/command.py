"""What `argux backtest FILE.csv` does: replay a history through the detectors, print the alarms, write a chart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.backtest import funnel, metric
from bot.backtest.chart import chart_specification
from bot.backtest.csv_history import CsvError, FunnelHistory, History, read_history
from bot.backtest.funnel import FunnelReplay
from bot.backtest.incidents import ReplayedIncident
from bot.backtest.metric import MetricReplay
from bot.backtest.progress import progress_bar
from bot.terminal import shown
from detection.metrics.stream import LEAST_POINTS
from integrations.charts import render_png
from workers.settings import Settings
from workers.words.findings import finding_sentence

_ENOUGH_HISTORY_SECONDS = 8 * 86_400


def run(file: Path, *, chart: Path | None, console: Console, settings: Settings) -> int:
    """Print the alarms that would have fired and write the chart if wanted. Return the exit code.

    It is 0 whether or not anything fired, and 2 if the file cannot be read or the chart cannot be written.
    """
    try:
        with progress_bar(console, "Reading") as progress:
            history = read_history(file, progress)
        replayed = _replay(history, file, console, settings)
    except (OSError, CsvError) as error:
        console.print(shown(f"{file}: {_error_text(error)}"), style="red", soft_wrap=True)
        return 2
    if chart is None:
        return 0
    try:
        chart.write_bytes(render_png(chart_specification(replayed.chart_data, file.name)))
    except OSError as error:
        console.print(shown(f"{chart}: {_error_text(error)}"), style="red", soft_wrap=True)
        return 2
    console.print(shown(f"The chart is in {chart}"), soft_wrap=True)
    return 0


def _error_text(error: OSError | CsvError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _replay(
    history: History | FunnelHistory, file: Path, console: Console, settings: Settings
) -> FunnelReplay | MetricReplay:
    """Replay a history and print its alarms."""
    if history.repeated:
        rows = "1 row" if history.repeated == 1 else f"{history.repeated:,} rows"
        console.print(f"{rows} said again what another had said, and counted once.", highlight=False, soft_wrap=True)
    if isinstance(history, FunnelHistory):
        return _funnel(history, console, settings)
    return _metric(history, file.stem, console, settings)


def _funnel(history: FunnelHistory, console: Console, settings: Settings) -> FunnelReplay:
    with progress_bar(console, "Replaying") as progress:
        replayed = funnel.replay(history, settings, progress)
    people = f"{history.conversions.sum():,.0f} conversions of {history.entries.sum():,.0f} entries"
    console.print(f"{len(history.times):,} rows, {people}, {_span_text(history)}", highlight=False, soft_wrap=True)
    _print_alarms(len(replayed.alarms), funnel_table(replayed), console)
    if history.times[-1] - history.times[0] < _ENOUGH_HISTORY_SECONDS:
        console.print("A week of history says what is normal: give it more than that.", soft_wrap=True)
    return replayed


def _metric(history: History, stem: str, console: Console, settings: Settings) -> MetricReplay:
    name = history.column if history.column.lower() not in ("", "value") else stem
    with progress_bar(console, "Replaying") as progress:
        replayed = metric.replay(history, name, settings, progress)
    count = f"{len(history.times):,} point{'' if len(history.times) == 1 else 's'}"
    console.print(shown(f"{count} of {name}, {_span_text(history)}"), soft_wrap=True)
    needs = f"a metric is judged once {LEAST_POINTS} points of it are known"
    if not replayed.judged:
        console.print(f"Too little to judge: {needs}.", highlight=False, soft_wrap=True)
    elif replayed.judged < replayed.points:
        judged = f"{replayed.judged:,} of {replayed.points:,} points could be judged"
        console.print(f"{judged}: {needs}.", highlight=False, soft_wrap=True)
    _print_alarms(len(replayed.incidents), alarm_table(replayed.incidents), console)
    return replayed


def _print_alarms(alarms: int, table: Table, console: Console) -> None:
    if not alarms:
        console.print("Nothing would have fired.")
        return
    console.print(table)
    console.print(f"{alarms} alarm{'s' if alarms > 1 else ''} would have fired.", highlight=False)


def funnel_table(replayed: FunnelReplay) -> Table:
    """Return a table with one row per alarm of a funnel."""
    table = Table(title="What would have fired", title_justify="left")
    for name in ("began (UTC)", "noticed (UTC)", "rate", "usual", "change", "entries"):
        table.add_column(name, justify="left" if "UTC" in name else "right", no_wrap=True)
    for one in replayed.alarms:
        table.add_row(
            _time_text(one.onset_at),
            _time_text(one.window_end),
            f"{one.observed:.1%}",
            f"{one.expected:.1%}",
            f"{one.ratio - 1:+.0%}",
            f"{one.sample_size:,}",
        )
    return table


def alarm_table(incidents: tuple[ReplayedIncident, ...]) -> Table:
    """Return a table with one row per incident of a metric. Each lasts until its metric has recovered."""
    table = Table(title="What would have fired", title_justify="left")
    for name in ("began (UTC)", "noticed (UTC)", "over (UTC)"):
        table.add_column(name, no_wrap=True)
    table.add_column("what")
    for one in incidents:
        over = "goes on" if one.resolved_at is None else _time_text(one.resolved_at)
        times = "once" if one.reopened == 1 else f"{one.reopened} times"
        again = f", and came back {times}" if one.reopened else ""
        what = shown(finding_sentence(one.first) + again)
        table.add_row(_time_text(one.first.onset_at), _time_text(one.noticed_at), over, what)
    return table


def _span_text(history: History | FunnelHistory) -> str:
    return f"{_time_text(history.times[0])} to {_time_text(history.times[-1])}"


def _time_text(time: float) -> str:
    return f"{datetime.fromtimestamp(float(time), UTC):%Y-%m-%d %H:%M}"
