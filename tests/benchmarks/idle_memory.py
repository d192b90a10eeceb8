"""The memory of web, worker, scheduler and broker together when idle."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.functional.stack import PROCESSES, running_stack

NAME = "idle_memory_mb"
AT_MOST_MB = 600.0
SETTLE_SECONDS = 20.0


def run(data: Path) -> Iterator[Figure]:
    """Yield the sum of the proportional set sizes, which count pages shared by processes once."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with running_stack(path, f"sqlite:///{path / 'argux.db'}") as stack:
            time.sleep(SETTLE_SECONDS)
            pids = [stack.processes[name].pid for name in PROCESSES] + [stack.broker.process.pid]
            megabytes = [_proportional_mb(pid) for pid in pids]
    yield Figure(NAME, sum(megabytes), "MB", peer="none", peer_value=None, at_most=AT_MOST_MB)


def _proportional_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
