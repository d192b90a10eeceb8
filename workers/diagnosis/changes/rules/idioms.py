"""Known idioms that go or come: work no longer done side by side, connections no longer reused, retries for everything.

Each is one row: what is gone, what has come, and what must not have come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detection.types import SymptomKind
from workers.diagnosis.changes.effects import Delay, Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import MORE_WORK, WAITS_LONGER, Consequence, effect
from workers.diagnosis.changes.text.costly import costly_calls
from workers.diagnosis.changes.text.loops import few_times, looped_parts
from workers.diagnosis.changes.text.patches import Block, changed_lines


@dataclass(frozen=True, slots=True)
class _Idiom:
    """What is gone and what has come: patterns of a removed and of an added line, None if any will do.

    but: what no added line holds. near: what a line of the new code holds.
    """

    kind: EffectKind
    strength: float
    gone: str | None = None
    come: str | None = None
    but: str | None = None
    consequence: Consequence | None = None
    near: str | None = None


_ONE_AFTER_ANOTHER = Consequence(
    frozenset(map(SymptomKind, ("latency", "timeouts", "queue", "threads", "connections", "errors"))),
    frozenset(),
    Delay.UNDER_LOAD,
)
_NEW_CONNECTIONS = Consequence(
    frozenset(map(SymptomKind, ("connections", "latency", "file_handles", "network", "cpu", "timeouts", "errors"))),
    frozenset(map(SymptomKind, ("connections", "cpu", "latency"))),
    Delay.UNDER_LOAD,
)
_WAITS_FOR_DISK = Consequence(
    frozenset(map(SymptomKind, ("disk", "latency", "queue", "timeouts"))), frozenset(), Delay.UNDER_LOAD
)
_WRONG_NUMBERS = Consequence(
    frozenset(map(SymptomKind, ("results", "bad_data", "errors", "client_errors"))), frozenset(), Delay.AT_ONCE
)

_SIDE_BY_SIDE = (
    r"errgroup|WaitGroup|Promise\.all|asyncio\.gather|CompletableFuture|Task\.WhenAll|parallelStream|join_all|"
    r"Parallel\.|\.Go\(func|TaskGroup|create_task|ThreadPoolExecutor|coroutineScope|awaitAll|try_join"
)
_LATER = (
    r"\bgo\s+(?:func|[\w.]+\()|\.delay\(|apply_async|enqueue|perform_later|perform_async|@Async\b|setImmediate|"
    r"executor\.submit|dispatch\(|queue\.add\(|deliver_later|BackgroundTasks|add_task\("
)
_GATE = (
    r"[fF]lags?\.\w+\(|[fF]eatures?\.\w+\(|\bis_?[eE]nabled\(|[vV]ariation\(|"
    r"feature_enabled|[fF]eature\w*\(|Flipper|unleash\."
)
_CLIENT = (
    r"&http\.Client\{|requests\.Session\(\)|new HttpClient\(|httpx\.(?:Async)?Client\(|new Pool\(|sql\.Open\(|"
    r"createConnection\(|psycopg2?\.connect\(|new RestTemplate\(|grpc\.(?:Dial|NewClient)\(|MongoClient\(|"
    r"redis\.NewClient\(|new Redis\(|boto3\.client\(|new OkHttpClient\(|create_engine\(|http\.Transport\{|"
    r"\bpgx(?:pool)?\.(?:New|Connect)\w*\(|sqlx\.(?:Open|Connect)\(|mongo\.Connect\(|asyncpg\.(?:connect|create_pool)\(|"
    r"mysql\w*\.(?:connect|createPool)\(|Elasticsearch\(|KafkaProducer[<(]|grpc\.\w*_channel\(|new HikariDataSource\("
)
_SHARED_CLIENT = (
    r"\b(?:self|this|[a-z]{1,2})\s*(?:\.|->)\s*_?(?:\w*[pP]ool|\w*[cC]lient|db|conn|session|dataSource|channel)\b\s*\."
)
_MAKES_ONCE = re.compile(
    r"\b(?:New\w*|init\w*|__init__|setup\w*|main|constructor|build\w*|create\w*|make\w*|"
    r"configure\w*|provide\w*|@Bean)\b"
)

_IDIOMS: Sequence[_Idiom] = (
    _Idiom(EffectKind.CALL_ADDED, 0.6, _SIDE_BY_SIDE, r"\w\(", _SIDE_BY_SIDE, _ONE_AFTER_ANOTHER),
    _Idiom(EffectKind.CALL_ADDED, 0.6, _LATER, r"\w\(", _LATER + r"|\.Go\(|spawn|schedule", _ONE_AFTER_ANOTHER),
    _Idiom(
        EffectKind.TIMEOUT,
        0.45,
        r"\bctx\b|\bcontext\b|[Cc]ancellationToken|signal",
        r"context\.(?:Background|TODO)\(\)|CancellationToken\.None",
        None,
        WAITS_LONGER,
    ),
    _Idiom(
        EffectKind.POOL,
        0.65,
        None,
        r"DisableKeepAlives:\s*true|[\"']?Connection[\"']?\s*[:,]\s*[\"']close|"
        r"keepAlive\w*:\s*false|keepalive\s*=\s*False",
        None,
        _NEW_CONNECTIONS,
    ),
    _Idiom(EffectKind.FLAG, 0.5, _GATE, None, _GATE),
    _Idiom(EffectKind.FLAG, 0.25, None, _GATE),
    _Idiom(EffectKind.BACKOFF, 0.6, r"[Ee]xpo(?:nential)?\w*", r"(?i:constant|fixed|linear)\w*", r"[Ee]xponential"),
    _Idiom(
        EffectKind.RETRIES,
        0.5,
        None,
        r"@[Rr]etry(?:able)?\b|withRetry\(|retry\.Do\(|WaitAndRetry|backoff\.Retry\(|retryWhen|"
        r"Retry\.of|on_exception\(|"
        r"retry_on\b|async_retry|pRetry\(",
    ),
    _Idiom(
        EffectKind.RETRIES,
        0.45,
        r"errors\.Is\(|[Rr]etryable|isTransient|[Uu]navailable|\b50[0-4]\b",
        r"err\s*!=\s*nil|except\s*(?:Exception)?\s*:|catch\s*\(",
        r"[Rr]etryable|errors\.Is|[Uu]navailable",
        near=r"(?i:retr(?:y|ies)|attempt)",
    ),
    _Idiom(EffectKind.THREADS_ADDED, 0.5, r"make\(chan [^,()]+,\s*\d+\)", r"make\(chan [^,()]+\)"),
    _Idiom(
        EffectKind.BATCH,
        0.5,
        r"(?:size|len|count|length).{0,30}(?:>=?|%|==).*",
        r"^\s*[\w.>-]*(?:flush|send|publish|commit|write)\w*\(",
        r"(?:size|len|count|length).{0,30}(?:>=?|%|==)",
    ),
    _Idiom(
        EffectKind.FLAG,
        0.55,
        r"appendfsync|synchronous_commit|flush_log_at_trx|fsync|\backs\b",
        r"appendfsync\s+always|synchronous_commit\s*=\s*(?:on|remote)|trx_commit\s*=\s*1|"
        r"fsync\s*=\s*(?:on|true)|acks\W+all",
        None,
        _WAITS_FOR_DISK,
    ),
    _Idiom(EffectKind.BUFFER_GROWS, 0.55, r"maxmemory-policy|evict", r"noeviction"),
    _Idiom(EffectKind.QUERY_WIDENED, 0.55, None, r"FetchType\.EAGER|\beager:\s*true|lazy\s*=\s*[\"']joined"),
    _Idiom(
        EffectKind.WORK_ADDED,
        0.45,
        r"\bset\(|new Set|HashSet|map\[|new Map|dict\(|\bSet<",
        r"\.includes\(|indexOf\(|\.contains\(|\bany\(.*\bfor\b|\.find\(|\.index\(",
        r"\bset\(|new Set|HashSet|map\[",
    ),
    _Idiom(EffectKind.WORK_ADDED, 0.35, r"BestSpeed|level\W+1\b", r"BestCompression|level\W+9\b"),
    _Idiom(
        EffectKind.LIMIT,
        0.6,
        r"\bmin\(.*\d|Math\.min\(|clamp|coerceAtMost",
        r"limit|size|per_page|page|count|top|depth",
        r"\bmin\(|Math\.min|clamp|coerceAtMost|>\s*\w",
        MORE_WORK,
    ),
    _Idiom(
        EffectKind.LOGIC,
        0.4,
        r"\b(?:utc|UTC|timezone|ZoneOffset|tzinfo|ZoneId|Utc\w*)\b|UTC\(\)",
        r"(?i:now|date|time)",
        r"\b(?:utc|UTC|timezone|ZoneOffset|tzinfo|ZoneId|Utc\w*)\b|UTC\(\)",
        _WRONG_NUMBERS,
    ),
    _Idiom(
        EffectKind.BUFFER_GROWS,
        0.45,
        None,
        r"(?:WithLabelValues|labels|[Tt]ags?|[Aa]ttributes?)\(.*(?:user_?[iI][dD]|userID|"
        r"request_?[iI][dD]|e?mail|session|uuid|"
        r"URL\.Path|full_?path|remote_?[aA]ddr|client_?ip)",
        r"[Ss]pan|SetAttributes|set_attribute|tracer",
    ),
)
_ENVIRONMENT = re.compile(
    r"(?:-\s*name:\s*[\"']?|[Gg]etenv\(\s*[\"']|environ(?:\.get\(|\[)\s*[\"']|"
    r"process\.env\.|ENV\[[\"']|ENV\.fetch\([\"'])"
    r"([A-Z][A-Z0-9_]{2,})"
)
_TAKEN = re.compile(r"\.(?:Acquire|acquire|Lock|lock|getConnection|Begin\w*|begin\w*)\(|\bopen\(|\.Open\(|checkout\(")
_GIVEN_BACK = re.compile(r"\.(?:Release|release|Unlock|unlock|Close|close|Rollback|Commit|commit)\(")
_SURELY = re.compile(r"\bdefer\b|finally|\bwith\b|using\s*\(|try\s*\(")
_ENUM_VALUE = re.compile(r"^\s*[A-Z][A-Z0-9_]+\s*(?:=\s*[\"'\d][^,;]*|\([^)]*\))?[,;]$")


def idiom_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the known idioms that the commit takes away or brings."""
    changed = [changed_lines(block) for block in blocks]
    come = "\n".join(line for _, added in changed for line in added)
    gone = "\n".join(line for removed, _ in changed for line in removed)
    found: list[Effect] = []
    for block in blocks:
        found += _of_rows(block, gone, come)
        found += _clients(block, gone)
        found += _few_tries(block, gone)
        found += _names(block, gone, come)
        found += _left_open(block)
    return found


