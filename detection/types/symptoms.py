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

    @property
    def in_words(self) -> str:
        """What people are told is wrong, as in "shows …" and "can cause …"."""
        return _IN_WORDS.get(self, self.value.replace("_", " "))


_IN_WORDS = {
    SymptomKind.LATENCY: "slowness",
    SymptomKind.CLIENT_ERRORS: "client errors",
    SymptomKind.CANCELLED: "cancelled calls",
    SymptomKind.CRASH: "crashes",
    SymptomKind.TRAFFIC: "more traffic",
    SymptomKind.TRAFFIC_LOST: "lost traffic",
    SymptomKind.QUERY_COUNT: "more queries",
    SymptomKind.SLOW_QUERIES: "slow queries",
    SymptomKind.ROWS_READ: "more rows read",
    SymptomKind.LOCKS: "waits for locks",
    SymptomKind.CPU: "load on the CPU",
    SymptomKind.MEMORY: "use of memory",
    SymptomKind.CONNECTIONS: "a lack of connections",
    SymptomKind.THREADS: "a lack of threads",
    SymptomKind.FILE_HANDLES: "a lack of file handles",
    SymptomKind.DISK: "a full disk",
    SymptomKind.QUEUE: "a growing queue",
    SymptomKind.THROTTLED: "throttling",
    SymptomKind.AUTHENTICATION: "failed sign-ins",
    SymptomKind.CERTIFICATE: "refused certificates",
    SymptomKind.NAME_LOOKUP: "failed name lookups",
    SymptomKind.NETWORK: "network trouble",
    SymptomKind.DECODING: "unreadable messages",
    SymptomKind.SCHEMA: "schema errors",
    SymptomKind.LOG_VOLUME: "more log lines",
    SymptomKind.RESULTS: "other results",
}
