"""Print the demo's progress in the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

Report = Callable[[str], None]


class Narrator:
    """Print stages and milestones on a console; `monotonic` is a clock in seconds."""

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._monotonic = monotonic

    @contextmanager
    def stage(self, doing: str) -> Iterator[Report]:
        """Show a spinner while the block runs, then print a line with its duration.

        Yields a function that shows progress.
        """
        started = self._monotonic()
        latest = [""]
        with self._console.status(f"{escape(doing)} …") as status:

            def report(text: str) -> None:
                latest[0] = f", {text}"
                status.update(f"{escape(doing)} … {escape(text)}")

            yield report
        seconds = self._monotonic() - started
        self._console.print(f"[green]✓[/] {escape(doing)}{escape(latest[0])} [dim]({seconds:.1f} s)[/]", soft_wrap=True)

    def milestone(self, text: str, since_deploy: float | None = None) -> None:
        """Print a milestone; `since_deploy` is the number of seconds since the deploy went live."""
        clock = "" if since_deploy is None else f"[cyan]+{since_deploy:5.1f} s[/]  "
        self._console.print(f"  {clock}{escape(text)}", soft_wrap=True)

    def invitation(self, address: str, text: str) -> None:
        """Print a panel with the address to open and what to do there."""
        self._console.print(Panel(f"[bold]{address}[/]\n\n{escape(text)}", title="Argux", expand=False))
