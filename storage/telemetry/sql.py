"""The telemetry store on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from detection.types import (
    EndpointSeries,
    Event,
    FunnelCells,
    FunnelDefinition,
    FunnelSeries,
    LogRecord,
    LogSeries,
    MetricPoint,
    MetricSeries,
    Span,
)
from storage.database.session import read_only
from storage.telemetry import erasure, expiry, series
from storage.telemetry.archive.cold_store import Archive
from storage.telemetry.archive.erasure import erase_user
from storage.telemetry.endpoints.brief import endpoint_levels, endpoint_totals
from storage.telemetry.endpoints.counts import endpoint_counts
from storage.telemetry.funnels.brief import funnel_levels
from storage.telemetry.funnels.cell_reading import read_cells
from storage.telemetry.funnels.rollup import filling
from storage.telemetry.hot import event_queries, samples, service_calls
from storage.telemetry.hot import traces as hot_traces
from storage.telemetry.hot.append import Appender
from storage.telemetry.hot.shared_spans import removal_of_callers, servers_first, servers_of
from storage.telemetry.hot.traced import traced_between
from storage.telemetry.logs import reading as logs
from storage.telemetry.logs.reader_protocol import LogReader
from storage.telemetry.metrics import memories as metric_memory_rows
from storage.telemetry.metrics import points as metric_rows
from storage.telemetry.metrics import reading as metrics
from storage.telemetry.metrics.listing import SeriesListing
from storage.telemetry.protocol import (
    Appended,
    EndpointCount,
    EndpointLevels,
    EndpointTotals,
    Erased,
    EventType,
    FunnelLevels,
    FunnelReader,
    HighWater,
    LogLevels,
    LogName,
    MetricLevels,
    MetricName,
    RequestSample,
    RolledUp,
    StatementCount,
    Traced,
    WholeUntil,
)
from storage.telemetry.rolling_up import Roller
from storage.telemetry.rollups.marks import high_water
from storage.telemetry.rollups.waiting import whole_until
from storage.telemetry.rows import records, tables
from storage.telemetry.rows.keys import events_without_keys, logs_without_keys, points_without_keys, spans_without_keys
from storage.telemetry.rows.privacy import Privacy


class SqlTelemetry:
    """A TelemetryStore in Argux's own database. The protocol says what each method guarantees.

    clock: returns seconds UTC; it sets the arrival time of records. Times of records must be finite numbers.
    privacy: hides personal data in appended events, log records and metric points, whichever door they came through.
    archive: where hot records are moved when they expire; without one they are deleted.
    log_reader: finds templates and patterns; without one, lines are counted by severity only.
    is_alone: nobody else writes to the database, so that nobody waits for a long transaction.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        funnel_reader: FunnelReader,
        segment_dimensions: Sequence[str],
        clock: Callable[[], float],
        privacy: Privacy | None = None,
        archive: Archive | None = None,
        log_reader: LogReader | None = None,
        is_alone: bool = False,
    ) -> None:
        self._engine = engine
        self._readers = read_only(engine)
        self._clock = clock
        self._privacy = privacy or Privacy()
        self._archive = archive
        self._log_reader = log_reader
        self._appender = Appender(engine)
        self._metric_listing = SeriesListing()
        self._roller = Roller(
            engine,
            funnel_reader=funnel_reader,
            segment_dimensions=tuple(segment_dimensions),
            log_reader=log_reader,
            is_alone=is_alone,
        )

    def append_events(self, events: Sequence[Event]) -> Appended:
        """Append events; durable on return."""
        rows = records.event_rows(self._privacy.events(events_without_keys(events)), self._clock())
        return self._appender.append(tables.events, records.EVENT_COLUMNS, rows)

    def append_event_groups(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        """Append several groups in one commit, or none of them; return the result of each group."""
        arrived_at = self._clock()
        rows = [records.event_rows(self._privacy.events(events_without_keys(group)), arrived_at) for group in groups]
        return self._appender.append_groups(tables.events, records.EVENT_COLUMNS, rows)

    def append_spans(self, spans: Sequence[Span]) -> Appended:
        """Append spans; durable on return. A server span replaces the caller's side of the same id."""
        rows = servers_first(records.span_rows(spans_without_keys(spans), self._clock()))
        appended = self._appender.append(tables.spans, records.SPAN_COLUMNS, rows, key_columns=2)
        servers = servers_of(rows) if appended.duplicates else []
        removal = removal_of_callers(self._readers, servers) if servers else None
        if removal is None:
            return appended
        self._appender.remove(removal)
        again = self._appender.append(tables.spans, records.SPAN_COLUMNS, servers, key_columns=2)
        return Appended(appended.accepted + again.accepted, appended.duplicates - again.accepted)

    def append_logs(self, log_records: Sequence[LogRecord]) -> Appended:
        """Append log records; durable on return."""
        rows = records.log_rows(self._privacy.logs(logs_without_keys(log_records)), self._clock())
        return self._appender.append(tables.log_records, records.LOG_COLUMNS, rows)

    def append_metric_points(self, points: Sequence[MetricPoint]) -> Appended:
        """Append metric points; durable on return."""
        rows = metric_rows.metric_rows(self._privacy.metric_points(points_without_keys(points)), self._clock())
        return self._appender.append(tables.metric_points, metric_rows.METRIC_COLUMNS, rows)

    def high_water(self) -> HighWater:
        """Return how far a roll-up can go. Waits for appends in flight; new ones wait only until this read is over."""
        return high_water(self._engine)

    def roll_up(
        self,
        funnels: Sequence[FunnelDefinition],
        *,
        now: float,
        up_to: HighWater | None = None,
        limit: int = 50_000,
        kinds: Collection[str] = HighWater._fields,
    ) -> RolledUp:
        """Make one pass over each of the kinds; a concurrent pass waits for the first."""
        goal = up_to or self.high_water()
        return self._roller.one_pass(funnels, now=now, up_to=goal, limit=limit, kinds=kinds)

    def whole_until(self, *, now: float, up_to: HighWater | None = None) -> WholeUntil:
        """Return for each kind the arrival of the oldest record that waits; `now` where none does."""
        with self._readers.connect() as connection:
            return whole_until(connection, now=now, up_to=up_to)

    def filling(self, funnels: Sequence[FunnelDefinition]) -> frozenset[int]:
        """Return the ids of those funnels that have not counted all rolled-up events yet."""
        with self._readers.connect() as connection:
            return filling(connection, funnels)

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int, everyone_only: bool = False
    ) -> Sequence[FunnelSeries]:
        """Return the everyone series first, even if it is empty, then the segments."""
        with self._readers.connect() as connection:
            return series.funnel_series(
                connection,
                funnel_id,
                since=since,
                until=until,
                bucket_seconds=bucket_seconds,
                everyone_only=everyone_only,
            )

    def funnel_levels(
        self, funnel: FunnelDefinition, *, since: float, until: float, bucket_seconds: int, horizon_seconds: float
    ) -> FunnelLevels:
        """Return all buckets of a funnel that have entries, in brief, ordered by time."""
        with self._readers.connect() as connection:
            return funnel_levels(
                connection,
                funnel,
                since=since,
                until=until,
                bucket_seconds=bucket_seconds,
                horizon_seconds=horizon_seconds,
            )

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        """Return cohorts by full combination of dimension values, summed over the time range."""
        with self._readers.connect() as connection:
            return read_cells(connection, funnel_id, since=since, until=until, bucket_seconds=bucket_seconds)

    def endpoint_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        endpoints: Sequence[tuple[str, str]] | None = None,
    ) -> Sequence[EndpointSeries]:
        """Return one series per service and endpoint, ordered by name: of all endpoints, or of these."""
        with self._readers.connect() as connection:
            if endpoints is None:
                return series.endpoint_series(connection, since=since, until=until, bucket_seconds=bucket_seconds)
            return series.series_of(connection, endpoints, since=since, until=until, bucket_seconds=bucket_seconds)

    def endpoint_totals(self, start: float, *, bucket_seconds: int, minimum_requests: int) -> EndpointTotals:
        """Return the sums of what `endpoint_levels` returns for this start."""
        with self._readers.connect() as connection:
            return endpoint_totals(connection, start, bucket_seconds=bucket_seconds, minimum_requests=minimum_requests)

    def endpoint_levels(
        self, starts: Sequence[float], *, bucket_seconds: int, minimum_requests: int
    ) -> Sequence[EndpointLevels]:
        """Return the buckets, in brief, of every endpoint with at least `minimum_requests` in them."""
        with self._readers.connect() as connection:
            return endpoint_levels(connection, starts, bucket_seconds=bucket_seconds, minimum_requests=minimum_requests)

    def endpoint_counts(
        self, *, since: float, until: float, bucket_seconds: int, minimum_requests: int = 1
    ) -> Mapping[tuple[str, str], EndpointCount]:
        """Count by (service, endpoint) the buckets with at least `minimum_requests` requests."""
        with self._readers.connect() as connection:
            return endpoint_counts(
                connection,
                since=since,
                until=until,
                bucket_seconds=bucket_seconds,
                minimum_requests=minimum_requests,
            )

    def delivery_lag(self, service: str, endpoint: str, *, until: float) -> float:
        """Return the delivery lag in seconds, which few of the newest requests before `until` exceeded."""
        with self._readers.connect() as connection:
            return samples.delivery_lag(connection, service, endpoint, until=until)

    def request_samples(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 500
    ) -> Sequence[RequestSample]:
        """Return requests still in the hot store, newest first."""
        with self._readers.connect() as connection:
            return samples.request_samples(connection, service, endpoint, since=since, until=until, limit=limit)

    def statement_counts(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 20
    ) -> Sequence[StatementCount]:
        """Count SQL statements without literals, most frequent first, in at most the newest 2,000 requests."""
        with self._readers.connect() as connection:
            return samples.statement_counts(connection, service, endpoint, since=since, until=until, limit=limit)

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        """Return (version, time first seen) of a service's requests in the hot store, oldest first."""
        with self._readers.connect() as connection:
            return samples.versions_seen(connection, service, since=since, until=until)

    def traces(self, *, since: float, until: float, limit: int = 300) -> Sequence[Sequence[Span]]:
        """Return whole traces of the hot store: failed ones, the slowest, and some ordinary ones."""
        with self._readers.connect() as connection:
            return hot_traces.traces(connection, since=since, until=until, limit=limit)

    def traced_between(self, *, since: float, until: float, most_spans: int) -> Traced:
        """Return spans of the hot store in brief, and the lines of their traces; of too many, whole traces."""
        with self._readers.connect() as connection:
            return traced_between(connection, since=since, until=until, most_spans=most_spans)

    def calls_above(self, sequence: int, up_to: int, *, arrived_since: float) -> tuple[Sequence[tuple[str, str]], int]:
        """Return (caller, callee) of the server spans between two numbers, and the number of the newest span."""
        with self._readers.connect() as connection:
            return service_calls.calls_above(connection, sequence, up_to, arrived_since=arrived_since)

    def versions_above(self, sequence: int) -> tuple[Sequence[tuple[str, str, float]], int]:
        """Return (service, version, time first seen) of the newer requests, and the number of the newest."""
        with self._readers.connect() as connection:
            return samples.versions_above(connection, sequence)

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
        with self._readers.connect() as connection:
            return samples.log_samples(
                connection,
                since=since,
                until=until,
                service=service,
                minimum_severity=minimum_severity,
                limit=limit,
            )

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
        """Return series with a line in the time range, by service, kind and name: all series, or these."""
        with self._readers.connect() as connection:
            return logs.read_log_series(
                connection,
                since=since,
                until=until,
                bucket_seconds=bucket_seconds,
                service=service,
                kind=kind,
                names=names,
            )

    def log_totals(self, *, since: float, until: float) -> LogLevels:
        """Return the number of lines of each series, summed over the fine buckets of the time range."""
        with self._readers.connect() as connection:
            return logs.read_log_totals(connection, since=since, until=until)

    def log_hours(self, starts: Sequence[float]) -> Sequence[LogLevels]:
        """Return, for each hour, the number of lines of each series in each of the hour's windows."""
        with self._readers.connect() as connection:
            return logs.read_log_hours(connection, starts)

    def template_state(self, service: str) -> bytes | None:
        """Return the state of the template miner of a service; None before its first lines."""
        with self._readers.connect() as connection:
            return logs.read_template_state(connection, service)

    def heard_since(self) -> Mapping[str, float]:
        """Return the time of the first known log line of each service."""
        with self._readers.connect() as connection:
            return logs.read_heard_since(connection)

    def recent_events(self, *, event: str | None = None, limit: int = 100, offset: int = 0) -> Sequence[Event]:
        """Return events in the hot store, newest first."""
        with self._readers.connect() as connection:
            return samples.recent_events(connection, event=event, limit=limit, offset=offset)

    def event_types(self, *, limit: int = 1000) -> Sequence[EventType]:
        """Return the event names in the hot store, most frequent first."""
        with self._readers.connect() as connection:
            return event_queries.event_types(connection, limit=limit)

    def metric_samples(
        self, service: str, name: str, *, since: float, until: float, limit: int = 1000
    ) -> Sequence[MetricPoint]:
        """Return the points of one metric of one service in the hot store, newest first."""
        with self._readers.connect() as connection:
            return metric_rows.metric_samples(connection, service, name, since=since, until=until, limit=limit)

    def metric_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        series: Sequence[tuple[str, str, str]] | None = None,
    ) -> Sequence[MetricSeries]:
        """Return series of custom metrics, by service, name and attributes: all series, or these."""
        with self._readers.connect() as connection:
            return metrics.read_metric_series(
                connection, since=since, until=until, bucket_seconds=bucket_seconds, series=series
            )

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """Return all buckets of custom metrics in brief, ordered by time."""
        with self._readers.connect() as connection:
            return metrics.metric_levels(
                connection, self._metric_listing, since=since, until=until, bucket_seconds=bucket_seconds
            )

    def metric_memories(self, series: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], bytes]:
        """Return what the watch remembered of these series, where it is stored."""
        with self._readers.connect() as connection:
            return metric_memory_rows.read_memories(connection, series)

    def keep_metric_memories(self, memories: Mapping[tuple[str, str, str], bytes]) -> None:
        """Store what the watch remembers of these series."""
        with self._engine.begin() as connection:
            metric_memory_rows.write_memories(connection, memories)

    def metric_names(
        self, *, service: str | None = None, name: str | None = None, limit: int = 100, offset: int = 0
    ) -> Sequence[MetricName]:
        """List the known series of custom metrics, by service, name and attributes."""
        with self._readers.connect() as connection:
            return metrics.metric_names(connection, service=service, name=name, limit=limit, offset=offset)

    def erase_person(self, user_ids: Sequence[str]) -> Erased:
        """Erase a person by these ids, by all other ids of theirs, and by the digests of ids that privacy hides."""
        stored_as = [*user_ids, *map(self._privacy.user_id, user_ids)]
        known_as = erasure.ids_of_person(self._engine, stored_as, now=self._clock())
        erased = erasure.erase_person(self._engine, known_as, self._log_reader)
        if self._archive is None:
            return erased
        archived = erase_user(self._archive.directory, stored_as, known_as[len(stored_as) :])
        return replace(erased, archived=archived)

    def expire(self, *, now: float) -> int:
        """Delete what is past its retention; return how many rows.

        Hot records are deleted 2 h after their arrival, or 30 min beyond the longest funnel window if that is later.
        """
        return expiry.expire(self._engine, self._archive, now=now)
