"""What each kind of effect can cause, and when it shows: what reviewers and post-mortems know.

The mechanisms are those of "Site Reliability Engineering" (Beyer et al., 2016: chapters 21 and 22, overload and
cascading failures) and "Release It!" (Nygard, 2018: stability patterns and antipatterns).
"""

from __future__ import annotations

from dataclasses import dataclass

from detection.types import SymptomKind
from workers.diagnosis.changes.effects import Delay, Effect, EffectKind
from workers.diagnosis.changes.text.words import touched_words

_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an effect can cause in the service itself and in those that it calls, and when."""

    own: frozenset[SymptomKind]
    callees: frozenset[SymptomKind]
    delay: Delay


def _kinds(names: str) -> frozenset[SymptomKind]:
    return frozenset(SymptomKind(name) for name in names.split())


def _consequence(own: str, callees: str = "", delay: Delay = Delay.AT_ONCE) -> Consequence:
    return Consequence(_kinds(own), _kinds(callees), delay)


_SLOW = "latency timeouts"
_FULL = "latency timeouts errors queue connections threads"
_LOADED = "traffic latency cpu queue timeouts errors connections"
_DATABASE = "query_count slow_queries rows_read"

_OF_KIND: dict[EffectKind, Consequence] = {
    EffectKind.TIMEOUT: _consequence("timeouts errors retries cancelled", "cancelled"),
    EffectKind.RETRIES: _consequence(f"retries {_SLOW} errors", f"retries {_LOADED}", Delay.UNDER_LOAD),
    EffectKind.BACKOFF: _consequence("retries latency cpu errors", f"retries {_LOADED}", Delay.UNDER_LOAD),
    EffectKind.POOL: _consequence(_FULL, "connections", Delay.UNDER_LOAD),
    EffectKind.LIMIT: _consequence("throttled client_errors errors traffic_lost results", "", Delay.UNDER_LOAD),
    EffectKind.TTL: _consequence(f"cache_misses {_FULL} cpu query_count", f"{_LOADED} {_DATABASE}", Delay.WARM),
    EffectKind.BATCH: _consequence(
        "memory latency timeouts garbage_collection queue errors",
        f"slow_queries locks memory {_LOADED}",
        Delay.UNDER_LOAD,
    ),
    EffectKind.INTERVAL: _consequence("cpu latency traffic queue disk", f"{_LOADED} {_DATABASE}", Delay.UNDER_LOAD),
    EffectKind.PROBE: _consequence("restarts errors latency traffic_lost", "", Delay.UNDER_LOAD),
    EffectKind.NUMBER: _consequence("results errors latency client_errors", "latency traffic"),
    EffectKind.QUERY_IN_LOOP: _consequence(
        f"{_FULL} cpu {_DATABASE}", f"{_LOADED} {_DATABASE} locks", Delay.UNDER_LOAD
    ),
    EffectKind.CALL_IN_LOOP: _consequence(
        f"{_FULL} cpu retries throttled", f"{_LOADED} {_DATABASE} throttled", Delay.UNDER_LOAD
    ),
    EffectKind.GUARD_REMOVED: _consequence("crash errors restarts bad_data client_errors results"),
    EffectKind.UNCHECKED_VALUE: _consequence("crash errors restarts bad_data"),
    EffectKind.QUERY_LIMIT_REMOVED: _consequence(
        f"{_FULL} {_DATABASE} memory cpu garbage_collection",
        f"{_DATABASE} cpu memory latency disk locks connections timeouts",
        Delay.GROWS,
    ),
    EffectKind.QUERY_WIDENED: _consequence(
        f"{_FULL} {_DATABASE} memory cpu results",
        f"{_DATABASE} cpu latency disk locks connections timeouts",
        Delay.GROWS,
    ),
    EffectKind.INDEX_REMOVED: _consequence(
        f"{_FULL} {_DATABASE}", f"{_DATABASE} cpu latency disk locks connections timeouts", Delay.UNDER_LOAD
    ),
    EffectKind.CLOSE_REMOVED: _consequence(
        f"{_FULL} file_handles memory garbage_collection crash restarts locks", "connections locks errors", Delay.GROWS
    ),
    EffectKind.PROTECTION_REMOVED: _consequence(
        f"{_FULL} retries cpu memory traffic", f"retries {_LOADED}", Delay.UNDER_LOAD
    ),
    EffectKind.CACHE_REMOVED: _consequence(
        f"cache_misses {_FULL} cpu query_count slow_queries", f"{_LOADED} {_DATABASE}", Delay.UNDER_LOAD
    ),
    EffectKind.CACHE_KEY: _consequence(
        f"cache_misses {_FULL} cpu query_count memory results", f"{_LOADED} {_DATABASE}", Delay.WARM
    ),
    EffectKind.LOCK_ADDED: _consequence(
        f"locks {_FULL} cpu", "locks latency connections slow_queries timeouts", Delay.UNDER_LOAD
    ),
    EffectKind.LOCK_REMOVED: _consequence("crash bad_data errors results restarts", "", Delay.UNDER_LOAD),
    EffectKind.TRANSACTION: _consequence(
        f"locks {_FULL}", "locks connections slow_queries latency timeouts", Delay.UNDER_LOAD
    ),
    EffectKind.SLEEP_ADDED: _consequence(f"{_FULL} traffic_lost", "connections", Delay.UNDER_LOAD),
    EffectKind.BLOCKS_LOOP: _consequence(f"{_FULL} restarts traffic_lost", "traffic", Delay.UNDER_LOAD),
    EffectKind.BUFFER_GROWS: _consequence(
        "memory garbage_collection restarts crash latency errors cpu disk queue", "", Delay.GROWS
    ),
    EffectKind.LOADS_ALL: _consequence(
        "memory garbage_collection restarts crash latency cpu errors disk timeouts",
        "memory rows_read slow_queries latency cpu",
        Delay.UNDER_LOAD,
    ),
    EffectKind.THREADS_ADDED: _consequence("threads memory cpu latency queue errors", _LOADED, Delay.UNDER_LOAD),
    EffectKind.CALL_ADDED: _consequence(f"{_FULL} retries", _LOADED, Delay.UNDER_LOAD),
    EffectKind.QUERY_ADDED: _consequence(f"{_FULL} {_DATABASE}", f"{_LOADED} {_DATABASE} locks", Delay.UNDER_LOAD),
    EffectKind.WORK_ADDED: _consequence("cpu latency queue timeouts memory threads", "", Delay.UNDER_LOAD),
    EffectKind.LOG_LEVEL: _consequence("log_volume disk cpu latency", "", Delay.GROWS),
    EffectKind.DEPENDENCY: _consequence("errors crash restarts latency memory decoding connections", ""),
    EffectKind.IMAGE: _consequence("crash restarts errors latency memory name_lookup certificate", ""),
    EffectKind.START_UP: _consequence("crash restarts errors traffic_lost network", ""),
    EffectKind.FIELD_RENAMED: _consequence(
        "decoding errors client_errors crash bad_data schema results", "decoding client_errors errors"
    ),
    EffectKind.DECODING: _consequence("decoding errors client_errors crash bad_data results", "decoding client_errors"),
    EffectKind.SCHEMA: _consequence("schema errors crash decoding bad_data results client_errors", "schema errors"),
    EffectKind.LOCKING_MIGRATION: _consequence(
        f"locks slow_queries {_FULL}", "locks slow_queries latency timeouts connections cpu disk"
    ),
    EffectKind.RESOURCES: _consequence(
        f"{_FULL} memory cpu throttled restarts crash garbage_collection disk", "", Delay.UNDER_LOAD
    ),
    EffectKind.FLAG: _consequence("errors latency results crash client_errors traffic", "traffic latency errors"),
    EffectKind.SECRET: _consequence("authentication errors client_errors connections crash restarts", "authentication"),
    EffectKind.ROUTING: _consequence(
        "network name_lookup connections timeouts errors latency traffic_lost authentication certificate",
        "traffic_lost traffic",
    ),
    EffectKind.TLS: _consequence("certificate network errors connections client_errors authentication", "certificate"),
    EffectKind.ERROR_HANDLING: _consequence("errors client_errors results bad_data retries"),
    EffectKind.REFUSES_MORE: _consequence("client_errors errors results traffic_lost bad_data"),
    EffectKind.LOGIC: _consequence("results errors client_errors crash latency cpu"),
}

WAITS_LONGER = _consequence(f"{_FULL} memory", "connections threads", Delay.UNDER_LOAD)
"""A timeout that was raised or removed: callers pile up behind a slow callee."""

PUSHES_HARDER = _consequence("memory cpu connections threads", f"{_LOADED} locks", Delay.UNDER_LOAD)
"""More connections, workers or a higher rate: nothing bad in the service, more load on what it calls."""

MORE_WORK = _consequence(
    f"{_FULL} memory cpu traffic rows_read slow_queries", f"{_LOADED} {_DATABASE} memory", Delay.UNDER_LOAD
)
"""A limit that was raised: more rows, larger bodies, more requests let in."""

FEWER_TRIES = _consequence("errors timeouts")
"""Fewer retries: what a second try would have mended is now an error."""

SMALLER_BATCHES = _consequence("latency query_count queue", f"{_LOADED} query_count", Delay.UNDER_LOAD)

FALLS_BEHIND = _consequence("queue latency timeouts memory", "queue memory disk", Delay.UNDER_LOAD)
"""A consumer with fewer hands: what comes in waits."""

STALE = _consequence("results memory", "", Delay.GROWS)
"""A longer lifetime in a cache: old values, more memory."""

SESSIONS_END = _consequence("authentication client_errors errors", "authentication traffic", Delay.WARM)
"""Tokens or sessions that live for a shorter time."""


def effect(
    kind: EffectKind,
    path: str,
    line: str,
    strength: float,
    *,
    name: str = "",
    before: str | None = None,
    after: str | None = None,
    direction: int = 0,
    ratio: float | None = None,
    beside: tuple[str, ...] = (),
    consequence: Consequence | None = None,
) -> Effect:
    """Build an effect; its causes and delay are those of its kind unless `consequence` says others.

    beside: other lines whose words belong to it, such as the function's first line.
    """
    known = consequence or _OF_KIND[kind]
    return Effect(
        kind=kind,
        path=path,
        name=name[:100],
        before=before,
        after=after,
        direction=direction,
        ratio=ratio,
        line=line.strip()[:_LONGEST_SHOWN],
        causes=known.own,
        causes_in_callees=known.callees,
        delay=known.delay,
        strength=round(min(1.0, max(0.0, strength)), 2),
        words=touched_words((name, line, *beside, path)),
    )
