"""What the author says of a change that could not be read: a weak reading, from the words of the message.

The message is untrusted: its words can name an effect, never take one away that a diff shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import (
    FEWER_TRIES,
    MORE_WORK,
    PUSHES_HARDER,
    SMALLER_BATCHES,
    STALE,
    WAITS_LONGER,
    Consequence,
    effect,
)
from workers.diagnosis.changes.text.quantities import quantities

_STRONGEST = 0.6
_LOWER = re.compile(
    r"\b(?:lower|reduc|decreas|tighten|shorten|shrink|drop|halv|trim|small)\w*\b|\b(?:cut|less|down)\b", re.IGNORECASE
)
_RAISE = re.compile(
    r"\b(?:rais|increas|bump|grow|widen|extend|doubl|relax|loosen|bigger|longer|larger)\w*\b|\bup\b|(?<!no )\bmore\b|"
    r"\banother\b|\bextra\b",
    re.IGNORECASE,
)
_REMOVE = re.compile(
    r"\b(?:remov|drop|delet|disabl|skip|bypass|without|no longer|get rid|eliminat|stop)\w*\b|\bno\b", re.IGNORECASE
)
_FROM_TO = re.compile(r"(\d[\w.]*)\s*(?:->|→|=>|to)\s*(\d[\w.]*)")

_ABOUT: Sequence[tuple[EffectKind, str, tuple[float, Consequence | None], tuple[float, Consequence | None], float]] = (
    (
        EffectKind.TTL,
        r"\bttl\b|time.to.live|cache (?:expir\w+|lifetime)|cache .{0,40}\d+\s?(?:s|m|h|min)\b",
        (0.55, None),
        (0.15, STALE),
        0.3,
    ),
    (EffectKind.BACKOFF, r"\bbackoff\b|\bjitter\b", (0.5, None), (0.1, None), 0.1),
    (EffectKind.RETRIES, r"\bretr(?:y|ies)\b|\battempts?\b", (0.3, FEWER_TRIES), (0.55, None), 0.35),
    (EffectKind.TIMEOUT, r"\btime-?outs?\b|\bdeadlines?\b", (0.55, None), (0.4, WAITS_LONGER), 0.35),
    (
        EffectKind.POOL,
        r"\bpool(?:s| size)?\b|\bconnections?\b|\bworkers?\b|\bconcurren\w+|\bparallel\w*|"
        r"\bthreads?\b",
        (0.5, None),
        (0.2, PUSHES_HARDER),
        0.2,
    ),
    (EffectKind.LIMIT, r"\brate.?limit\w*|\bquota\b|\bthrottl\w+", (0.5, None), (0.25, PUSHES_HARDER), 0.35),
    (
        EffectKind.BATCH,
        r"\bbatch (?:size|of)|\bchunk (?:size|of)|\bpage size|\bprefetch",
        (0.3, SMALLER_BATCHES),
        (0.4, MORE_WORK),
        0.2,
    ),
    (
        EffectKind.RESOURCES,
        r"\breplicas?\b|\bmemory (?:limit|request)s?|\bcpu (?:limit|request)s?|\bheap\b|\bhpa\b|"
        r"\bresources\b",
        (0.5, None),
        (0.05, None),
        0.25,
    ),
    (EffectKind.INTERVAL, r"\binterval\b|\bcron\b|\bschedule\b|\bevery \d+", (0.4, None), (0.15, STALE), 0.3),
    (
        EffectKind.BUFFER_GROWS,
        r"\b(?:grow|expand|enlarg)\w*\b(?=.*\d\w*\s*(?:->|→|to)\s*\d)",
        (0.1, None),
        (0.4, None),
        0.0,
    ),
)

_SAYS: Sequence[tuple[EffectKind, str, float]] = (
    (
        EffectKind.LOADS_ALL,
        r"in[- ]memory|into (?:memory|one (?:slice|list|array|map))|load (?:the )?(?:full|whole|"
        r"entire|all)|"
        r"(?:full|whole|entire) (?:catalog|table|file|dataset)|no chunk|replac\w+ streaming|"
        r"without streaming|all .{0,30} (?:at once|upfront)",
        0.6,
    ),
    (
        EffectKind.BUFFER_GROWS,
        r"keep .{0,40} in memory|unbounded|in-process (?:cache|map|buffer)|without (?:eviction|"
        r"bound)|buffer .{0,20}(?:events|messages|requests)|"
        r"\bremember\w*\b|keeps? (?:track|a (?:history|list|copy|record)) of|accumulat\w+",
        0.5,
    ),
    (EffectKind.BUFFER_GROWS, r"\b(?:subscrib|listen)\w* (?:to|for)\b", 0.3),
    (
        EffectKind.POOL,
        r"\bone (?:by one|at a time|after another)\b|\bsequential(?:ly)?\b|\bsingle (?:worker|consumer|thread)\b",
        0.5,
    ),
    (
        EffectKind.QUERY_LIMIT_REMOVED,
        r"(?:no|remov\w*|drop\w*|without) (?:the )?(?:limit|pagination|paging)\b|\bunlimited\b|"
        r"return all|full (?:table )?scan",
        0.6,
    ),
    (
        EffectKind.TRANSACTION,
        r"(?:single|one|long).{0,20}(?:session|transaction)|holds? .{0,20}(?:connection|lock|"
        r"transaction|session)|within (?:one|a|the) transaction",
        0.55,
    ),
    (
        EffectKind.QUERY_ADDED,
        r"\badd\w* .{0,40}\b(?:select|quer(?:y|ies)|lookup|join)\b|\bnow (?:joins?|quer|"
        r"selects?)\w*|\bjoins? \w+",
        0.4,
    ),
    (
        EffectKind.QUERY_IN_LOOP,
        r"\b(?:per|each|every)[- ](?:item|row|line|order|user|product|record|"
        r"sku)\b.{0,40}(?:look|quer|fetch|call|load|select)|"
        r"(?:look|quer|fetch|call|load|join|select)\w*.{0,40}\b(?:per|for each|for every) \w+|"
        r"n\+1",
        0.55,
    ),
    (
        EffectKind.CALL_ADDED,
        r"\bsynchronous(?:ly)?\b|\bblocking\b|\bon (?:each|every) request|"
        r"\binline\b.{0,30}(?:call|check)|\bfetch(?:es)? (?:live|fresh|latest|current)\b|"
        r"\b(?:call|fetch|load|validate|verify|check)\w*\b.{0,60}\b(?:from|against|via|"
        r"with)\b.{0,40}\b(?:service|svc|store|api|provider|upstream)\b|on cache miss",
        0.5,
    ),
    (
        EffectKind.LOCK_ADDED,
        r"\bmutex\b|\b(?:global|exclusive|table|row|coarse) lock|\block(?:s|ing)?\b|"
        r"serializ(?:e|able)\b|\bsemaphore\b|single-?thread",
        0.55,
    ),
    (
        EffectKind.CACHE_REMOVED,
        r"(?:drop|remov|disabl|bypass|skip|without)\w* .{0,30}cach\w+|\bno cache|uncached",
        0.55,
    ),
    (EffectKind.CACHE_KEY, r"cache key|key (?:prefix|format)|cache (?:prefix|namespace)", 0.4),
    (EffectKind.INDEX_REMOVED, r"(?:drop|remov|delet)\w* .{0,30}\bind(?:ex|ices)", 0.6),
    (
        EffectKind.GUARD_REMOVED,
        r"(?:drop|remov|skip|simplif)\w* .{0,30}(?:check|guard|validation|nil|null|fallback)",
        0.45,
    ),
    (
        EffectKind.PROTECTION_REMOVED,
        r"(?:drop|remov|disabl|skip)\w* .{0,30}(?:limiter|breaker|circuit|throttl|backoff|"
        r"jitter|bulkhead|fallback|debounc)",
        0.55,
    ),
    (EffectKind.CLOSE_REMOVED, r"(?:drop|remov|skip)\w* .{0,20}(?:close|cleanup|dispose|cancel|finally)", 0.45),
    (EffectKind.SCHEMA, r"\bmigrat\w+|(?:drop|renam|alter)\w* .{0,20}(?:column|table)|\bnot null\b|\bbackfill", 0.45),
    (EffectKind.FIELD_RENAMED, r"renam\w+ .{0,30}(?:field|key|param|column|property|enum)", 0.5),
    (
        EffectKind.DECODING,
        r"\b(?:schema|protobuf|proto|avro|serializ\w+|deserializ\w+|parser|payload|encoding|"
        r"wire format)\b",
        0.3,
    ),
    (
        EffectKind.ROUTING,
        r"\b(?:(?:switch|point|chang|updat|mov|replac)\w* .{0,30}\bendpoints?|dns|hostname|region|failover|"
        r"rout(?:e|es|ing)|proxy|ingress|"
        r"load.?balanc\w+|point .{0,20} at|switch .{0,30} to new)\b",
        0.4,
    ),
    (EffectKind.TLS, r"\b(?:m?tls|ssl|cert(?:ificate)?s?|cipher)\b", 0.35),
    (EffectKind.SECRET, r"\b(?:credential|secret|token|api key|signing key|iam|scope|password)s?\b", 0.35),
    (
        EffectKind.FLAG,
        r"\b(?:behind (?:a )?flag|feature flag|enable|turn on|roll ?out|by default|flip|"
        r"default to)\b",
        0.3,
    ),
    (EffectKind.LOG_LEVEL, r"\bdebug log\w*|log level|verbose", 0.35),
    (
        EffectKind.DEPENDENCY,
        r"\b(?:bump|upgrade|update|migrate)\w* .{0,40}(?:\bto v?\d+\.\d|dependenc|client|sdk|librar|"
        r"driver|\bv?\d+\.\d+)",
        0.2,
    ),
    (EffectKind.IMAGE, r"base image|distroless|alpine|\bdocker image", 0.15),
    (
        EffectKind.WORK_ADDED,
        r"\b(?:regex|compress\w*|encrypt\w*|hash\w*|render\w*|recomput\w*|re-?rank\w*|sort\w*|"
        r"precompute|encode)\b",
        0.25,
    ),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE), strength) for kind, pattern, strength in _SAYS)
_SETTINGS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE), low, high, plain) for kind, pattern, low, high, plain in _ABOUT
)

_HARMLESS = re.compile(
    r"^\s*(?:#?[\w./-]+:?\s+)?(?:\w+\([^)]*\)!?:\s*)?(?:refactor|tidy|docs?|chore|style|"
    r"test|tests|ci|build|lint|format|typo|comment|cleanup|clean up|rename|"
    r"reformat|gofmt|extract|move|inline|restyle|document)\b|"
    r"\b(?:tidy|typos?|gofmt|goimports|imports|comments?|readme|changelog|codeowners|"
    r"runbook|structured logging|log(?:ging)? fields|span attributes|"
    r"metrics?|counters?|histogram|dashboards?|tests?|fuzz|lint\w*|docs?|"
    r"request[- ]id|restyle\w*|spelling|copy change)\b|"
    r"\badd \S*(?:healthz|readyz|health endpoint|health check)",
    re.IGNORECASE,
)


def message_effects(message: str, paths: Sequence[str]) -> list[Effect]:
    """Return what the message says that the change does; no effect is stronger than 0.6."""
    text = message[:1000]
    path = paths[0] if paths else ""
    found = [*_settings_of(text, path), *_said(text, path)]
    best: dict[EffectKind, Effect] = {}
    for item in found:
        if item.kind not in best or best[item.kind].strength < item.strength:
            best[item.kind] = item
    return sorted(best.values(), key=lambda item: -item.strength)


def is_said_to_be_harmless(message: str) -> bool:
    """Whether the message says that the change is tidying, tests, documents or telemetry. That is a claim, no proof."""
    return bool(_HARMLESS.search(message.split("\n")[0]))


def _settings_of(text: str, path: str) -> Iterator[Effect]:
    """Read each clause: which knob it names, and whether it is turned up or down."""
    for clause in re.split(r"[;,\n]|\band\b", text):
        for kind, pattern, lowered, raised, plain in _SETTINGS:
            if not pattern.search(clause):
                continue
            direction, before, after, ratio = _turned(clause)
            strength, consequence = raised if direction > 0 else lowered if direction < 0 else (plain, None)
            if kind is EffectKind.RETRIES and re.search(r"jitter|backoff", clause, re.IGNORECASE):
                continue
            if kind is EffectKind.BACKOFF and re.search(r"\badd\b", clause, re.IGNORECASE):
                strength = 0.05
            if strength:
                yield effect(
                    kind,
                    path,
                    clause,
                    min(strength, _STRONGEST),
                    before=before,
                    after=after,
                    direction=direction,
                    ratio=ratio,
                    consequence=consequence,
                    beside=(text,),
                )


def _turned(clause: str) -> tuple[int, str | None, str | None, float | None]:
    """Return the direction, the old and the new value, and their ratio, as far as a clause says them."""
    if values := _FROM_TO.search(clause):
        old, new = next(quantities(values[1]), None), next(quantities(values[2]), None)
        if old and new and old.value > 0:
            ratio = new.value / old.value
            return (ratio > 1) - (ratio < 1), values[1], values[2], ratio
    after = re.search(r"\bto (\d[\w.]*)", clause)
    new_value = after[1] if after else None
    if _LOWER.search(clause) or _REMOVE.search(clause):
        return -1, None, new_value, None
    return int(bool(_RAISE.search(clause))), None, new_value, None


def _said(text: str, path: str) -> Iterator[Effect]:
    for kind, pattern, strength in _COMPILED:
        match = pattern.search(text)
        if match and not (
            kind is EffectKind.QUERY_IN_LOOP and _REMOVE.search(text[max(0, match.start() - 12) : match.start()])
        ):
            yield effect(kind, path, text.split("\n")[0], strength, name=match.group()[:60], beside=(text,))
