"""The alarms of a replay on a terminal: a table, or one under the other where the terminal is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bot.backtest.funnel import FunnelReplay
from bot.backtest.incidents import ReplayedIncident
from bot.backtest.shown_zone import ShownZone
from bot.terminal import shown
from workers.words.findings import finding_sentence

_NARROW = 76
"""A table of times and sentences needs at least so many columns."""

_TIMES = ("began", "noticed", "over")


@dataclass(frozen=True, slots=True)
class Row:
    """One alarm. series: empty if there is only one. times, facts: by their heading. what: a sentence."""

    series: str
    times: dict[str, str]
    facts: dict[str, str]
    what: str = ""


def print_alarms(rows: Sequence[Row], zone: ShownZone, console: Console) -> None:
    """Print the alarms, and how many there are."""
    if not rows:
        console.print("Nothing would have fired.")
        return
    if console.width < _NARROW:
        _print_under_each_other(rows, zone, console)
    else:
        console.print(_table(rows, zone))
    console.print(f"{len(rows)} alarm{'s' if len(rows) > 1 else ''} would have fired.", highlight=False)


def metric_rows(series: str, incidents: Sequence[ReplayedIncident], zone: ShownZone) -> list[Row]:
    """Return a row for each incident of a metric. Each lasts until its metric has recovered."""
    rows = []
    for one in incidents:
        over = "goes on" if one.resolved_at is None else zone.text(one.resolved_at)
        times = "once" if one.reopened == 1 else f"{one.reopened} times"
        again = f", and came back {times}" if one.reopened else ""
        moments = (zone.text(one.first.onset_at), zone.text(one.noticed_at), over)
        rows.append(Row(series, dict(zip(_TIMES, moments, strict=True)), {}, finding_sentence(one.first) + again))
    return rows


def funnel_rows(series: str, replayed: FunnelReplay, zone: ShownZone) -> list[Row]:
    """Return a row for each alarm of a funnel."""
    return [
        Row(
            series,
            dict(zip(_TIMES[:2], (zone.text(one.onset_at), zone.text(one.window_end)), strict=True)),
            {
                "rate": f"{one.observed:.1%}",
                "usual": f"{one.expected:.1%}",
                "change": f"{one.ratio - 1:+.0%}",
                "entries": f"{one.sample_size:,}",
            },
        )
        for one in replayed.alarms
    ]


def _table(rows: Sequence[Row], zone: ShownZone) -> Table:
    table = Table(title="What would have fired", title_justify="left")
    with_series, with_what = any(row.series for row in rows), any(row.what for row in rows)
    if with_series:
        table.add_column("series", overflow="fold")
    for name in rows[0].times:
        table.add_column(f"{name} ({zone.name})", no_wrap=True)
    for name in rows[0].facts:
        table.add_column(name, justify="right", no_wrap=True)
    if with_what:
        table.add_column("what")
    for row in rows:
        series, what = [shown(row.series)] * with_series, [shown(row.what)] * with_what
        table.add_row(*series, *row.times.values(), *row.facts.values(), *what)
    return table


def _print_under_each_other(rows: Sequence[Row], zone: ShownZone, console: Console) -> None:
    console.print(f"What would have fired ({zone.name})")
    for number, row in enumerate(rows, start=1):
        words = ": ".join(filter(None, (row.series, row.what or ", ".join(f"{k} {v}" for k, v in row.facts.items()))))
        console.print(shown(f"{number}. {words}"))
        for name, moment in row.times.items():
            console.print(f"   {name:<8}{moment}", highlight=False)
