"""How far a long piece of work is, on a terminal that waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_PATIENCE_SECONDS = 1.0


@contextmanager
def shown_progress(console: Console, words: str) -> Iterator[Callable[[float], None]]:
    """Give what is to be told the share that is done; nothing is shown of what is quick, and nothing but on a terminal.

    What is shown goes away at the end.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=1.0, visible=False)

        def tell(share: float) -> None:
            bar.update(task, completed=share, visible=time.monotonic() - began >= _PATIENCE_SECONDS)

        yield tell
