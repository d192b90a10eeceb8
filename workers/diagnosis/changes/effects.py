"""The words for what a change does: an effect with its old and new value, and the reading of a whole commit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detection.types import SymptomKind


class EffectKind(StrEnum):
    """What kind of thing a change does."""

    TIMEOUT = "timeout"
    RETRIES = "retries"
    BACKOFF = "backoff"
    POOL = "pool"
    LIMIT = "limit"
    TTL = "ttl"
    BATCH = "batch"
    INTERVAL = "interval"
    PROBE = "probe"
    NUMBER = "number"
    QUERY_IN_LOOP = "query_in_loop"
    CALL_IN_LOOP = "call_in_loop"
    GUARD_REMOVED = "guard_removed"
    UNCHECKED_VALUE = "unchecked_value"
    QUERY_LIMIT_REMOVED = "query_limit_removed"
    QUERY_WIDENED = "query_widened"
    INDEX_REMOVED = "index_removed"
    CLOSE_REMOVED = "close_removed"
    PROTECTION_REMOVED = "protection_removed"
    CACHE_REMOVED = "cache_removed"
    CACHE_KEY = "cache_key"
    LOCK_ADDED = "lock_added"
    LOCK_REMOVED = "lock_removed"
    TRANSACTION = "transaction"
    SLEEP_ADDED = "sleep_added"
    BLOCKS_LOOP = "blocks_loop"
    """A call that waits, made on the one thread that serves everybody."""
    BUFFER_GROWS = "buffer_grows"
    LOADS_ALL = "loads_all"
    THREADS_ADDED = "threads_added"
    CALL_ADDED = "call_added"
    QUERY_ADDED = "query_added"
    WORK_ADDED = "work_added"
    LOG_LEVEL = "log_level"
    DEPENDENCY = "dependency"
    IMAGE = "image"
    START_UP = "start_up"
    FIELD_RENAMED = "field_renamed"
    DECODING = "decoding"
    SCHEMA = "schema"
    LOCKING_MIGRATION = "locking_migration"
    RESOURCES = "resources"
    FLAG = "flag"
    SECRET = "secret"  # noqa: S105 - the name of a kind, no credential
    ROUTING = "routing"
    TLS = "tls"
    ERROR_HANDLING = "error_handling"
    REFUSES_MORE = "refuses_more"
    LOGIC = "logic"
    """The code computes something else, in a way that no rule knows."""


class Delay(StrEnum):
    """When the symptom shows after the change went live."""

    AT_ONCE = "at_once"
    UNDER_LOAD = "under_load"
    """Minutes later, when load or the right request meets it."""
    GROWS = "grows"
    """A leak, a growing table, a filling disk: up to many hours."""
    WARM = "warm"
    """While caches still hold what the old version wrote: up to an hour, or the old lifetime."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a change does.

    name: what is set or touched, such as "DefaultTTL", empty if nothing is named. before, after: the values as written,
    None where there is none. direction: +1 raised, -1 lowered, 0 neither. ratio: after / before in common units, None
    if they are no numbers. line: the line that shows it, at most 200 characters. causes: what it could cause in the
    service whose code it is; causes_in_callees: in the services and databases that it calls. strength: 0 to 1, how far
    such an effect is known to break things by itself. words: identifiers of the touched code, lower case, with tables,
    hosts and flags: to be matched with the texts of symptoms.
    """

    kind: EffectKind
    path: str
    name: str
    before: str | None
    after: str | None
    direction: int
    ratio: float | None
    line: str
    causes: frozenset[SymptomKind]
    causes_in_callees: frozenset[SymptomKind]
    delay: Delay
    strength: float
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChangeReading:
    """What a commit can do.

    effects: strongest first. is_inert: it explains no incident; `inert_because` says why, in plain English. was_read:
    False if there was no diff to read of files that run: the effects then come from the message and the file names, and
    are weaker.
    """

    effects: tuple[Effect, ...]
    is_inert: bool
    inert_because: str
    paths: tuple[str, ...]
    was_read: bool
