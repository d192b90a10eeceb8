"""Faults that a changed number brought: a timeout, a pool, a time to live, retries, workers of a queue, a log level."""

from __future__ import annotations

from tests.evals.scenarios.fault import Fault, Lines, Setting
from tests.evals.scenarios.series import Effect
from tests.evals.scenarios.system import upstream


def timeout_lowered(s: Setting) -> Fault:
    """The caller gives up before the callee can answer; the callee itself is well."""
    callee = s.rng.choice(("inventory", "payment", "cart"))
    name, new = s.shop.names[callee], s.rng.choice((50, 80, 100, 150))
    failing = s.rng.uniform(0.15, 0.5)
    return Fault(
        kind="configuration",
        cause="configuration",
        origin="checkout",
        onset=s.onset,
        effects=(
            Effect("checkout", "errors", s.onset, failing, absolute=True),
            Effect("checkout", "timeouts", s.onset, 150),
        ),
        lines=(
            Lines(
                "checkout",
                "ERROR",
                lambda r: f"POST http://{name}/v1 failed: context deadline exceeded after {new}ms",
                s.onset,
                4,
            ),
            Lines(callee, "INFO", lambda r: "client closed request before the answer was written", s.onset, 1),
        ),
        victims=upstream("checkout"),
        alert_role=s.rng.choice(("checkout", "frontend")),
        alert_measure="errors",
        remediation="restore_configuration",
        mechanism="timeout_lowered",
        culprit_role="checkout",
        delay=s.rng.uniform(0.5, 3),
        words=_numbers(new * s.rng.choice((10, 20, 30)), new) | {"callee": name},
        failing=failing * 0.9,
    )


def pool_lowered(s: Setting) -> Fault:
    """Too few connections for the load: requests wait for one, and some give up."""
    origin = s.rng.choice(("orders", "inventory", "cart"))
    database = {"orders": "orders_db", "inventory": "inventory_db", "cart": "cart_db"}[origin]
    new, slow = s.rng.choice((2, 3, 4, 5)), s.rng.uniform(5, 15)
    return Fault(
        kind="configuration",
        cause="configuration",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "pool_wait", s.onset, 300, "ramp", 3),
            Effect(origin, "latency", s.onset, slow, "ramp", 3),
            Effect(origin, "errors", s.onset + 1, s.rng.uniform(0.1, 0.3), "ramp", 3, absolute=True),
            Effect(database, "connections", s.onset, float(new), absolute=True),
        ),
        lines=(
            Lines(
                origin,
                "ERROR",
                lambda r: (
                    f"could not get a connection from the pool within {r.choice((2000, 5000))}ms: {new} of {new} in use"
                ),
                s.onset + 1,
                4,
            ),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "checkout")),
        alert_measure=s.rng.choice(("latency", "errors")),
        remediation="restore_configuration",
        mechanism="pool_lowered",
        culprit_role=origin,
        delay=s.rng.uniform(0.5, 4),
        words=_numbers(new * 10, new) | {"store": s.shop.names[database]},
        slow=slow * 0.7,
        failing=s.rng.uniform(0.08, 0.2),
    )


