"""What `argux backtest FILE.csv` does: replay a history through the detectors, print the alarms, write charts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from bot.backtest import funnel, metric
from bot.backtest.alarms import Row, funnel_rows, metric_rows, print_alarms
from bot.backtest.chart import chart_specification
from bot.backtest.csv_history import CsvError, FunnelHistory, History, HistoryFile, ReadingOptions, read_history
from bot.backtest.funnel import FunnelReplay
from bot.backtest.metric import MetricReplay, Progress
from bot.backtest.progress import progress_bar
from bot.backtest.reading.file_text import STDIN
from bot.backtest.reading.grain import coverage_of
from bot.backtest.report import coverage_text, points_text, reading_lines, series_lines, span_text
from bot.backtest.shown_zone import ShownZone, shown_zone
from bot.terminal import shown
from detection.metrics.stream import LEAST_POINTS
from integrations.charts import render_png
from integrations.errors import RetryableError
from workers.settings import Settings

_ENOUGH_HISTORY_SECONDS = 8 * 86_400
_MOST_CHARTS = 10
_NO_NAMES = ("", "value", "_value", "val", "wert")


@dataclass(frozen=True, slots=True)
class _Replayed:
    """The replay of one series. name: of its metric, with its labels."""

    name: str
    replay: FunnelReplay | MetricReplay
    rows: list[Row]


def run(
    file: Path, *, chart: Path | None, console: Console, settings: Settings, options: ReadingOptions | None = None
) -> int:
    """Print the alarms that would have fired and write the charts if wanted. Return the exit code.

    It is 0 whether or not anything fired, and 2 if the file cannot be read or a chart cannot be written.
    A file of several series has a chart for each of them that fired.
    """
    try:
        with progress_bar(console, "Reading") as progress:
            read = read_history(file, options, progress)
        _say(console, *reading_lines(read))
        zone = shown_zone(options or ReadingOptions(), settings)
        replayed = _replay(read, name_of(file), zone, console, settings)
    except (OSError, CsvError) as error:
        console.print(shown(f"{file}: {_error_text(error)}"), style="red", soft_wrap=True)
        return 2
    return 0 if chart is None else _write_charts(replayed, chart, file.name, zone, console)


def name_of(file: Path) -> str:
    """Return what the history of a file is called where it has no name of its own."""
    return "history" if file == STDIN else file.stem


def _error_text(error: OSError | CsvError | RetryableError) -> str:
    if isinstance(error, RetryableError):
        return "the chart could not be drawn in time; what is told above holds. Try again on a less busy machine."
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(shown(line), soft_wrap=True)


def _replay(read: HistoryFile, stem: str, zone: ShownZone, console: Console, settings: Settings) -> list[_Replayed]:
    """Say what each series holds, replay it, and print the alarms of all of them."""
    names = [_shown_name(one, stem) for one in read.series]
    several = len(names) > 1
    _say(
        console,
        *(series_lines(names, read.series, zone) if several else _only_series_lines(names[0], read.series[0], zone)),
    )
    replayed = []
    with progress_bar(console, "Replaying") as progress:
        for place, (name, history) in enumerate(zip(names, read.series, strict=True)):
            share = _share_of(progress, place, len(names))
            try:
                replayed.append(_replay_one(history, name, _metric_name(history, stem), zone, settings, share))
            except CsvError as error:
                if not several:
                    raise
                _say(console, f"{name} is left out: {error}.")
    if not replayed:
        raise CsvError("none of its series can be replayed")
    _say(console, *_judged_lines(replayed))
    if any(not isinstance(one.replay, MetricReplay) or one.replay.judged or one.rows for one in replayed):
        print_alarms([row for one in replayed for row in one.rows], zone, console)
    if isinstance(read.series[0], FunnelHistory) and max(map(_seconds, read.series)) < _ENOUGH_HISTORY_SECONDS:
        console.print("A week of history says what is normal: give it more than that.", soft_wrap=True)
    return replayed


def _replay_one(
    history: History | FunnelHistory, name: str, metric_name: str, zone: ShownZone, settings: Settings, share: Progress
) -> _Replayed:
    if isinstance(history, FunnelHistory):
        of_funnel = funnel.replay(history, settings, share)
        return _Replayed(name, of_funnel, funnel_rows(history.series, of_funnel, zone))
    of_metric = metric.replay(_as_share(history, metric_name), metric_name, settings, share)
    return _Replayed(name, of_metric, metric_rows(history.series, of_metric.incidents, zone))


def _as_share(history: History, name: str) -> History:
    """Return a utilization in percent as the share that its limits are set in."""
    if history.unit == "%" and name.endswith(".utilization"):
        return replace(history, values=history.values / 100, unit="")
    return history


def _share_of(progress: Progress, place: int, count: int) -> Progress:
    """Return the progress of one of several pieces of work."""
    return lambda share: progress((place + share) / count)


def _metric_name(history: History | FunnelHistory, stem: str) -> str:
    """Return the name of the column or the label, or of the file where that says nothing."""
    column = history.column if isinstance(history, History) else ""
    return stem if column.lower() in _NO_NAMES else column


def _shown_name(history: History | FunnelHistory, stem: str) -> str:
    name = _metric_name(history, stem)
    return f"{name} ({history.series})" if history.series else name


def _only_series_lines(name: str, history: History | FunnelHistory, zone: ShownZone) -> list[str]:
    coverage = coverage_text(coverage_of(history.times), zone)
    if isinstance(history, FunnelHistory):
        people = f"{history.conversions.sum():,.0f} conversions of {history.entries.sum():,.0f} entries"
        return [f"{points_text(history)}, {people}, {span_text(history, zone)}", coverage]
    return [f"{points_text(history)} of {name}, {span_text(history, zone)}", coverage]


def _judged_lines(replayed: Sequence[_Replayed]) -> list[str]:
    """Return how many points of the metrics could be judged, where it is not all of them."""
    replays = [one.replay for one in replayed if isinstance(one.replay, MetricReplay)]
    if not replays:
        return []
    needs = f"a metric is judged once {LEAST_POINTS} points and a day and a half of it are known"
    judged, points = sum(one.judged for one in replays), sum(one.points for one in replays)
    never = sum(not one.judged for one in replays)
    if not judged:
        return [f"Too little to judge: {needs}."]
    lines = [f"{judged:,} of {points:,} points could be judged: {needs}."] if judged < points else []
    return [*lines, *([f"Too little to judge in {never:,} of {len(replays):,} series."] if never else [])]


def _seconds(history: History | FunnelHistory) -> float:
    return float(history.times[-1] - history.times[0])


def _write_charts(replayed: Sequence[_Replayed], chart: Path, title: str, zone: ShownZone, console: Console) -> int:
    """Write the chart of a single series, or of each series that fired. Return the exit code."""
    several = len(replayed) > 1
    fired = [one for one in replayed if one.rows] if several else list(replayed)
    for one in fired[:_MOST_CHARTS]:
        path = chart.with_name(f"{chart.stem}-{_in_file_name(one.name)}{chart.suffix}") if several else chart
        heading = f"{title}: {one.name}" if several else title
        try:
            path.write_bytes(render_png(chart_specification(one.replay.chart_data, heading, zone)))
        except (OSError, RetryableError) as error:
            console.print(shown(f"{path}: {_error_text(error)}"), style="red", soft_wrap=True)
            return 2
        console.print(shown(f"The chart is in {path}"), soft_wrap=True)
    if len(fired) > _MOST_CHARTS:
        _say(console, f"There are charts of the first {_MOST_CHARTS} of {len(fired):,} series that fired.")
    return 0


def _in_file_name(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-")[:80]
