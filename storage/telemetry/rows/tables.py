"""The telemetry tables: the hot store, the rollups, and the marks of each roll-up.

Times are float seconds UTC, as in detection.types. `sequence` numbers are never reused, because the roll-ups remember
them. SQLite needs AUTOINCREMENT for that; otherwise it would reuse the number of a deleted row.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.types import TypeEngine

from storage.database.base import Base
from storage.telemetry.rows.senders_ids import SendersId

# SQLite numbers rows automatically only in a column whose type is exactly INTEGER.
_SEQUENCE: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

events = Table(
    "events",
    Base.metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("event_id", SendersId, nullable=False, unique=True),
    Column("event", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("happened_at", Double, nullable=False, index=True),
    Column("arrived_at", Double, nullable=False),
    Column("properties", Text, nullable=False),
    Column("other_id", SendersId),
    Column("is_merge", Boolean),
    Index("ix_events_user", "user_id", "happened_at"),
    sqlite_autoincrement=True,
)
"""Product events. other_id: another id of the person, if the event tells one; is_merge: see AlsoKnownAs."""

person_ids = Table(
    "person_ids",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("is_known", Boolean, nullable=False),
    Column("linked_at", BigInteger, nullable=False, index=True),
    Column("seen_at", Double, nullable=False, index=True),
)
"""The ids of people with several; an id that is missing here is a person of its own.

person: the id that stands for the person, always one of their own. is_known: the id is of a person, not of a device or
a visitor. linked_at: the sequence of the event by which the id last came to this person. seen_at: when it was last
told, to the hour.
"""

spans = Table(
    "spans",
    Base.metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("trace_id", Text, nullable=False),
    Column("span_id", Text, nullable=False),
    Column("parent_span_id", Text),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("version", Text),
    Column("started_at", Double, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("duration_ms", Double, nullable=False),
    Column("is_error", Boolean, nullable=False),
    Column("endpoint", Text),
    Column("status_code", Integer),
    Column("statement", Text),
    Index("uq_spans_trace_id", "trace_id", "span_id", unique=True),
    sqlite_autoincrement=True,
)

requests = Table(
    "requests",
    Base.metadata,
    # The sequence of the request's server span.
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=False),
    Column("trace_id", Text, nullable=False),
    Column("span_id", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("version", Text),
    Column("started_at", Double, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("duration_ms", Double, nullable=False),
    Column("query_count", Integer, nullable=False),
    Column("is_error", Boolean, nullable=False),
    Index("ix_requests_endpoint", "service", "endpoint", "started_at"),
)

log_records = Table(
    "log_records",
    Base.metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("record_id", SendersId, nullable=False, unique=True),
    Column("service", Text, nullable=False),
    Column("version", Text),
    Column("happened_at", Double, nullable=False, index=True),
    Column("arrived_at", Double, nullable=False),
    Column("severity", Text, nullable=False),
    Column("severity_rank", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("trace_id", Text),
    Column("attributes", Text, nullable=False),
    sqlite_autoincrement=True,
)

metric_points = Table(
    "metric_points",
    Base.metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("point_id", SendersId, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("happened_at", Double, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("value", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Index("ix_metric_points_series", "service", "name", "happened_at"),
    sqlite_autoincrement=True,
)

rollup_marks = Table(
    "rollup_marks",
    Base.metadata,
    Column("kind", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
"""The sequence up to which each kind of record is rolled up; see storage.telemetry.rollups.marks."""

funnel_marks = Table(
    "funnel_marks",
    Base.metadata,
    Column("funnel_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("step_count", Integer, nullable=False),
    Column("window_seconds", Double, nullable=False),
)
"""The sequence of `events` up to which each funnel is rolled up. A new funnel starts at 0 and catches up."""

funnel_progress = Table(
    "funnel_progress",
    Base.metadata,
    Column("funnel_id", Integer, primary_key=True, autoincrement=False),
    Column("user_id", Text, primary_key=True),
    Column("entered_at", Double, primary_key=True),
    Column("reached_at", Text, nullable=False),
    Column("dimensions", Text, nullable=False),
    Index("ix_funnel_progress_entered", "entered_at"),
)
"""Users' attempts as counted in the rollups, so that a changed attempt can be subtracted and added again."""

