"""The whole store: what is appended, rolled up, read, erased and expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.telemetry.protocol.appending import Appends
from storage.telemetry.protocol.endpoints import ReadsEndpoints
from storage.telemetry.protocol.funnels import ReadsFunnels
from storage.telemetry.protocol.logs import ReadsLogs
from storage.telemetry.protocol.metrics import ReadsMetrics
from storage.telemetry.protocol.rolling_up import RollsUp


@dataclass(frozen=True, slots=True)
class Erased:
    """How many records of one person were deleted.

    funnel_attempts: the stored attempts behind the funnels' counts. archived: records of any kind in the archive; the
    other numbers are for the hot store. log_samples: templates and patterns whose sample or text named the person and
    was changed; their counts stay.
    """

    events: int
    funnel_attempts: int
    log_records: int
    metric_points: int
    archived: int = 0
    log_samples: int = 0


class TelemetryStore(Appends, RollsUp, ReadsFunnels, ReadsEndpoints, ReadsLogs, ReadsMetrics, Protocol):
    """Appends records, rolls them up and reads both. Times are seconds UTC; `since` is inclusive, `until` exclusive."""

    def erase_person(self, user_ids: Sequence[str]) -> Erased:
        """Erase the records of a person known by any of these ids, under all ids that are linked with them.

        What links the ids is erased too; counts of many people stay.
        """
        ...

    def expire(self, *, now: float) -> int:
        """Delete what is past its retention and already rolled up; return how many rows."""
        ...
