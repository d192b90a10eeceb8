"""What a file is read into: series, what was left out of them, and how it was understood."""

from __future__ import annotations

from dataclasses import dataclass

from bot.backtest.reading.grain import step_of
from bot.backtest.reading.left_out import LeftOut
from detection.types import Floats


@dataclass(frozen=True, slots=True)
class History:
    """The history of a metric.

    times: (n,) seconds UTC, oldest first, each once. values: (n,). column: the metric's name, if the file has one.
    repeated: how many rows were dropped because they equal another row. replaced: how many were dropped because another
    row gives another value for their time. averaged: whether such values were averaged, else the last was kept.
    series: what tells the series from the others of the file, such as `host=a`. unit: the unit of the values, if known.
    """

    times: Floats
    values: Floats
    column: str = ""
    repeated: int = 0
    replaced: int = 0
    averaged: bool = False
    series: str = ""
    unit: str = ""

    @property
    def step(self) -> float:
        """The series' own grain: the usual distance of two points, in seconds; 0 for a single point."""
        return step_of(self.times)


@dataclass(frozen=True, slots=True)
class FunnelHistory:
    """The history of a funnel.

    times: (n,) when each row's interval begins, oldest first, each once. entries, conversions: (n,) whole numbers of
    users. The others: as in History.
    """

    times: Floats
    entries: Floats
    conversions: Floats
    repeated: int = 0
    replaced: int = 0
    series: str = ""

    @property
    def step(self) -> float:
        """As in History."""
        return step_of(self.times)


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file that was read.

    series: at least one, in the order of the file; all are metrics, or all are funnels. notes: sentences about how the
    file was understood.
    """

    series: tuple[History | FunnelHistory, ...]
    left_out: LeftOut
    notes: tuple[str, ...] = ()