def _of_rows(block: Block, gone: str, come: str) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    for row in _IDIOMS:
        old = _first(row.gone, removed)
        new = _first(row.come, added)
        if (row.gone and old is None) or (row.come and new is None):
            continue
        if row.but and re.search(row.but, come):
            continue
        if row.near and not any(re.search(row.near, line) for line in block.new):
            continue
        if not row.gone and row.come and re.search(row.come, gone):
            continue
        yield effect(
            row.kind,
            block.path,
            new or old or "",
            row.strength,
            consequence=row.consequence,
            beside=(block.heading, old or ""),
        )


def _first(pattern: str | None, lines: Sequence[str]) -> str | None:
    return next((line for line in lines if re.search(pattern, line)), None) if pattern else None


def _clients(block: Block, gone: str) -> Iterator[Effect]:
    """Find clients and pools that are made where requests are served: each makes its own connections."""
    line = _first(_CLIENT, changed_lines(block)[1])
    is_within = line is not None and line.startswith((" ", "\t"))
    if line and is_within and not re.search(_CLIENT, gone):
        names = (
            block.heading,
            *(text for text in block.new if re.search(r"\b(?:func|def|function|class|fun|fn)\b", text)),
        )
        if any(names) and not any(_MAKES_ONCE.search(text) for text in names):
            # A pool that was there and is no longer used says that the new one is made again and again.
            strength = 0.75 if re.search(_SHARED_CLIENT, gone) else 0.5
            yield effect(
                EffectKind.POOL, block.path, line, strength, consequence=_NEW_CONNECTIONS, beside=(block.heading,)
            )