segment_values = Table(
    "segment_values",
    Base.metadata,
    Column("funnel_id", Integer, primary_key=True, autoincrement=False),
    Column("dimension", Text, primary_key=True),
    Column("value", Text, primary_key=True),
)
"""The values of a dimension that have a series of their own; all other values are counted as "other"."""

funnel_buckets = Table(
    "funnel_buckets",
    Base.metadata,
    Column("funnel_id", Integer, primary_key=True, autoincrement=False),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket_start", Double, primary_key=True),
    Column("dimension", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("reached", LargeBinary, nullable=False),
    Column("converted_by_delay", LargeBinary, nullable=False),
)
"""Cohorts by time of entry. dimension, value: "" for everyone. Counts: storage.telemetry.rows.histogram_blobs."""

funnel_cells = Table(
    "funnel_cells",
    Base.metadata,
    Column("funnel_id", Integer, primary_key=True, autoincrement=False),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket_start", Double, primary_key=True),
    Column("combinations", Text, nullable=False),
    Column("counts", LargeBinary, nullable=False),
)
"""Cohorts by full combination of dimension values, one row per bucket; see storage.telemetry.funnels.cell_rollup."""

endpoint_buckets = Table(
    "endpoint_buckets",
    Base.metadata,
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket_start", Double, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("request_count", BigInteger, nullable=False),
    Column("error_count", BigInteger, nullable=False),
    Column("query_sum", BigInteger, nullable=False),
    Column("duration_histogram", LargeBinary, nullable=False),
    Column("query_histogram", LargeBinary, nullable=False),
)

endpoint_names = Table(
    "endpoint_names",
    Base.metadata,
    Column("service", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("seen_at", Double, nullable=False, index=True),
)
"""The endpoints of each service that have buckets of their own; see storage.telemetry.endpoints.names."""

append_period = Table(
    "append_period",
    Base.metadata,
    Column("since", Double, primary_key=True, autoincrement=False),
    Column("until", Double, nullable=False),
)
"""PostgreSQL only, one row: the period whose partitions appends go to; see storage.telemetry.hot.append_postgresql."""

archived_batches = Table("archived_batches", Base.metadata, Column("token", Text, primary_key=True))
"""Batches evicted from the hot store whose draft files are not yet in the archive, by the token in the file names."""

log_series = Table(
    "log_series",
    Base.metadata,
    Column("id", _SEQUENCE, primary_key=True),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("severity_rank", SmallInteger, nullable=False),
    Column("sample", Text, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("counted_as", BigInteger),
    Index("uq_log_series_service", "service", "kind", "name", unique=True),
)
"""What lines are counted under: templates, named patterns and severities of a service.

counted_as: the id of this series' successor, after its template was merged into a more general one. last_at is accurate
to the hour.
"""

log_buckets = Table(
    "log_buckets",
    Base.metadata,
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket_start", Double, primary_key=True),
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line_count", BigInteger, nullable=False),
    Column("by_window", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Line counts by the time the lines happened.

by_window: for an hour, the counts of its ten-minute windows as six little-endian unsigned 32-bit integers; empty for
fine buckets.
"""

template_states = Table(
    "template_states",
    Base.metadata,
    Column("service", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
"""The state of each service's template miner. version changes whenever the state does."""

metric_series = Table(
    "metric_series",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("service", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("is_rate", Boolean, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("scope", Text),
    Index("uq_metric_series_name", "service", "name", "attributes", unique=True),
)
"""The attribute sets of each metric that have a series of their own; all other points are in the series "other".

seen_at: the start of the newest hour with a point, or the time when the series was created. scope: the first of
OpenTelemetry's instrumentation scopes that sent the metric, "" without one; other scopes stand in the attributes.
"""

metric_memories = Table(
    "metric_memories",
    Base.metadata,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("memory", LargeBinary, nullable=False),
)
"""What the watch of custom metrics remembers of each series, packed (detection.metrics.stream)."""

metric_counters = Table(
    "metric_counters",
    Base.metadata,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("happened_at", Double, nullable=False, index=True),
    Column("value", Double, nullable=False),
    Column("gap_seconds", Double),
)
"""The newest point of each counter, to compare the next one with. gap_seconds: the time since the point before it."""

metric_buckets = Table(
    "metric_buckets",
    Base.metadata,
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket_start", Double, primary_key=True),
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("total", Double, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""A metric's points by the time they happened: sum, count, lowest and highest value."""
