"""What a changed setting does: which knob a name is, and what turning it up, down or away can cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import (
    FALLS_BEHIND,
    FEWER_TRIES,
    MORE_WORK,
    PUSHES_HARDER,
    SESSIONS_END,
    SMALLER_BATCHES,
    STALE,
    WAITS_LONGER,
    Consequence,
    effect,
)
from workers.diagnosis.changes.text.moved import settings_over
from workers.diagnosis.changes.text.patches import Block
from workers.diagnosis.changes.text.settings import Changed
from workers.diagnosis.changes.text.words import word_set, words_of


@dataclass(frozen=True, slots=True)
class _Knob:
    """A kind of setting, by the words of its name.

    words: one of them must be in the name. beside: if given, one of these must be in the name, its owner or the path.
    lowered, raised: how strong turning it far in that direction is, and what it does if that is not the usual of the
    kind. removed, added: how strong it is that the setting goes away or is new.
    """

    kind: EffectKind
    words: frozenset[str]
    beside: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    lowered: tuple[float, Consequence | None] = (0.0, None)
    raised: tuple[float, Consequence | None] = (0.0, None)
    removed: tuple[float, Consequence | None] = (0.2, None)
    added: tuple[float, Consequence | None] = (0.2, None)


_KNOBS: Sequence[_Knob] = (
    _Knob(
        EffectKind.PROBE,
        word_set("initialdelayseconds failurethreshold periodseconds timeoutseconds successthreshold"),
        lowered=(0.65, None),
        raised=(0.15, None),
        removed=(0.4, None),
    ),
    _Knob(
        EffectKind.TTL,
        word_set("ttl expiry expiration expires maxage lifetime expire expirein expireafterwrite expireafteraccess"),
        beside=word_set("token session cookie jwt password auth login refresh certificate cert lease"),
        but=word_set("cache cached caching"),
        lowered=(0.75, SESSIONS_END),
        raised=(0.1, STALE),
        removed=(0.3, SESSIONS_END),
        added=(0.2, SESSIONS_END),
    ),
    _Knob(
        EffectKind.TTL,
        word_set(
            "ttl expiry expiration expires maxage lifetime expire stale freshness expirein expireafterwrite "
            "expireafteraccess sets cachetimeout cacheseconds cacheduration cachefor cachettl setex psetex pexpire"
        ),
        lowered=(0.95, None),
        raised=(0.15, STALE),
        removed=(0.4, STALE),
        added=(0.2, None),
    ),
    _Knob(
        EffectKind.TTL,
        word_set("cache cached caching lru"),
        beside=word_set(
            "size max entries capacity items maximum minutes seconds duration timeout age hours for maxmemory"
        ),
        lowered=(0.85, None),
        raised=(0.15, STALE),
        removed=(0.5, STALE),
        added=(0.15, None),
    ),
    _Knob(
        EffectKind.BACKOFF,
        word_set("backoff jitter delay"),
        beside=word_set("retry retries retrying backoff jitter reconnect redelivery"),
        lowered=(0.6, None),
        raised=(0.2, WAITS_LONGER),
        removed=(0.6, None),
        added=(0.1, None),
    ),
    _Knob(
        EffectKind.RETRIES,
        word_set("retries retry attempts attempt tries redeliveries maxretries redelivery"),
        but=word_set("timeout deadline queue"),
        lowered=(0.4, FEWER_TRIES),
        raised=(0.75, None),
        removed=(0.35, FEWER_TRIES),
        added=(0.4, None),
    ),
    _Knob(
        EffectKind.TIMEOUT,
        word_set("timeout timeouts deadline timeoutms withtimeout settimeout timelimit budget waittime keepalive"),
        but=word_set("limit rate error cost"),
        lowered=(0.95, None),
        raised=(0.45, WAITS_LONGER),
        removed=(0.6, WAITS_LONGER),
        added=(0.4, None),
    ),
    _Knob(
        EffectKind.RESOURCES,
        word_set(
            "memory cpu replicas minreplicas maxreplicas xmx xms heap ephemeral storage iops shm nofile ulimit "
            "instances desiredcount memorysize maxoldspacesize shmsize minsize desiredcapacity "
            "maxcapacity mincapacity"
        ),
        but=word_set("cache usage utilization threshold percent alert metric"),
        lowered=(0.85, None),
        raised=(0.1, None),
        removed=(0.3, None),
        added=(0.25, None),
    ),
    _Knob(
        EffectKind.RESOURCES,
        word_set("averageutilization targetcpuutilizationpercentage targetaverageutilization gogc"),
        lowered=(0.45, None),
        raised=(0.45, None),
    ),
    _Knob(
        EffectKind.WORK_ADDED,
        word_set(
            "cost rounds iterations generatefrompassword gensalt saltrounds workfactor logrounds compressionlevel"
        ),
        beside=word_set("bcrypt scrypt argon pbkdf hash hasher password salt compression compress gzip"),
        lowered=(0.1, None),
        raised=(0.7, None),
    ),
    _Knob(
        EffectKind.LIMIT,
        word_set("rate ratelimit rps qps quota throttle permits limiter burst requestspersecond ratelimiter"),
        but=word_set("sample sampling error tax exchange refresh frame discount interest"),
        lowered=(0.85, None),
        raised=(0.3, PUSHES_HARDER),
        removed=(0.5, PUSHES_HARDER),
        added=(0.45, None),
    ),
    _Knob(
        EffectKind.LIMIT,
        word_set("threshold volume ratio slidingwindowsize"),
        beside=word_set("circuit breaker hystrix resilience4j outlier bulkhead"),
        lowered=(0.55, None),
        raised=(0.3, WAITS_LONGER),
        removed=(0.4, WAITS_LONGER),
    ),
    _Knob(
        EffectKind.POOL,
        word_set(
            "pool connections conns workers threads concurrency parallelism maxpoolsize poolsize idle semaphore "
            "processes goroutines executor maxconn maxconnections workerconnections clients sockets children "
            "maxclients streams slots listeners consumers connection conn"
        ),
        but=word_set("timeout deadline lifetime"),
        lowered=(0.85, None),
        raised=(0.2, PUSHES_HARDER),
        removed=(0.4, None),
        added=(0.25, None),
    ),
    _Knob(
        EffectKind.POOL,
        word_set("setlimit"),
        but=word_set("limiter rate"),
        lowered=(0.8, FALLS_BEHIND),
        raised=(0.2, PUSHES_HARDER),
    ),
    _Knob(
        EffectKind.BATCH,
        word_set(
            "prefetch prefetchcount maxnumberofmessages maxmessages maxpollrecords maxreceive maxbatch receivemax "
            "maxoutstandingmessages maxackpending"
        ),
        lowered=(0.75, FALLS_BEHIND),
        raised=(0.6, None),
        removed=(0.3, FALLS_BEHIND),
        added=(0.2, None),
    ),
    _Knob(
        EffectKind.BATCH,
        word_set("batch batchsize chunk chunksize prefetch fetchsize pagesize bulk page linger perpage chunks"),
        lowered=(0.5, SMALLER_BATCHES),
        raised=(0.6, None),
        removed=(0.4, MORE_WORK),
        added=(0.2, None),
    ),
    _Knob(
        EffectKind.BATCH,
        word_set("queue buffer backlog capacity channel chan inflight outstanding queued highwatermark"),
        lowered=(0.5, None),
        raised=(0.35, None),
        removed=(0.35, None),
        added=(0.15, None),
    ),
    _Knob(
        EffectKind.LIMIT,
        word_set("limit max maximum bodysize take first maxsize topk limits top bodysizelimit"),
        but=word_set("alert width height length char font"),
        lowered=(0.5, None),
        raised=(0.55, MORE_WORK),
        removed=(0.45, MORE_WORK),
        added=(0.2, None),
    ),
    _Knob(
        EffectKind.INTERVAL,
        word_set("interval schedule cron period every frequency poll polling ticker newticker refresh"),
        lowered=(0.6, None),
        raised=(0.2, STALE),
        removed=(0.3, None),
        added=(0.2, None),
    ),
    _Knob(
        EffectKind.FLAG,
        word_set("percentage percent rollout weight canary traffic share split variation"),
        lowered=(0.35, None),
        raised=(0.45, None),
        removed=(0.3, None),
        added=(0.3, None),
    ),
)

_NO_SETTING = word_set(
    """
    http status statuscode code exit port version width height padding margin line column case id
    sha seed year args buckets expect assertequals printf sprintf log println percentile quantile
    sleep usleep
    """
)
_NONE_MEANS_ALL = frozenset({EffectKind.TIMEOUT, EffectKind.POOL, EffectKind.LIMIT, EffectKind.BATCH})
_ROOM = frozenset({EffectKind.RESOURCES, EffectKind.POOL})
_HARMLESS_ROOM, _MORE_ROOM, _MUCH_MORE = 0.2, 0.05, 2.0
_PLAIN_NUMBER = 0.25


def setting_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the effects of the numbers that a commit sets otherwise than before."""
    found = []
    for change in settings_over(blocks):
        made = _effect(change)
        if made is not None:
            found.append(made)
    return found


