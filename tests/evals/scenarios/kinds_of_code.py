"""Faults that a release brought: what the new code does wrong shows at once or in a few minutes."""

from __future__ import annotations

import random
from functools import partial

from tests.evals.scenarios.fault import Fault, Lines, Setting
from tests.evals.scenarios.series import Effect
from tests.evals.scenarios.system import upstream

_HAS_DATABASE = {"cart": "cart_db", "catalog": "catalog_db", "orders": "orders_db", "inventory": "inventory_db"}
_THINGS = ("price", "promotion", "discount", "address", "warehouse")


def n_plus_one(s: Setting) -> Fault:
    """A query for each line instead of one for all: more queries a request, slower, but no errors at first."""
    origin = s.rng.choice(sorted(_HAS_DATABASE))
    database = _HAS_DATABASE[origin]
    thing, many = s.rng.choice(_THINGS), s.rng.uniform(7, 18)
    table = f"{thing}s"
    slow = s.rng.uniform(5, 14)
    return Fault(
        kind="n_plus_one",
        cause="deploy",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "queries", s.onset, many, "ramp", 3),
            Effect(origin, "latency", s.onset, slow, "ramp", 4),
            Effect(database, "db_load", s.onset, many * 0.8, "ramp", 4),
            Effect(database, "db_cpu", s.onset + 1, s.rng.uniform(0.6, 0.85), "ramp", 5, absolute=True),
        ),
        lines=(
            Lines(origin, "WARN", lambda r: f"slow request took {r.randint(900, 4200)}ms", s.onset + 1, 2),
            Lines(
                origin, "DEBUG", lambda r: f"SELECT * FROM {table} WHERE sku = 'A{r.randint(100, 9999)}'", s.onset, 5
            ),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "checkout" if origin != "catalog" else "frontend", "frontend")),
        alert_measure="latency",
        remediation="rollback",
        mechanism="n_plus_one",
        culprit_role=origin,
        delay=s.rng.uniform(0.5, 5),
        words={"thing": thing, "Thing": thing.title()},
        slow=slow * 0.7,
    )


def bad_release(s: Setting) -> Fault:
    """A release reads what is not always there: a new exception, at once."""
    origin = s.rng.choice(("checkout", "orders", "cart"))
    failing = s.rng.uniform(0.12, 0.6)
    texts = (
        "panic: runtime error: invalid memory address or nil pointer dereference in handlers/place.go:88",
        "AttributeError: 'NoneType' object has no attribute 'formatted' (app/views.py:41)",
        "TypeError: Cannot read properties of undefined (reading 'window') at place.ts:23",
        "java.util.NoSuchElementException: No value present at ReceiptMapper.toReceipt(ReceiptMapper.java:57)",
    )
    text = dict(zip(("go", "python", "typescript", "java"), texts, strict=True))[s.shop.languages[origin]]
    return Fault(
        kind="bad_release",
        cause="deploy",
        origin=origin,
        onset=s.onset,
        effects=(Effect(origin, "errors", s.onset, failing, absolute=True),),
        lines=(Lines(origin, "ERROR", lambda r: f"request {r.randint(1000, 99999)} failed: {text}", s.onset, 4),),
        victims=upstream(origin),
        alert_role=s.rng.choice((origin, "frontend")),
        alert_measure="errors",
        remediation="rollback",
        mechanism="bad_release",
        culprit_role=origin,
        delay=s.rng.uniform(0.3, 2),
        failing=failing * 0.8,
    )


def payment_country(s: Setting) -> Fault:
    """A payment release refuses one country: everywhere else all is well, so the whole moves little."""
    country = s.rng.choice(("DE", "NL", "BR", "SE", "PL", "MX"))
    part = s.rng.uniform(0.06, 0.22)
    reason = s.rng.choice(("unsupported currency", "postcode does not match", "missing region code"))
    return Fault(
        kind="payment_country",
        cause="deploy",
        origin="payment",
        onset=s.onset,
        effects=(Effect("payment", "errors", s.onset, part, absolute=True),),
        lines=(
            Lines(
                "payment",
                "ERROR",
                lambda r: f"charge {r.randint(10000, 99999)} refused: {reason} (country={country})",
                s.onset,
                4,
                attributes={"country": country},
            ),
            Lines(
                "payment",
                "INFO",
                lambda r: f"charge {r.randint(10000, 99999)} captured",
                0,
                2,
                attributes={"country": s.rng.choice(("FR", "US", "IT"))},
            ),
        ),
        victims=upstream("payment"),
        alert_role=s.rng.choice(("payment", "checkout")),
        alert_measure="errors",
        remediation="rollback",
        mechanism="payment_country",
        culprit_role="payment",
        delay=s.rng.uniform(0.5, 3),
        words={"country": country},
        failing=part * 0.8,
    )


