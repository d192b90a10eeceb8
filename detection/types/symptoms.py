"""The kinds of symptom: what a metric or a log line shows, and what a change or a failure can cause."""

from __future__ import annotations

from enum import StrEnum


class SymptomKind(StrEnum):
    """One kind of trouble that can be observed. A change explains an incident as far as it can cause its kinds."""

    LATENCY = "latency"
    ERRORS = "errors"
    CLIENT_ERRORS = "client_errors"
    TIMEOUTS = "timeouts"
    CANCELLED = "cancelled"
    CRASH = "crash"
    RESTARTS = "restarts"
    RETRIES = "retries"
    TRAFFIC = "traffic"
    TRAFFIC_LOST = "traffic_lost"
    QUERY_COUNT = "query_count"
    SLOW_QUERIES = "slow_queries"
    ROWS_READ = "rows_read"
    LOCKS = "locks"
    CPU = "cpu"
    MEMORY = "memory"
    GARBAGE_COLLECTION = "garbage_collection"
    CONNECTIONS = "connections"
    THREADS = "threads"
    FILE_HANDLES = "file_handles"
    DISK = "disk"
    QUEUE = "queue"
    THROTTLED = "throttled"
    CACHE_MISSES = "cache_misses"
    AUTHENTICATION = "authentication"
    CERTIFICATE = "certificate"
    NAME_LOOKUP = "name_lookup"
    NETWORK = "network"
    DECODING = "decoding"
    SCHEMA = "schema"
    BAD_DATA = "bad_data"
    LOG_VOLUME = "log_volume"
    RESULTS = "results"
    """The results differ: fewer sales, empty answers, wrong amounts."""
