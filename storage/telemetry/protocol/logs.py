"""Reading log lines and their series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from detection.types import Integers, LogRecord, LogSeries

LOG_TEMPLATE = "log_template"
LOG_PATTERN = "log_pattern"
LOG_SEVERITY = "log_severity"
"""The kinds of log series: lines are counted by template, by named pattern and by severity."""

LOG_OTHER = "other"
"""The template that lines are counted under once a service has its maximum number of templates."""


class LogName(NamedTuple):
    """The key of a log series. kind: LOG_TEMPLATE, LOG_PATTERN or LOG_SEVERITY."""

    kind: str
    service: str
    name: str


@dataclass(frozen=True, slots=True)
class LogLevels:
    """Log series in brief: names (n,), line_count (n, windows), with the windows ordered by time."""

    names: Sequence[LogName]
    line_count: Integers


class ReadsLogs(Protocol):
    """Reads how often each template, pattern and severity is logged, and the lines themselves."""

    def log_samples(
        self,
        *,
        since: float,
        until: float,
        service: str | None = None,
        minimum_severity: str | None = None,
        limit: int = 200,
    ) -> Sequence[LogRecord]:
        """Return log records in the hot store, newest first."""
        ...

    def log_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        service: str | None = None,
        kind: str | None = None,
        names: Sequence[LogName] | None = None,
    ) -> Sequence[LogSeries]:
        """Return the log series with a line in the time range, by service, kind and name.

        service, kind: only series of these. names: only these series, whose buckets are looked up one by one.
        bucket_seconds: FINE_LOG_SECONDS, kept for 3 hours; LOG_WINDOW_SECONDS or COARSE_SECONDS, kept for 35 days.
        Lines of a template that was later merged into a more general one are counted for its successor.
        """
        ...

    def log_totals(self, *, since: float, until: float) -> LogLevels:
        """Return the number of lines of each series, summed over the fine buckets of the time range."""
        ...

    def log_hours(self, starts: Sequence[float]) -> Sequence[LogLevels]:
        """Return, for each hour that starts at one of `starts`, the lines of each series per LOG_WINDOW_SECONDS."""
        ...

    def template_state(self, service: str) -> bytes | None:
        """Return the state of a service's template miner, as detection.logs.miner_state encodes it, or None."""
        ...

    def heard_since(self) -> Mapping[str, float]:
        """Return the time of the first known log line of each service."""
        ...