def _effect(change: Changed) -> Effect | None:
    setting = change.shown
    words = _name_words(setting.name)
    around = words | words_of(f"{setting.owner} {change.heading} {change.path}")
    line_words = words_of(setting.line)
    knob = next((knob for knob in _KNOBS if _is(knob, words, around | line_words)), None)
    if knob is None:
        return _number(change, words)
    strength, consequence = _turned(knob, change)
    if strength <= 0:
        return None
    return effect(
        knob.kind,
        change.path,
        setting.line,
        strength,
        name=setting.name,
        before=change.old.value if change.old else None,
        after=change.new.value if change.new else None,
        direction=_direction(knob, change),
        ratio=change.ratio,
        beside=(change.heading, setting.owner),
        consequence=consequence,
    )


def _name_words(name: str) -> frozenset[str]:
    """Return the words of a name, and the name as one word, so that "maxAge" and "maxage" are the same."""
    last = name.replace("::", ".").split(".")
    whole = "".join(character for character in last[-1] if character.isalnum()).lower()
    return words_of(" ".join(last[-2:]).replace("-", "_")) | {whole}


def _is(knob: _Knob, words: frozenset[str], around: frozenset[str]) -> bool:
    return bool(words & knob.words) and not words & knob.but and (not knob.beside or bool(around & knob.beside))


