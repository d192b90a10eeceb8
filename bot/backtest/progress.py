"""A progress bar for long work on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_HIDDEN_SECONDS = 1.0


@contextmanager
def progress_bar(console: Console, description: str) -> Iterator[Callable[[float], None]]:
    """Yield a function to call with the share that is done.

    The bar is shown on a terminal only, only for work longer than _HIDDEN_SECONDS, and disappears at the end.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=1.0, visible=False)

        def update(share: float) -> None:
            bar.update(task, completed=share, visible=time.monotonic() - began >= _HIDDEN_SECONDS)

        yield update
