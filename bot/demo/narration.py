"""Print the demo's progress in the terminal, and keep it for the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

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
        with self._console.status(f"{escape(doing)} …") as status:

            def report(text: str) -> None:
                step.detail = text
                status.update(f"{escape(doing)} … {escape(text)}")

            yield report
        step.seconds = self._monotonic() - started
        detail = f", {step.detail}" if step.detail else ""
        self._console.print(f"[green]✓[/] {escape(doing + detail)} [dim]({step.seconds:.1f} s)[/]", soft_wrap=True)

    def milestone(self, text: str, since_deploy: float | None = None) -> None:
        """Print a milestone; `since_deploy` is the number of seconds since the deploy went live."""
        clock = "" if since_deploy is None else f"[cyan]+{since_deploy:5.1f} s[/]  "
        self._console.print(f"  {clock}{escape(text)}", soft_wrap=True)

    def invitation(self, address: str, text: str) -> None:
        """Print a panel with the address to open and what to do there."""
        self._console.print(Panel(f"[bold]{address}[/]\n\n{escape(text)}", title="Argux", expand=False))