def _turned(knob: _Knob, change: Changed) -> tuple[float, Consequence | None]:
    """Return how strong the change of a knob is, and its consequence where it is not the usual one of its kind."""
    if change.old is None:
        return knob.added
    if change.new is None:
        return knob.removed
    direction = _direction(knob, change)
    if direction == 0:
        return 0.25, None
    full, consequence = knob.raised if direction > 0 else knob.lowered
    if direction > 0 and knob.kind in _ROOM and full <= _HARMLESS_ROOM:
        # Room for more takes nothing away here; only much more of it weighs on what is called.
        is_much = change.ratio is None or change.ratio <= 0 or change.ratio >= _MUCH_MORE
        full = full if is_much and consequence is not None else _MORE_ROOM
    return full * (0.3 + 0.7 * _magnitude(change.ratio)), consequence


def _direction(knob: _Knob, change: Changed) -> int:
    """Return +1 or -1; for timeouts, pools and limits 0 and -1 mean "no limit", so setting them is raising."""
    if change.new and change.new.quantity and change.new.quantity.value <= 0 and knob.kind in _NONE_MEANS_ALL:
        return 1
    return change.direction


def _magnitude(ratio: float | None) -> float:
    """Return how far a value moved, 0 to 1: a tenth part is 1, a half is 0.3 and a tenth more is next to nothing."""
    if ratio is None:
        return 0.4
    return min(1.0, abs(math.log10(ratio))) if ratio > 0 else 1.0


def _number(change: Changed, words: frozenset[str]) -> Effect | None:
    """Return the effect of a number that is no knob we know: a constant of the business, most often."""
    if change.old is None or change.new is None or words & _NO_SETTING:
        return None
    return effect(
        EffectKind.NUMBER,
        change.path,
        change.new.line,
        _PLAIN_NUMBER * (0.5 + 0.5 * _magnitude(change.ratio)) + 0.05,
        name=change.new.name,
        before=change.old.value,
        after=change.new.value,
        direction=change.direction,
        ratio=change.ratio,
        beside=(change.heading,),
    )
