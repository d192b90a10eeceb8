"""A shop of a dozen services, like the demo's, with names, languages, nodes and metric names that differ by seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

_ROLES: Mapping[str, tuple[str, ...]] = {
    "frontend": ("frontend", "storefront", "web"),
    "checkout": ("checkout", "purchase"),
    "cart": ("cart", "basket"),
    "catalog": ("catalog", "products"),
    "payment": ("payment", "payments"),
    "orders": ("orders", "order"),
    "inventory": ("inventory", "stock"),
    "search": ("search", "finder"),
    "recommendation": ("recommendation", "suggestions"),
    "account": ("account", "profile"),
    "worker": ("fulfilment-worker", "shipping-worker", "parcel-worker"),
    "batch": ("batch-importer", "nightly-export", "price-import"),
}
_BEHIND: Mapping[str, tuple[str, ...]] = {
    "orders_db": ("orders-db", "orders-postgres"),
    "cart_db": ("cart-db", "basket-mysql"),
    "catalog_db": ("catalog-db", "productdb"),
    "inventory_db": ("inventory-db", "stock-postgres"),
    "cache": ("redis-cache", "catalog-redis"),
    "queue": ("orders-queue", "rabbitmq-orders"),
    "dns": ("coredns", "kube-dns"),
}
CALLS = (
    ("frontend", "checkout"),
    ("frontend", "cart"),
    ("frontend", "catalog"),
    ("frontend", "search"),
    ("frontend", "recommendation"),
    ("frontend", "account"),
    ("checkout", "cart"),
    ("checkout", "payment"),
    ("checkout", "orders"),
    ("checkout", "inventory"),
    ("recommendation", "catalog"),
)
STORES = (
    ("orders", "orders_db"),
    ("cart", "cart_db"),
    ("catalog", "catalog_db"),
    ("catalog", "cache"),
    ("inventory", "inventory_db"),
    ("orders", "queue"),
    ("worker", "queue"),
)
SERVICES = tuple(role for role in _ROLES if role not in ("worker", "batch"))
DATABASES = ("orders_db", "cart_db", "catalog_db", "inventory_db")
_SUFFIXES = ("", "service", "-svc", "-api")
_LANGUAGES = ("go", "python", "typescript", "java")
_PROVIDERS = (
    ("stripe", "api.stripe.com", "/v1/charges"),
    ("adyen", "checkout-live.adyen.com", "/v71/payments"),
    ("paypal", "api-m.paypal.com", "/v2/checkout/orders"),
    ("mollie", "api.mollie.com", "/v2/payments"),
)
_MEASURES: Mapping[str, tuple[str, str, str]] = {
    "latency": ("http_server_duration_p99_ms", "p99_latency_ms", "request_latency_p95_ms"),
    "errors": ("error_rate_5xx_ratio", "error_rate_pct", "http_5xx_rate"),
    "traffic": ("requests_per_sec", "rps", "request_rate"),
    "cpu": ("cpu_utilization", "cpu_pct", "container_cpu_usage_ratio"),
    "memory": ("memory_working_set_mb", "heap_used_mb", "container_memory_mb"),
    "queries": ("db_query_count_per_request", "queries_per_request", "sql_statements_per_request"),
    "connections": ("db_connections_active", "active_connections", "pg_stat_activity_count"),
    "pool_wait": ("db_pool_wait_ms", "conn_acquire_wait_ms_p99", "hikari_pending_threads"),
    "db_latency": ("db_query_duration_p99_ms", "query_p99_ms", "statement_latency_p99_ms"),
    "db_load": ("db_queries_per_second", "qps", "db_queries_per_sec"),
    "db_cpu": ("db_cpu_utilization", "db_cpu_pct", "rds_cpu_utilization"),
    "hits": ("cache_hit_ratio", "hit_rate_pct", "redis_keyspace_hit_ratio"),
    "lag": ("queue_depth", "messages_ready", "consumer_lag"),
    "disk": ("disk_used_ratio", "disk_usage_pct", "filesystem_used_ratio"),
    "timeouts": ("client_timeouts_per_min", "timeout_count", "deadline_exceeded_per_min"),
    "retries": ("client_retries_per_min", "retry_count", "outbound_retries_per_min"),
    "restarts": ("container_restarts", "restart_count", "pod_restarts_total"),
    "cert": ("tls_cert_seconds_until_expiry", "certificate_expiry_seconds", "ssl_cert_not_after_seconds_left"),
    "tls": ("tls_handshake_errors_per_min", "tls_handshake_failure_rate", "ssl_handshake_errors"),
    "provider": ("upstream_provider_error_rate_pct", "provider_error_pct", "psp_error_rate_pct"),
    "dns_errors": ("coredns_servfail_per_sec", "dns_servfail_rate", "dns_lookup_failures_per_sec"),
    "node_memory": ("node_memory_available_mb", "node_mem_available_mb", "node_memory_MemAvailable_mb"),
    "redelivered": ("messages_redelivered_per_min", "redelivery_count", "nack_rate"),
}


@dataclass(frozen=True, slots=True)
class Shop:
    """names, nodes and languages by role; style: which of the three families of metric names is in use."""

    names: Mapping[str, str]
    nodes: Mapping[str, str]
    languages: Mapping[str, str]
    style: int
    provider: str
    provider_host: str
    provider_path: str

    def metric(self, measure: str) -> str:
        """Return what this shop calls a measure."""
        return _MEASURES[measure][self.style]

    @property
    def in_percent(self) -> bool:
        """Whether ratios are written from 0 to 100."""
        return self.style == 1


def shop(rng: random.Random) -> Shop:
    """Return a shop of the generator's choice."""
    suffix = rng.choice(_SUFFIXES)
    names = {role: rng.choice(words) + suffix for role, words in _ROLES.items() if role not in ("worker", "batch")}
    names |= {role: rng.choice(_ROLES[role]) for role in ("worker", "batch")}
    names |= {role: rng.choice(words) for role, words in _BEHIND.items()}
    nodes = [f"node-{n}" for n in rng.sample(range(1, 20), 4)]
    placed = {role: rng.choice(nodes) for role in (*_ROLES, *_BEHIND)}
    provider, host, path = rng.choice(_PROVIDERS)
    languages = {role: rng.choice(_LANGUAGES) for role in _ROLES}
    return Shop(names, placed, languages, rng.randrange(3), provider, host, path)


def callers(role: str) -> tuple[str, ...]:
    """Return who depends on `role` directly."""
    return tuple(caller for caller, callee in (*CALLS, *STORES) if callee == role)


def upstream(role: str, through: tuple[str, ...] | None = None) -> tuple[tuple[str, str], ...]:
    """Return the edges (who fails, whom it drags along) up to the frontend, nearest first.

    through: only these callers pass the failure on.
    """
    edges: list[tuple[str, str]] = []
    reached, waiting = {role}, [role]
    while waiting:
        callee = waiting.pop(0)
        for caller in callers(callee):
            if caller in reached or caller == "worker" or (through is not None and caller not in through):
                continue
            reached.add(caller)
            edges.append((callee, caller))
            waiting.append(caller)
    return tuple(edges)
