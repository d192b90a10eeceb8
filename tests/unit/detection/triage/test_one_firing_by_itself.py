from __future__ import annotations

from typing import Any

import pytest

from detection.triage import Context, Firing, KnownLimit, PastWords, RecentChange
from tests.unit.detection.triage.firings import firing, loud, quiet, woken

RELEASE = Context(changes=(RecentChange("shop", "shop-7", 8 * 60.0),))
RAISED = Context(changes=(RecentChange("shop", "shop-7", 8 * 60.0, {"heap.max_pct": 80.0, "oom_limit_pct": 92.0}),))
RESIZED = Context(
    changes=(
        RecentChange("shop", "shop-7", 8 * 60.0, {"max_connections_before": 250.0, "max_connections_after": 400.0}),
    )
)
HIT_RATIO: dict[str, Any] = {"sev": 2, "value": 0.79, "threshold": 0.8}
CLIMB = [(0.0, 0.01), (10.0, 0.03), (20.0, 0.05), (30.0, 0.07), (40.0, 0.09)]

WAKES: dict[str, tuple[Firing, Context]] = {
    "a firing about which nothing else is known": (firing("a", "shop", "custom_thing", 10), Context()),
    "a low error rate that climbs through the whole window with no deploy": (
        firing("a", "shop", "error_rate", 20, CLIMB, sev=4, value=0.05, threshold=0.05),
        Context(),
    ),
    "failed logins that stay high": (
        firing("a", "auth", "login_failure_rate", 10, [(5, 0.01), (10, 0.9), (30, 0.92)], value=0.9, threshold=0.05),
        Context(),
    ),
    "descriptors that dropped once and climb again": (
        firing(
            "a",
            "shop",
            "open_fds",
            8,
            [(0, 9000), (8, 31000), (9, 12000), (20, 24000), (30, 33000), (40, 44000), (50, 52000)],
            value=31000.0,
            threshold=30000.0,
            healed_after_seconds=50.0,
        ),
        Context(),
    ),
    "what climbs back after its end but is not over the threshold yet": (
        firing(
            "a",
            "shop",
            "queue_depth",
            8,
            [(0, 900), (8, 5100), (9, 1000), (20, 2200), (30, 3300), (40, 4400)],
            value=5100.0,
            threshold=5000.0,
            healed_after_seconds=50.0,
            **loud("backlog"),
        ),
        Context(),
    ),
    "a flapping check that stays up at last": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            30,
            [(10, 0.07), (11, 0.01), (20, 0.08), (21, 0.01), (30, 0.1), (35, 0.16), (40, 0.22)],
            value=0.1,
            threshold=0.05,
            fired_last_hour=9,
        ),
        Context(),
    ),
    "a flapping check that is worse each time": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            40,
            [(10, 0.06), (11, 0.01), (20, 0.09), (21, 0.01), (30, 0.14), (31, 0.01), (40, 0.2), (41, 0.01)],
            value=0.2,
            threshold=0.05,
            fired_last_hour=4,
            healed_after_seconds=40.0,
            **loud("reset"),
        ),
        Context(),
    ),
    "a queue that has halved and holds there with a new error": (
        firing(
            "a",
            "mail",
            "queue_depth",
            10,
            [(5, 900), (10, 14_000), (20, 9000), (30, 9100)],
            value=14_000.0,
            threshold=5000.0,
            **loud("stuck"),
        ),
        Context(),
    ),
    "an end that the samples contradict": (
        firing(
            "a",
            "shop",
            "error_rate",
            10,
            [(5, 0.01), (10, 0.3), (15, 0.32), (20, 0.31)],
            value=0.3,
            threshold=0.05,
            healed_after_seconds=40.0,
        ),
        Context(),
    ),
    "a deploy that does not heal": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            10,
            [(5, 0.01), (10, 0.2), (20, 0.21), (30, 0.2)],
            value=0.2,
            threshold=0.05,
            deploy_version="shop-7",
            **loud("nil"),
        ),
        RELEASE,
    ),
    "memory at its limit, though it holds": (
        firing(
            "a", "shop", "memory_pct", 20, [(0, 70), (10, 88), (20, 98), (30, 99), (40, 99)], value=98.0, threshold=90.0
        ),
        Context(),
    ),
    "memory that rises through the limit that a deploy raised": (
        firing(
            "a",
            "shop",
            "memory_pct",
            20,
            [(0, 52), (10, 63), (20, 71), (30, 79), (40, 86)],
            value=71.0,
            threshold=70.0,
            deploy_version="shop-7",
            **quiet("warm"),
        ),
        RAISED,
    ),
    "a disk that is full in an hour": (
        firing(
            "a", "db", "disk_usage_pct", 30, [(0, 80), (10, 83), (20, 86), (30, 89)], sev=4, value=89.0, threshold=88.0
        ),
        Context(),
    ),
    "free disk space that runs out": (
        firing("a", "db", "disk_free_bytes", 30, [(0, 9e9), (10, 6e9), (20, 3e9), (30, 1e9)], value=1e9, threshold=2e9),
        Context(),
    ),
    "a certificate that ends tonight": (
        firing("a", "edge", "tls_cert_expiry_hours", 10, sev=4, value=9.0, threshold=720.0),
        Context(),
    ),
    "an error budget that burns fast": (
        firing("a", "shop", "slo_burn_rate_1h", 10, [(5, 1), (10, 15), (20, 16)], sev=3, value=15.0, threshold=14.4),
        Context(),
    ),
    "orders that stop coming": (
        firing("a", "shop", "orders_per_minute", 10, [(5, 80), (10, 9), (20, 5)], value=9.0, threshold=40.0),
        Context(),
    ),
    "payments that fail in short bursts with a new error each time": (
        firing(
            "a", "pay", "error_rate", 10, sev=1, value=0.3, threshold=0.02, healed_after_seconds=40.0, **loud("decline")
        ),
        Context(),
    ),
    "what people said should have woken them": (
        firing("a", "shop", "cpu_pct", 10, value=91.0, threshold=90.0, healed_after_seconds=30.0, **quiet("gc")),
        Context(past={"shop:cpu_pct": PastWords(0, 1)}),
    ),
    "a leak that grows, though people called it a false alarm before": (
        firing("a", "shop", "memory_pct", 20, [(0, 70), (10, 78), (20, 86), (30, 93)], value=86.0, threshold=85.0),
        Context(past={"shop:memory_pct": PastWords(3, 0)}),
    ),
    "a pool near a limit that is known": (
        firing(
            "a",
            "db",
            "active_connections",
            20,
            [(0, 40), (10, 60), (20, 81), (30, 97)],
            sev=4,
            value=81.0,
            threshold=80.0,
        ),
        Context(limits=(KnownLimit("db", "active_connections", 100.0),)),
    ),
    "an error rate that settles high": (
        firing(
            "a",
            "shop",
            "error_rate",
            10,
            [(0, 0.01), (10, 0.2), (20, 0.21), (30, 0.2), (40, 0.2)],
            value=0.2,
            threshold=0.05,
            **quiet("usual"),
        ),
        RELEASE,
    ),
    "what is left of an error budget, if it goes on falling": (
        firing(
            "a",
            "shop",
            "error_budget_remaining_pct",
            90,
            [(0, 52), (30, 44), (60, 36), (90, 28), (120, 21)],
            sev=4,
            value=28.0,
            threshold=30.0,
        ),
        Context(),
    ),
    "a portal for developers, which has real users": (
        firing("a", "dev-portal", "http_5xx_rate", 10, [(5, 0.01), (10, 0.4), (20, 0.5)], value=0.4, threshold=0.05),
        Context(),
    ),
    "a level just past its threshold that was new when it fired": (
        firing("a", "shop", "cache_hit_ratio", 60, [(0, 0.97), (60, 0.79), (70, 0.79), (80, 0.8)], **HIT_RATIO),
        Context(),
    ),
    "an error rate just past its threshold that nothing brings down": (
        firing("a", "shop", "error_rate", 60, [(0, 0.051), (60, 0.052), (80, 0.051)], value=0.052, threshold=0.05),
        Context(),
    ),
    "an error rate that is what it was for hours, with lines that are new": (
        firing(
            "a",
            "sync",
            "error_rate",
            180,
            [(0, 0.052), (60, 0.054), (120, 0.053), (180, 0.053), (240, 0.052)],
            sev=2,
            value=0.053,
            threshold=0.05,
            **loud("skipped"),
        ),
        Context(),
    ),
    "errors that were away for one sample only": (
        firing("a", "shop", "error_rate", 60, [(50, 0.01), (60, 0.2), (80, 0.02)], sev=1, value=0.2, threshold=0.05),
        Context(),
    ),
    "replication lag that grows, whatever the severity": (
        firing(
            "a",
            "db",
            "replication_lag_s",
            10,
            [(0, 2), (10, 60), (20, 200), (30, 400)],
            sev=4,
            value=60.0,
            threshold=30.0,
        ),
        Context(),
    ),
    "a new error that ended by itself, of which nobody knows whether it stayed away": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            10,
            [(8, 0.01), (10, 0.6), (13, 0.01)],
            sev=2,
            value=0.6,
            threshold=0.05,
            healed_after_seconds=120.0,
            **loud("refused"),
        ),
        Context(),
    ),
    "a processor that holds a high level with lines that are new": (
        firing(
            "a",
            "shop",
            "cpu_pct",
            10,
            [(5, 20), (10, 97), (20, 97), (30, 96), (40, 97)],
            sev=2,
            value=97.0,
            threshold=90.0,
            **loud("saturated"),
        ),
        Context(),
    ),
    "memory that settles above what the change allows it": (
        firing(
            "a",
            "shop",
            "memory_pct",
            15,
            [(0, 50), (10, 66), (15, 73), (25, 85), (35, 85.5), (45, 85)],
            sev=2,
            value=73.0,
            threshold=70.0,
            deploy_version="shop-7",
            **quiet("warm"),
        ),
        RAISED,
    ),
    "what harms nobody and holds, where its sender says SEV1": (
        firing(
            "a",
            "steering",
            "custom_thing",
            10,
            [(10, 4), (20, 4), (40, 4)],
            sev=1,
            value=4.0,
            threshold=2.0,
            **quiet("moved"),
        ),
        Context(),
    ),
}

