"""What a metric measures, from its name: which symptom it shows, and whether more or less of it is worse.

Names follow no standard. OpenTelemetry's semantic conventions, Prometheus' exporters, CloudWatch and home-made names
share their words, so the words decide: "http_server_duration_p99_ms", "ALB TargetResponseTime" and "p99_latency" all
measure latency. A name is split at separators and at changes of case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from detection.types import SymptomKind


class Worse(Enum):
    """In which direction a metric gets worse."""

    UP = 1
    DOWN = -1
    EITHER = 0


@dataclass(frozen=True, slots=True)
class MetricMeaning:
    """kind: None if the name does not say what is measured. is_limit: a configured limit, which shows no symptom.

    is_countdown: the time that is left until something ends, such as a certificate's; zero is the end.
    """

    kind: SymptomKind | None
    worse: Worse
    is_limit: bool = False
    is_countdown: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    """The meaning of a name that holds one word of each of `groups`, and none of `but`."""

    groups: tuple[frozenset[str], ...]
    kind: SymptomKind
    worse: Worse = Worse.UP
    but: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _rule(*groups: str, kind: SymptomKind, worse: Worse = Worse.UP, but: str = "") -> _Rule:
    return _Rule(tuple(_words(group) for group in groups), kind, worse, _words(but))


_GOOD = "success successes successful succeeded availability available ok healthy uptime up apdex satisfied"
_BAD = (
    "error errors err failure failures failed fail fails exception exceptions fault faults "
    "5xx 500 502 503 504 unhealthy"
)
_SPARE = "free available avail remaining left idle headroom unused"
_TIME = "latency duration durations time ms milliseconds seconds elapsed response wait"

_RULES: Sequence[_Rule] = (
    _rule(
        "cert certificate tls ssl x509",
        "expiry expires expiration until remaining days seconds validity",
        kind=SymptomKind.CERTIFICATE,
        worse=Worse.DOWN,
    ),
    _rule("cert certificate tls ssl x509 handshake handshakes", kind=SymptomKind.CERTIFICATE),
    _rule(
        "cache caches redis memcached memcache cdn", "hit hits hitrate", kind=SymptomKind.CACHE_MISSES, worse=Worse.DOWN
    ),
    _rule("hit hitrate", "ratio rate pct percent", kind=SymptomKind.CACHE_MISSES, worse=Worse.DOWN),
    _rule(
        "cache caches keyspace redis memcached memcache",
        "miss misses evictions evicted eviction",
        kind=SymptomKind.CACHE_MISSES,
    ),
    _rule("evicted evictions", "keys items entries objects", kind=SymptomKind.CACHE_MISSES),
    _rule(
        "curr current cached cache redis memcached",
        "keys items entries objects",
        kind=SymptomKind.CACHE_MISSES,
        worse=Worse.DOWN,
        but="expired expiring created set get",
    ),
    _rule("dns resolver resolution coredns nxdomain servfail", kind=SymptomKind.NAME_LOOKUP),
    _rule(
        "packet packets tcp retransmit retransmits retransmissions network",
        f"loss lost drop drops dropped retransmit retransmits retransmissions {_BAD}",
        kind=SymptomKind.NETWORK,
    ),
    _rule("gc garbage collection stw", kind=SymptomKind.GARBAGE_COLLECTION),
    _rule("throttled throttle throttles throttling ratelimit ratelimited 429", kind=SymptomKind.THROTTLED),
    _rule("rate", "limited limit limiter limits", kind=SymptomKind.THROTTLED),
    _rule(
        "401 403 unauthorized forbidden unauthenticated auth authentication authorization login logins token",
        _BAD + " 401 403 unauthorized forbidden unauthenticated denied rejected",
        kind=SymptomKind.AUTHENTICATION,
    ),
    _rule("oom oomkilled oomkills", kind=SymptomKind.MEMORY),
    _rule("restart restarts restarted crashloop crashloopbackoff backoff", kind=SymptomKind.RESTARTS),
    _rule("crash crashes panic panics segfault coredump", kind=SymptomKind.CRASH),
    _rule("evicted evictions preempted", kind=SymptomKind.RESTARTS),
    _rule("unsent undelivered unprocessed unplanned unfulfilled unshipped stuck overdue", kind=SymptomKind.QUEUE),
    _rule("retry retries retried", kind=SymptomKind.RETRIES),
    _rule("cancelled canceled cancellations cancels aborted", kind=SymptomKind.CANCELLED),
    _rule("timeout timeouts deadline deadlines timedout", kind=SymptomKind.TIMEOUTS),
    _rule("deadlock deadlocks lock locks contention mutex blocked locked latch", kind=SymptomKind.LOCKS),
    _rule("rows documents tuples docs", "examined scanned read returned fetched scan", kind=SymptomKind.ROWS_READ),
    _rule(
        "queries query statements selects sql",
        "per count calls number total",
        "request req op operation",
        kind=SymptomKind.QUERY_COUNT,
        but="second sec s qps",
    ),
    _rule(
        "db sql query queries pg postgres postgresql mysql mongo database statement commit transaction txn",
        "latency duration time ms milliseconds slow p50 p95 p99",
        kind=SymptomKind.SLOW_QUERIES,
        but="pool conn connection connections acquire checkout wait",
    ),
    _rule("slow", "queries query log", kind=SymptomKind.SLOW_QUERIES),
    _rule("queries qps selects transactions tps", kind=SymptomKind.TRAFFIC, worse=Worse.EITHER),
    _rule(
        "connection connections conn conns pool sessions session hikari pgbouncer sockets socket clients",
        f"{_BAD} refused reset rejected",
        kind=SymptomKind.CONNECTIONS,
    ),
    _rule(
        "connection connections conn conns pool hikari pgbouncer sessions slots backends",
        _SPARE,
        kind=SymptomKind.CONNECTIONS,
        worse=Worse.DOWN,
    ),
    _rule(
        "connection connections conn conns pool hikari pgbouncer sessions slots backends sockets",
        kind=SymptomKind.CONNECTIONS,
        but="thread threads worker workers",
    ),
    _rule("cl client clients", "waiting", kind=SymptomKind.CONNECTIONS),
    _rule("sv", "active used", kind=SymptomKind.CONNECTIONS),
    _rule("maxwait", kind=SymptomKind.CONNECTIONS),
    _rule("fd fds descriptors handles handle filehandles nofile", kind=SymptomKind.FILE_HANDLES),
    _rule(
        "thread threads goroutine goroutines worker workers executor",
        _SPARE,
        kind=SymptomKind.THREADS,
        worse=Worse.DOWN,
    ),
    _rule("thread threads goroutine goroutines executor", kind=SymptomKind.THREADS),
    _rule("worker workers", "busy active used utilization pct percent saturation", kind=SymptomKind.THREADS),
    _rule("memory mem heap rss oldgen swap ram", _SPARE, kind=SymptomKind.MEMORY, worse=Worse.DOWN),
    _rule("memory mem heap rss oldgen swap ram workingset", kind=SymptomKind.MEMORY),
    _rule("cpu", "idle", kind=SymptomKind.CPU, worse=Worse.DOWN),
    _rule("cpu processor", kind=SymptomKind.CPU),
    _rule("load", "1 5 15 average avg node", kind=SymptomKind.CPU),
    _rule("disk filesystem volume storage inode inodes fs pvc ebs", _SPARE, kind=SymptomKind.DISK, worse=Worse.DOWN),
    _rule("disk filesystem volume inode inodes fs pvc ebs iops iowait io wal", kind=SymptomKind.DISK),
    _rule(
        "message messages job jobs task tasks event events",
        "ready visible unacked unacknowledged unprocessed pending waiting oldest age behind delayed outstanding",
        kind=SymptomKind.QUEUE,
    ),
    _rule(
        "queue queues backlog lag pending inflight in_flight depth queued unacked unprocessed outstanding behind",
        kind=SymptomKind.QUEUE,
        but="replica replicas",
    ),
    _rule("flight", "in", kind=SymptomKind.QUEUE),
    _rule("concurrent concurrency", kind=SymptomKind.QUEUE),
    _rule("replication replica", "lag delay", kind=SymptomKind.QUEUE),
    _rule("oldest", "age", kind=SymptomKind.QUEUE),
    _rule("staleness freshness watermark", kind=SymptomKind.QUEUE),
    _rule("feature features data snapshot index dataset", "age", kind=SymptomKind.QUEUE),
    _rule("dropped discarded rejected declined denied refused shed undelivered", kind=SymptomKind.ERRORS),
    _rule("empty", "response responses result results documents answers", kind=SymptomKind.RESULTS),
    _rule(
        "response responses payload document documents result results",
        "bytes size length",
        kind=SymptomKind.RESULTS,
        worse=Worse.DOWN,
    ),
    _rule("clock ntp chrony", "offset skew drift", kind=SymptomKind.ERRORS, worse=Worse.EITHER),
    _rule("schema migration migrations", _BAD, kind=SymptomKind.SCHEMA),
    _rule(
        "parse parsing decode decoding decoder serialization deserialization unmarshal", _BAD, kind=SymptomKind.DECODING
    ),
    _rule("invalid malformed poison dlq deadletter dead", kind=SymptomKind.BAD_DATA),
    _rule("4xx 400 404 409 422", kind=SymptomKind.CLIENT_ERRORS),
    _rule(
        _GOOD,
        "rate ratio pct percent percentage share availability availability apdex uptime",
        kind=SymptomKind.ERRORS,
        worse=Worse.DOWN,
    ),
    _rule("availability apdex uptime healthy", kind=SymptomKind.ERRORS, worse=Worse.DOWN, but="unhealthy"),
    _rule(_BAD, kind=SymptomKind.ERRORS),
    _rule("latency latencies duration durations p50 p75 p90 p95 p99 p999 ttfb responsetime", kind=SymptomKind.LATENCY),
    _rule(
        "response request requests server call calls rpc reply",
        "time seconds ms milliseconds",
        kind=SymptomKind.LATENCY,
    ),
    _rule("attempts attempt", kind=SymptomKind.TRAFFIC, worse=Worse.EITHER, but="retry retries max per"),
    _rule(
        "requests request req rps qps calls hits throughput traffic rpm invocations messages events records ops",
        kind=SymptomKind.TRAFFIC,
        worse=Worse.EITHER,
    ),
    _rule("log logs", "lines volume bytes", kind=SymptomKind.LOG_VOLUME),
    _rule(
        "orders order checkouts conversions conversion signups sales revenue purchases payments bookings",
        kind=SymptomKind.RESULTS,
        worse=Worse.DOWN,
    ),
    _rule("pods replicas instances", "ready available running healthy", kind=SymptomKind.RESTARTS, worse=Worse.DOWN),
)

_LIMIT_WORDS = _words("max maximum limit capacity quota configured threshold ceiling desired target")
_LIMITED = frozenset(
    {
        SymptomKind.CONNECTIONS,
        SymptomKind.FILE_HANDLES,
        SymptomKind.THREADS,
        SymptomKind.MEMORY,
        SymptomKind.CPU,
        SymptomKind.DISK,
        SymptomKind.QUEUE,
        SymptomKind.RESTARTS,
    }
)
_MEASURED_WORDS = _words("used usage utilization utilisation hit exceeded reached p50 p95 p99 latency duration time")
_COUNTDOWN = (
    _words("until remaining left expires expiry expiration validity"),
    _words("cert certificate tls ssl x509 token license secret"),
)


@lru_cache(maxsize=10_000)
def metric_meaning(name: str) -> MetricMeaning:
    """Return what the metric of this name measures; kind None if its words do not say."""
    words = split_words(name)
    found = next((rule for rule in _RULES if _holds(rule, words)), None)
    if found is None:
        return MetricMeaning(None, Worse.EITHER)
    is_limit = found.kind in _LIMITED and bool(words & _LIMIT_WORDS) and not words & _MEASURED_WORDS
    is_countdown = all(words & group for group in _COUNTDOWN)
    return MetricMeaning(found.kind, found.worse, is_limit, is_countdown)


def _holds(rule: _Rule, words: frozenset[str]) -> bool:
    return not words & rule.but and all(words & group for group in rule.groups)


_BORDER = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def split_words(name: str) -> frozenset[str]:
    """Return the lower-case words of a name: "TargetResponseTime" has target, response and time."""
    return frozenset(word.lower() for word in _BORDER.split(name[:300]) if word)
