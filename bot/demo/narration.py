"""Print the demo's progress in the terminal, and keep it for the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.terminal import shown
from integrations.text import visible_lines

Report = Callable[[str], None]


@dataclass(slots=True)
class Step:
    """A stage as the page shows it. `seconds` it took, None while it goes on; `started_at`: seconds since the epoch."""

    doing: str
    started_at: float
    detail: str = ""
    seconds: float | None = None


class Narrator:
    """Print stages and milestones on a console; `monotonic` is a clock in seconds. `steps`: all stages so far."""

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._monotonic = monotonic
        self.steps: list[Step] = []

    @contextmanager
    def stage(self, doing: str) -> Iterator[Report]:
        """Show a spinner while the block runs, then print a line with its duration.

        Yields a function that shows progress.
        """
        started = self._monotonic()
        step = Step(doing, time.time())
        self.steps.append(step)
        with self._console.status(shown(f"{doing} …")) as status:

            def report(text: str) -> None:
                step.detail = text
                status.update(shown(f"{doing} … {text}"))

            yield report
        step.seconds = self._monotonic() - started
        detail = f", {step.detail}" if step.detail else ""
        done, took = Text("✓ ", style="green"), Text(f" ({step.seconds:.1f} s)", style="dim")
        self._console.print(Text.assemble(done, shown(doing + detail), took), soft_wrap=True)

    def milestone(self, text: str, since_deploy: float | None = None) -> None:
        """Print a milestone; `since_deploy` is the number of seconds since the deploy went live."""
        clock = Text("" if since_deploy is None else f"+{since_deploy:5.1f} s  ", style="cyan")
        self._console.print(Text.assemble("  ", clock, shown(text)), soft_wrap=True)

    def invitation(self, address: str, text: str) -> None:
        """Print a panel with the address to open and what to do there."""
        invited = Text.assemble((address, "bold"), "\n\n", Text(visible_lines(text)))
        self._console.print(Panel(invited, title="Argux", expand=False))
