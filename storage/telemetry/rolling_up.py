"""Roll up new records of each kind, in transactions so short that nobody waits long for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, Engine

from detection.types import FunnelDefinition
from storage.database.gaps import let_others_write
from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.endpoints.rollup import roll_up_spans
from storage.telemetry.funnels.rollup import filling, roll_up_events
from storage.telemetry.logs.reader_protocol import LogReader
from storage.telemetry.logs.rollup import roll_up_logs
from storage.telemetry.metrics.rollup import roll_up_points
from storage.telemetry.protocol import FunnelReader, HighWater, RolledUp
from storage.telemetry.rollups.marks import marks
from storage.telemetry.rollups.passes import PassSize

_Pass = Callable[[Connection, int, int], int]
"""One pass over one kind: (connection, up_to, limit) -> records taken."""


class Roller:
    """Makes the passes of a roll-up. Remembers for each kind of record how many a short transaction takes.

    is_alone: nobody else writes to the database, so that nobody waits for a long transaction.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        funnel_reader: FunnelReader,
        segment_dimensions: Sequence[str],
        log_reader: LogReader | None,
        is_alone: bool = False,
    ) -> None:
        self._engine = engine
        self._readers = read_only(engine)
        self._funnel_reader = funnel_reader
        self._segment_dimensions = segment_dimensions
        self._log_reader = log_reader
        self._is_alone = is_alone
        self._sizes = {kind: PassSize() for kind in HighWater._fields}

    def one_pass(
        self,
        funnels: Sequence[FunnelDefinition],
        *,
        now: float,
        up_to: HighWater,
        limit: int,
        kinds: Collection[str],
    ) -> RolledUp:
        """Take the next records of these kinds, each kind in a transaction of its own; return how many."""
        with self._readers.connect() as connection:
            done = marks(connection)._asdict()
            is_filling = "events" in kinds and bool(filling(connection, funnels))
        wanted = up_to._asdict()
        taken = dict.fromkeys(HighWater._fields, 0)
        for kind, roll_up in self._passes(funnels, now).items():
            waits = done[kind] < wanted[kind] or (kind == "events" and is_filling)
            if kind in kinds and waits:
                taken[kind] = self._take(kind, roll_up, wanted[kind], limit)
        return RolledUp(**taken)

    def _passes(self, funnels: Sequence[FunnelDefinition], now: float) -> Mapping[str, _Pass]:
        """Return how each kind is rolled up; the kinds of which there usually is least come first."""
        return {
            "points": lambda connection, top, limit: roll_up_points(connection, up_to=top, now=now, limit=limit),
            "spans": lambda connection, top, limit: roll_up_spans(connection, up_to=top, now=now, limit=limit),
            "events": lambda connection, top, limit: roll_up_events(
                connection,
                funnels,
                self._funnel_reader,
                self._segment_dimensions,
                up_to=top,
                now=now,
                limit=limit,
            ),
            "logs": lambda connection, top, limit: roll_up_logs(
                connection, self._log_reader, up_to=top, now=now, limit=limit
            ),
        }

    def _take(self, kind: str, roll_up: _Pass, up_to: int, limit: int) -> int:
        size = self._sizes[kind]
        with self._engine.begin() as connection:
            lock_exclusive(connection, Lock.ROLL_UP)
            began = time.perf_counter()
            taken = roll_up(connection, up_to, limit if self._is_alone else min(limit, size.records))
            size.measured(taken, time.perf_counter() - began)
        if taken and not self._is_alone:
            let_others_write(self._engine)
        return taken