def slow_downstream(s: Setting) -> Fault:
    """A quiet service gets slow without an error; whoever waits for it times out and is louder."""
    origin = s.rng.choice(("inventory", "catalog", "cart"))
    slow = s.rng.uniform(6, 20)
    waits = [caller for callee, caller in upstream(origin) if callee == origin]
    callee = s.shop.names[origin]
    return Fault(
        kind="slow_downstream",
        cause="deploy",
        origin=origin,
        onset=s.onset,
        effects=(
            Effect(origin, "latency", s.onset, slow, "ramp", 4),
            Effect(origin, "cpu", s.onset, 1.6, "ramp", 4),
            *(Effect(caller, "timeouts", s.onset + 2, 60, "ramp", 3) for caller in waits),
        ),
        lines=(
            *(Lines(caller, "ERROR", partial(_timed_out, callee), s.onset + 2, 3) for caller in waits),
            Lines(origin, "INFO", lambda r: f"handled request in {r.randint(900, 5200)}ms", s.onset + 1, 2),
        ),
        victims=upstream(origin),
        alert_role=s.rng.choice((waits[0], "frontend")),
        alert_measure=s.rng.choice(("latency", "errors")),
        remediation="rollback",
        mechanism="slow_downstream",
        culprit_role=origin,
        delay=s.rng.uniform(0.5, 4),
        slow=slow * 0.6,
        failing=s.rng.uniform(0.08, 0.25),
    )


def cache_removed(s: Setting) -> Fault:
    """Reads no longer go through the cache: hits fall, then the database fills, then pages are slow."""
    slow = s.rng.uniform(4, 9)
    return Fault(
        kind="cache_removed",
        cause="cache",
        origin="catalog",
        onset=s.onset,
        effects=(
            Effect("cache", "hits", s.onset, s.rng.uniform(0.05, 0.35), absolute=True),
            Effect("catalog_db", "db_load", s.onset + 0.5, s.rng.uniform(5, 12), "ramp", 2),
            Effect("catalog_db", "db_latency", s.onset + 1, s.rng.uniform(5, 12), "ramp", 4),
            Effect("catalog_db", "db_cpu", s.onset + 1, 0.93, "ramp", 4, absolute=True),
            Effect("catalog", "latency", s.onset + 1, slow, "ramp", 4),
        ),
        lines=(
            Lines(
                "catalog", "WARN", lambda r: f"slow query took {r.randint(300, 2400)}ms: SELECT product", s.onset + 2, 3
            ),
        ),
        victims=upstream("catalog"),
        alert_role=s.rng.choice(("catalog", "frontend")),
        alert_measure="latency",
        remediation="rollback",
        mechanism="cache_removed",
        culprit_role="catalog",
        delay=s.rng.uniform(0.3, 2),
        slow=slow * 0.6,
        aliases=("cache", "catalog_db"),
    )


def schema_migration(s: Setting) -> Fault:
    """A migration renames a column that running code still reads."""
    thing = s.rng.choice(_THINGS)
    failing = s.rng.uniform(0.3, 0.9)
    return Fault(
        kind="schema_migration",
        cause="schema",
        origin="orders",
        onset=s.onset,
        effects=(Effect("orders", "errors", s.onset, failing, absolute=True),),
        lines=(
            Lines(
                "orders",
                "ERROR",
                lambda r: f'ERROR: column "{thing}_id" of relation "orders" does not exist (SQLSTATE 42703)',
                s.onset,
                4,
            ),
        ),
        victims=upstream("orders"),
        alert_role=s.rng.choice(("orders", "checkout", "frontend")),
        alert_measure="errors",
        remediation="roll_forward",
        mechanism="schema_migration",
        culprit_role="orders",
        delay=s.rng.uniform(0.3, 2),
        words={"thing": thing, "Thing": thing.title(), "n": str(s.rng.randint(140, 610))},
        failing=failing * 0.8,
        aliases=("orders_db",),
    )


def _timed_out(callee: str, rng: random.Random) -> str:
    return f"call to {callee} timed out after {rng.choice((1000, 2000, 3000))}ms"