def ttl_lowered(s: Setting) -> Fault:
    """Entries of a shared cache library live too short; the hit ratio falls once the old entries have run out."""
    new = s.rng.choice((5, 10, 15, 20))
    late = s.rng.uniform(6, 18)
    return Fault(
        kind="configuration",
        cause="cache",
        origin="catalog",
        onset=s.onset,
        effects=(
            Effect("cache", "hits", s.onset, s.rng.uniform(0.25, 0.5), "ramp", 8, absolute=True),
            Effect("catalog_db", "db_load", s.onset + 2, s.rng.uniform(4, 9), "ramp", 8),
            Effect("catalog_db", "db_latency", s.onset + 4, s.rng.uniform(6, 15), "ramp", 8),
            Effect("catalog_db", "db_cpu", s.onset + 3, 0.95, "ramp", 8, absolute=True),
            Effect("catalog", "latency", s.onset + 5, s.rng.uniform(4, 9), "ramp", 6),
        ),
        lines=(
            Lines(
                "catalog",
                "WARN",
                lambda r: f"cache miss for product:{r.randint(10, 9999)}, reading through",
                s.onset,
                3,
            ),
            Lines(
                "catalog_db",
                "WARN",
                lambda r: f"duration: {r.randint(400, 2800)} ms  execute product_by_id",
                s.onset + 5,
                2,
            ),
        ),
        victims=upstream("catalog"),
        alert_role=s.rng.choice(("frontend", "catalog")),
        alert_measure="latency",
        remediation="restore_configuration",
        mechanism="ttl_lowered",
        culprit_role="catalog",
        delay=late,
        words=_numbers(s.rng.choice((600, 900, 1800)), new),
        slow=s.rng.uniform(3, 6),
        aliases=("cache", "catalog_db"),
    )


def retry_storm(s: Setting) -> Fault:
    """Retries without a pause turn one hiccup of the callee into a flood: more calls out, no more calls in."""
    callee, many = "inventory", s.rng.choice((6, 8, 10))
    name = s.shop.names[callee]
    return Fault(
        kind="retry_storm",
        cause="retry_storm",
        origin="checkout",
        onset=s.onset,
        effects=(
            Effect("checkout", "retries", s.onset, 120, "ramp", 3),
            Effect(callee, "traffic", s.onset + 0.5, many * 0.7, "ramp", 3),
            Effect(callee, "cpu", s.onset + 1, 0.97, "ramp", 4, absolute=True),
            Effect(callee, "latency", s.onset + 1, s.rng.uniform(6, 15), "ramp", 4),
            Effect("checkout", "latency", s.onset + 2, s.rng.uniform(5, 10), "ramp", 4),
            Effect("checkout", "errors", s.onset + 2, s.rng.uniform(0.1, 0.4), "ramp", 4, absolute=True),
        ),
        lines=(
            Lines(
                "checkout",
                "WARN",
                lambda r: f"{name} reserve failed, retrying (attempt {r.randint(2, many)}/{many})",
                s.onset,
                6,
            ),
            Lines(callee, "WARN", lambda r: f"too many requests in flight: {r.randint(300, 900)}", s.onset + 1, 2),
        ),
        victims=(("checkout", callee), ("checkout", "frontend")),
        alert_role=s.rng.choice((callee, "checkout")),
        alert_measure="latency",
        remediation="rollback",
        mechanism="retry_storm",
        culprit_role="checkout",
        delay=s.rng.uniform(2, 12),
        words={"callee": name, "many": str(many)},
        slow=s.rng.uniform(4, 8),
        failing=s.rng.uniform(0.08, 0.3),
    )


def queue_backlog(s: Setting) -> Fault:
    """The worker takes one message at a time: the queue grows in a straight line while every web page is well."""
    return Fault(
        kind="queue_backlog",
        cause="capacity",
        origin="worker",
        onset=s.onset,
        effects=(
            Effect("queue", "lag", s.onset, s.rng.uniform(40, 120), "line", 30),
            Effect("worker", "latency", s.onset, s.rng.uniform(1.0, 1.4)),
        ),
        lines=(
            Lines("worker", "WARN", lambda r: f"oldest message is {r.randint(120, 1500)}s old", s.onset + 4, 2),
            Lines("worker", "INFO", lambda r: f"handled message {r.randint(10000, 99999)}", 0, 2),
        ),
        victims=(("worker", "queue"),),
        alert_role="queue",
        alert_measure="lag",
        remediation="rollback",
        mechanism="queue_backlog",
        culprit_role="worker",
        delay=s.rng.uniform(0.5, 3),
        words=_numbers(s.rng.choice((8, 12, 16)), 1),
        aliases=("queue",),
    )


def _numbers(old: int, new: int) -> dict[str, str]:
    return {"old": str(old), "new": str(new), "old_s": f"{old / 1000:g}", "new_s": f"{new / 1000:g}"}
