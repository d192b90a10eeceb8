"""Print the demo's progress in the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.terminal import shown
from integrations.text import visible_lines

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
        with self._console.status(shown(f"{doing} …")) as status:

            def report(text: str) -> None:
                latest[0] = f", {text}"
                status.update(shown(f"{doing} … {text}"))

            yield report
        seconds = self._monotonic() - started
        done, took = Text("✓ ", style="green"), Text(f" ({seconds:.1f} s)", style="dim")
        self._console.print(Text.assemble(done, shown(f"{doing}{latest[0]}"), took), soft_wrap=True)

    def milestone(self, text: str, since_deploy: float | None = None) -> None:
        """Print a milestone; `since_deploy` is the number of seconds since the deploy went live."""
        clock = Text("" if since_deploy is None else f"+{since_deploy:5.1f} s  ", style="cyan")
        self._console.print(Text.assemble("  ", clock, shown(text)), soft_wrap=True)

    def invitation(self, address: str, text: str) -> None:
        """Print a panel with the address to open and what to do there."""
        invited = Text.assemble((address, "bold"), "\n\n", Text(visible_lines(text)))
        self._console.print(Panel(invited, title="Argux", expand=False))
