"""What the memory of log series keeps, and what it forgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from detection.logs.findings import LogOptions
from storage.telemetry.protocol import COARSE_SECONDS, LOG_TEMPLATE, LogLevels, LogName, TelemetryStore
from workers.memory.logs import LogMemory

NOW = 1_770_465_600.0
OPTIONS = LogOptions()
DAYS = OPTIONS.baseline_days


def name(text: str) -> LogName:
    return LogName(LOG_TEMPLATE, "shop", text)


class Store:
    """Counts lines by template and hour: `usual` in every hour, and the templates of a day that never come again."""

    def __init__(self) -> None:
        self.usual = [name("paid")]

    def of_day(self, at: float) -> list[LogName]:
        return [name(f"{int(at // 86_400)}:{number}") for number in range(20)]

    def log_hours(self, starts: Sequence[float]) -> Sequence[LogLevels]:
        return [self._levels([*self.usual, *self.of_day(start)], windows=6) for start in starts]

    def log_totals(self, *, since: float, until: float) -> LogLevels:
        return self._levels([*self.usual, *self.of_day(until)], windows=1)

    @staticmethod
    def _levels(names: list[LogName], *, windows: int) -> LogLevels:
        return LogLevels(names, np.full((len(names), windows), 5000, dtype=np.int64))


def test_templates_that_are_gone_are_forgotten_and_the_others_are_judged_as_before() -> None:
    memory, store = LogMemory(), cast(TelemetryStore, Store())
    most = 0
    for hour in range(0, 40 * 24, 6):
        at = NOW + hour * COARSE_SECONDS
        found = memory.worth_reading(store, now=at, options=OPTIONS)
        most = max(most, len(memory._numbers))
    assert most <= 2 * (20 * (DAYS + 2) + 1)
    assert set(found.names) == set(LogMemory().worth_reading(store, now=at, options=OPTIONS).names)
    assert name("paid") not in found.names
