"""The telemetry store on SQLite or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from operator import itemgetter

from sqlalchemy import Engine, Table

from detection.types import (
    EndpointSeries,
    Event,
    FunnelDefinition,
    FunnelSeries,
    LogRecord,
    Span,
)
from storage.locks import Lock, alone, together
from storage.session import read_only
from storage.telemetry import expiry, records, samples, series, tables
from storage.telemetry.bulk import Row, insert_new
from storage.telemetry.endpoint_rollup import roll_up_spans
from storage.telemetry.funnel_rollup import roll_up_events
from storage.telemetry.marks import high_water
from storage.telemetry.protocol import Appended, FunnelReader, RequestSample, RolledUp, StatementCount


class SqlTelemetry:
    """A TelemetryStore in the same database as everything else; see its protocol for what each method promises.

    clock: seconds UTC, for the time a record arrived. Times of records must be finite numbers.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        funnel_reader: FunnelReader,
        segment_dimensions: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._readers = read_only(engine)
        self._funnel_reader = funnel_reader
        self._segment_dimensions = tuple(segment_dimensions)
        self._clock = clock

    def append_events(self, events: Sequence[Event]) -> Appended:
        """Durable when it returns."""
        rows = records.event_rows(events, self._clock())
        return self._append(tables.events, records.EVENT_COLUMNS, rows, key=itemgetter(0))

    def append_spans(self, spans: Sequence[Span]) -> Appended:
        """Durable when it returns."""
        rows = records.span_rows(spans, self._clock())
        return self._append(tables.spans, records.SPAN_COLUMNS, rows, key=itemgetter(0, 1))

    def append_logs(self, log_records: Sequence[LogRecord]) -> Appended:
        """Durable when it returns."""
        rows = records.log_rows(log_records, self._clock())
        return self._append(tables.log_records, records.LOG_COLUMNS, rows, key=itemgetter(0))

    def roll_up(self, funnels: Sequence[FunnelDefinition], *, now: float, limit: int = 50_000) -> RolledUp:
        """One transaction; a second roll-up at the same time waits for the first."""
        high = high_water(self._engine)
        with self._engine.begin() as connection:
            alone(connection, Lock.ROLL_UP)
            events = roll_up_events(
                connection,
                funnels,
                self._funnel_reader,
                self._segment_dimensions,
                up_to=high.events,
                now=now,
                limit=limit,
            )
            spans = roll_up_spans(connection, up_to=high.spans, now=now, limit=limit)
        return RolledUp(events=events, spans=spans)

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int
    ) -> Sequence[FunnelSeries]:
        """The everyone series first, even when it is empty; nothing for a funnel never rolled up."""
        with self._readers.connect() as connection:
            return series.funnel_series(connection, funnel_id, since=since, until=until, bucket_seconds=bucket_seconds)

    def endpoint_series(self, *, since: float, until: float, bucket_seconds: int) -> Sequence[EndpointSeries]:
        """One series per service and endpoint, by name."""
        with self._readers.connect() as connection:
            return series.endpoint_series(connection, since=since, until=until, bucket_seconds=bucket_seconds)

    def request_samples(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 500
    ) -> Sequence[RequestSample]:
        """Requests still in the hot store, newest first."""
        with self._readers.connect() as connection:
            return samples.request_samples(connection, service, endpoint, since=since, until=until, limit=limit)

    def statement_counts(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 20
    ) -> Sequence[StatementCount]:
        """SQL without its literals, most frequent first; read from the newest 2,000 requests at most."""
        with self._readers.connect() as connection:
            return samples.statement_counts(connection, service, endpoint, since=since, until=until, limit=limit)

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        """(version, first seen at) of a service's requests in the hot store, oldest first."""
        with self._readers.connect() as connection:
            return samples.versions_seen(connection, service, since=since, until=until)

    def log_samples(
        self,
        *,
        since: float,
        until: float,
        service: str | None = None,
        minimum_severity: str | None = None,
        limit: int = 200,
    ) -> Sequence[LogRecord]:
        """Log records in the hot store, newest first."""
        with self._readers.connect() as connection:
            return samples.log_samples(
                connection,
                since=since,
                until=until,
                service=service,
                minimum_severity=minimum_severity,
                limit=limit,
            )

    def recent_events(self, *, event: str | None = None, limit: int = 100, offset: int = 0) -> Sequence[Event]:
        """Events in the hot store, newest first."""
        with self._readers.connect() as connection:
            return samples.recent_events(connection, event=event, limit=limit, offset=offset)

    def expire(self, *, now: float) -> int:
        """Hot records go 2 h (or 30 min beyond the longest funnel window) after they arrived."""
        return expiry.expire(self._engine, now=now)

    def _append(self, table: Table, columns: Sequence[str], rows: list[Row], key: Callable[[Row], object]) -> Appended:
        if not rows:
            return Appended(0, 0)
        # In one order for everyone, so that two batches with the same records cannot wait for each other in a ring.
        rows.sort(key=key)  # type: ignore[arg-type]
        with self._engine.begin() as connection:
            together(connection, Lock.APPEND)
            accepted = insert_new(connection, table, columns, rows)
        return Appended(accepted=accepted, duplicates=len(rows) - accepted)
