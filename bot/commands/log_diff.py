"""What `argux logs diff` does: compare the log templates of two time windows and print a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.commands.errors import CommandError
from bot.commands.frame import shorten
from bot.intervals import IntervalError, read_interval
from bot.terminal import shown
from detection.logs.diff import Change, TemplateChange
from workers.services import Services
from workers.watching import log_queries
from workers.words.text import counted

MOST_CHANGES = 50


def diff(services: Services, before: str, after: str, service: str | None, console: Console) -> None:
    """Print the templates whose rate differs between two windows. Raises CommandError for an invalid window."""
    try:
        windows = [read_interval(text) for text in (before, after)]
    except IntervalError as error:
        raise CommandError(str(error)) from error
    now = services.clock().timestamp()
    _, _, changes = log_queries.differences(services.telemetry, windows[0], windows[1], service, now=now)
    changed = [change for change in changes if change.change is not Change.SAME]
    if not changed:
        unchanged = f"{counted(len(changes), 'template')} {'was' if len(changes) == 1 else 'were'} heard about as often"
        console.print(f"Nothing has changed: {unchanged}.", highlight=False)
        return
    console.print(_table(changed[:MOST_CHANGES]))
    rest = len(changes) - len(changed)
    has, has_not = ("has" if len(changed) == 1 else "have"), ("has" if rest == 1 else "have")
    console.print(f"{counted(len(changed), 'template')} {has} changed, {rest:,} {has_not} not.", highlight=False)


def _table(changes: Sequence[TemplateChange]) -> Table:
    table = Table("", "service", "template")
    for name in ("lines before", "after", "a minute before", "after"):
        table.add_column(name, justify="right")
    for one in changes:
        table.add_row(
            one.change,
            shown(one.series.service),
            shown(shorten(one.series.text, 100)),
            f"{one.lines_before:,}",
            f"{one.lines_after:,}",
            f"{one.rate_before:,.2f}",
            f"{one.rate_after:,.2f}",
        )
    return table