def _few_tries(block: Block, gone: str) -> Iterator[Effect]:
    """Find loops that try a call a few times: retries written by hand."""
    header = next((line for line in changed_lines(block)[1] if few_times(line)), None)
    if header and not any(few_times(line) for line in gone.split("\n")):
        place = block.new.index(header)
        if any(True for line in block.new[place : place + 8] for _ in costly_calls(line)):
            waits = any(re.search(r"sleep|backoff|delay", line, re.IGNORECASE) for line in block.new)
            yield effect(
                EffectKind.RETRIES, block.path, header, 0.4 if waits else 0.55, beside=block.new[place : place + 8]
            )


def _names(block: Block, gone: str, come: str) -> Iterator[Effect]:
    """Find variables of the environment and values of enumerations that are gone."""
    lost = set(_ENVIRONMENT.findall(gone)) - set(_ENVIRONMENT.findall(come))
    removed, added = changed_lines(block)
    line = next((line for line in removed if set(_ENVIRONMENT.findall(line)) & lost), None)
    if line and added:
        yield effect(EffectKind.START_UP, block.path, line, 0.5, name=_ENVIRONMENT.findall(line)[0])
    value = next((line for line in removed if _ENUM_VALUE.match(line)), None)
    if value and not added and block.path.endswith((".java", ".kt", ".ts", ".cs", ".py", ".proto", ".graphql", ".rs")):
        yield effect(
            EffectKind.DECODING, block.path, value, 0.5, name=value.split()[0].strip(",;"), beside=(block.heading,)
        )


def _left_open(block: Block) -> Iterator[Effect]:
    """Find ways out between taking and giving back, and closes at the end of a loop."""
    taken = next((place for place, line in enumerate(block.new) if _TAKEN.search(line)), None)
    if taken is not None and not any(_SURELY.search(line) for line in block.new[taken : taken + 3]):
        back = next(
            (place for place in range(len(block.new) - 1, taken, -1) if _GIVEN_BACK.search(block.new[place])), taken
        )
        added = changed_lines(block)[1]
        way_out = next((line for line in block.new[taken:back] if re.match(r"\s+(?:return|raise|throw)\b", line)), None)
        if way_out and way_out in added and not _GIVEN_BACK.search("\n".join(added)):
            yield effect(EffectKind.CLOSE_REMOVED, block.path, way_out, 0.5, beside=block.new[taken : taken + 3])
    looped = next((text for text, _ in looped_parts(block.new, block.heading) if re.search(r"\bdefer\b", text)), None)
    if looped and looped in changed_lines(block)[1]:
        yield effect(EffectKind.CLOSE_REMOVED, block.path, looped, 0.6, beside=(block.heading,))