WAITS: dict[str, tuple[Firing, Context]] = {
    "a flapping disk": (
        firing(
            "a",
            "logs",
            "disk_usage_pct",
            30,
            [(10, 85.4), (11, 82), (30, 85.6), (31, 82)],
            value=85.6,
            threshold=85.0,
            fired_last_hour=14,
            healed_after_seconds=20.0,
            **quiet("rotate"),
        ),
        Context(),
    ),
    "a blip of the processor that is called SEV1": (
        firing(
            "a",
            "shop",
            "cpu_pct",
            10,
            [(10, 95), (11, 40)],
            sev=1,
            value=95.0,
            threshold=90.0,
            healed_after_seconds=35.0,
            **quiet("gc"),
        ),
        Context(),
    ),
    "errors of a rollout that heal, called SEV1": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            10,
            [(8, 0.01), (10, 0.25), (12, 0.01)],
            sev=1,
            value=0.25,
            threshold=0.05,
            fired_last_hour=5,
            healed_after_seconds=40.0,
            deploy_version="shop-7",
            **quiet("rollout"),
        ),
        RELEASE,
    ),
    "memory that settles below the limit that a deploy raised": (
        firing(
            "a",
            "shop",
            "memory_pct",
            15,
            [(0, 50), (10, 66), (15, 73), (25, 76), (35, 76.5), (45, 76)],
            sev=2,
            value=73.0,
            threshold=70.0,
            deploy_version="shop-7",
            **quiet("warm"),
        ),
        RAISED,
    ),
    "connections that settle below the new of two limits": (
        firing(
            "a",
            "shop",
            "connections",
            15,
            [(0, 150), (10, 210), (15, 230), (25, 268), (35, 267), (45, 268)],
            sev=2,
            value=230.0,
            threshold=220.0,
            deploy_version="shop-7",
            **quiet("pool"),
        ),
        RESIZED,
    ),
    "a batch that has drained its queue": (
        firing(
            "a",
            "mail",
            "queue_depth",
            10,
            [(10, 5200), (12, 900)],
            value=5200.0,
            threshold=5000.0,
            healed_after_seconds=1500.0,
            **quiet("batch"),
        ),
        Context(),
    ),
    "a disk that is full in a week": (
        firing(
            "a",
            "db",
            "disk_usage_pct",
            600,
            [(0, 79), (120, 79.3), (240, 79.6), (360, 79.8), (480, 80.1), (600, 80.4)],
            sev=4,
            value=80.1,
            threshold=80.0,
        ),
        Context(),
    ),
    "a certificate that ends in three weeks": (
        firing("a", "edge", "tls_cert_expiry_days", 10, sev=3, value=21.0, threshold=30.0),
        Context(),
    ),
    "an error budget that burns slowly": (
        firing("a", "shop", "slo_burn_rate_3d", 10, sev=4, value=1.1, threshold=1.0),
        Context(),
    ),
    "a staging service": (
        firing("a", "shop-staging", "cpu_pct", 10, [(5, 40), (10, 95), (20, 96)], value=95.0, threshold=90.0),
        Context(),
    ),
    "a level just past its threshold that was there long before": (
        firing("a", "shop", "cache_hit_ratio", 60, [(0, 0.792), (20, 0.795), (60, 0.79), (80, 0.791)], **HIT_RATIO),
        Context(),
    ),
    "an error rate that is what it was for hours, with the lines that are always there": (
        firing(
            "a",
            "sync",
            "error_rate",
            180,
            [(0, 0.052), (60, 0.054), (120, 0.053), (180, 0.053), (240, 0.052)],
            sev=2,
            value=0.053,
            threshold=0.05,
            **loud("skipped", change=0.02),
        ),
        Context(),
    ),
    "errors that were over soon and have been away since, called SEV1": (
        firing(
            "a",
            "shop",
            "error_rate",
            60,
            [(50, 0.004), (60, 0.06), (64, 0.005), (75, 0.004), (85, 0.004)],
            sev=1,
            value=0.06,
            threshold=0.05,
        ),
        Context(),
    ),
    "a staging service, whatever goes wrong there": (
        firing(
            "a",
            "shop-staging",
            "http_5xx_rate",
            10,
            [(5, 0.01), (10, 0.6), (20, 0.8)],
            sev=1,
            value=0.6,
            threshold=0.05,
            **loud("panic"),
        ),
        Context(),
    ),
    "what is tried out by somebody": (
        firing("a", "cart-dev", "memory_pct", 10, [(5, 50), (10, 97), (20, 99)], sev=1, value=97.0, threshold=90.0),
        Context(),
    ),
    "a certificate that was renewed": (
        firing(
            "a",
            "edge",
            "tls_cert_expiry_hours",
            10,
            [(0, 21), (10, 20), (20, 2100), (30, 2100)],
            value=20.0,
            threshold=24.0,
            healed_after_seconds=540.0,
            **quiet("renewed"),
        ),
        Context(),
    ),
    "an error budget that burnt for a minute": (
        firing(
            "a",
            "shop",
            "slo_burn_rate",
            10,
            [(5, 0.5), (10, 18), (13, 0.6), (20, 0.5)],
            sev=1,
            value=18.0,
            threshold=14.4,
            healed_after_seconds=80.0,
            **quiet("retry"),
        ),
        Context(),
    ),
    "what is left of an error budget, if nothing burns": (
        firing(
            "a",
            "shop",
            "error_budget_remaining_pct",
            30,
            [(0, 40.2), (30, 39.8), (60, 39.8), (90, 39.8)],
            value=39.8,
            threshold=40.0,
            **quiet("missing"),
        ),
        Context(),
    ),
    "a canary that misrouted for half a minute": (
        firing(
            "a",
            "gateway-canary",
            "error_rate",
            10,
            [(10, 0.3), (11, 0.02)],
            sev=1,
            value=0.3,
            threshold=0.05,
            fired_last_hour=11,
            healed_after_seconds=22.0,
            **quiet("reload"),
        ),
        Context(),
    ),
    "what people called a false alarm twice": (
        firing("a", "shop", "cpu_pct", 10, sev=4, value=92.0, threshold=90.0),
        Context(past={"shop:cpu_pct": PastWords(2, 0)}),
    ),
    "latency that fell back, though nobody said that it ended": (
        firing(
            "a",
            "shop",
            "p99_latency_ms",
            10,
            [(5, 300), (10, 900), (11, 310), (12, 300), (13, 290)],
            value=900.0,
            threshold=800.0,
            **quiet("cache"),
        ),
        Context(),
    ),
    "more visitors and nothing else": (
        firing(
            "a",
            "shop",
            "requests_per_second",
            10,
            [(0, 100), (10, 320), (20, 340), (30, 330)],
            sev=4,
            value=320.0,
            threshold=300.0,
            **quiet("access"),
        ),
        Context(),
    ),
    "a busy processor that is just past its threshold and holds, called SEV1": (
        firing(
            "a",
            "shop",
            "cpu_pct",
            10,
            [(5, 90.6), (10, 91), (15, 90.7), (20, 91)],
            sev=1,
            value=91.0,
            threshold=90.0,
            **quiet("gc"),
        ),
        Context(),
    ),
    "a queue of a batch that is on its way back": (
        firing(
            "a",
            "mail",
            "queue_depth",
            10,
            [(5, 900), (10, 14_000), (20, 9000), (30, 6000)],
            value=14_000.0,
            threshold=5000.0,
            **quiet("batch"),
        ),
        Context(),
    ),
    "what fired twenty times in the hour with usual lines": (
        firing("a", "logs", "disk_usage_pct", 10, value=85.2, threshold=85.0, fired_last_hour=20, **quiet("rotate")),
        Context(),
    ),
    "what its sender does not call a trouble": (
        firing("a", "shop", "cpu_pct", 10, sev=None, value=91.0, threshold=90.0, **quiet("gc")),
        Context(),
    ),
    "a new error that ended by itself and has been away since": (
        firing(
            "a",
            "shop",
            "http_5xx_rate",
            10,
            [(8, 0.01), (10, 0.6), (14, 0.3), (16, 0.004), (35, 0.003)],
            sev=1,
            value=0.6,
            threshold=0.05,
            healed_after_seconds=300.0,
            **loud("refused"),
        ),
        Context(),
    ),
    "a new error that a rollback ended, and has been away since": (
        firing(
            "a",
            "shop",
            "error_rate",
            10,
            [(5, 0.01), (10, 0.4), (20, 0.4), (25, 0.01), (35, 0.004), (50, 0.003)],
            sev=1,
            value=0.4,
            threshold=0.05,
            **loud("no such column"),
        ),
        RELEASE,
    ),
    "a processor that a batch keeps busy, with the lines that are always there": (
        firing(
            "a",
            "report",
            "cpu_pct",
            10,
            [(5, 20), (10, 97), (20, 97), (30, 96), (40, 97)],
            sev=2,
            value=97.0,
            threshold=90.0,
            **quiet("aggregate"),
        ),
        Context(),
    ),
    "more visitors who stay, with the lines that are always there": (
        firing(
            "a",
            "shop",
            "requests_per_second",
            15,
            [(0, 100), (8, 200), (15, 310), (30, 315), (45, 312), (60, 314)],
            sev=2,
            value=310.0,
            threshold=200.0,
            **quiet("campaign"),
        ),
        RELEASE,
    ),
    "what harms nobody and holds, with the lines that are always there": (
        firing(
            "a",
            "steering",
            "custom_thing",
            10,
            [(10, 4), (20, 4), (40, 4)],
            sev=2,
            value=4.0,
            threshold=2.0,
            **quiet("moved"),
        ),
        Context(),
    ),
}


@pytest.mark.parametrize("name", WAKES)
def test_it_wakes_somebody(name: str) -> None:
    one, context = WAKES[name]
    assert woken([one], context, minute=700.0) == {"a"}, name


@pytest.mark.parametrize("name", WAITS)
def test_it_wakes_nobody(name: str) -> None:
    one, context = WAITS[name]
    assert woken([one], context, minute=700.0) == set(), name


def test_what_always_healed_wakes_nobody_until_it_lasts_longer_than_it_ever_did() -> None:
    one = firing("a", "shop", "error_rate", 10, fired_last_hour=4, earlier_seconds=(60.0, 90.0, 80.0))
    assert woken([one], minute=11.0) == set()
    assert woken([one], minute=14.0) == {"a"}


def test_what_healed_once_is_no_habit() -> None:
    one = firing("a", "shop", "error_rate", 10, fired_last_hour=2, earlier_seconds=(60.0,))
    assert woken([one], minute=11.0) == {"a"}
