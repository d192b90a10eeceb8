"""A metric's name tells what it measures, whoever chose the name."""

from __future__ import annotations

import pytest

from detection.symptoms import Worse, metric_meaning
from detection.types import SymptomKind


@pytest.mark.parametrize(
    ("name", "kind", "worse"),
    [
        ("http.server.request.duration", SymptomKind.LATENCY, Worse.UP),
        ("unsent_orders", SymptomKind.QUEUE, Worse.UP),
        ("redis_keyspace_misses_total", SymptomKind.CACHE_MISSES, Worse.UP),
        ("TargetResponseTime", SymptomKind.LATENCY, Worse.UP),
        ("memcached_current_items", SymptomKind.CACHE_MISSES, Worse.DOWN),
        ("evicted_keys_per_s", SymptomKind.CACHE_MISSES, Worse.UP),
        ("availability", SymptomKind.ERRORS, Worse.DOWN),
        ("checkout_success_rate", SymptomKind.ERRORS, Worse.DOWN),
        ("container_cpu_cfs_throttled_periods_total", SymptomKind.THROTTLED, Worse.UP),
        ("node_filesystem_avail_bytes", SymptomKind.DISK, Worse.DOWN),
        ("kafka_consumergroup_lag", SymptomKind.QUEUE, Worse.UP),
        ("pgbouncer_pools_client_waiting", SymptomKind.CONNECTIONS, Worse.UP),
        ("maxwait_seconds", SymptomKind.CONNECTIONS, Worse.UP),
        ("index_age_seconds", SymptomKind.QUEUE, Worse.UP),
        ("replica_staleness_ms", SymptomKind.QUEUE, Worse.UP),
        ("requests_denied_per_s", SymptomKind.ERRORS, Worse.UP),
        ("mails_dropped_per_min", SymptomKind.ERRORS, Worse.UP),
        ("events_dropped_total", SymptomKind.ERRORS, Worse.UP),
        ("http_response_size_bytes_avg", SymptomKind.RESULTS, Worse.DOWN),
        ("empty_results_per_s", SymptomKind.RESULTS, Worse.UP),
        ("process_open_fds", SymptomKind.FILE_HANDLES, Worse.UP),
        ("hikaricp_connections_pending", SymptomKind.CONNECTIONS, Worse.UP),
        ("redis_keyspace_hit_ratio", SymptomKind.CACHE_MISSES, Worse.DOWN),
        ("jvm_gc_pause_seconds_max", SymptomKind.GARBAGE_COLLECTION, Worse.UP),
        ("kube_pod_container_status_restarts_total", SymptomKind.RESTARTS, Worse.UP),
        ("nginx_http_requests_total", SymptomKind.TRAFFIC, Worse.EITHER),
        ("pg_stat_activity_lock_waits", SymptomKind.LOCKS, Worse.UP),
        ("orders_per_minute", SymptomKind.RESULTS, Worse.DOWN),
    ],
)
def test_a_name_says_what_is_measured_and_which_way_is_worse(name: str, kind: SymptomKind, worse: Worse) -> None:
    meaning = metric_meaning(name)

    assert (meaning.kind, meaning.worse) == (kind, worse)


@pytest.mark.parametrize(
    "name", ["banana", "x1", "", "feature_variant", "account_age_days", "image_size", "cart_items"]
)
def test_a_name_that_says_nothing_has_no_meaning(name: str) -> None:
    assert metric_meaning(name).kind is None


def test_a_configured_limit_shows_no_symptom_but_the_highest_measured_value_does() -> None:
    assert metric_meaning("pg_max_connections").is_limit
    assert not metric_meaning("gc_pause_ms_max").is_limit
    assert not metric_meaning("memory_limit_utilization").is_limit


def test_the_time_left_of_a_certificate_counts_down() -> None:
    assert metric_meaning("tls_certificate_days_remaining").is_countdown
    assert not metric_meaning("tls_handshake_failures").is_countdown
