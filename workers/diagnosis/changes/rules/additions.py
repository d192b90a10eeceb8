"""What added lines bring: locks, transactions, sleeps, threads, memory that grows, whole files and tables in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.rules.removals import DEFINES
from workers.diagnosis.changes.text.costly import costly_calls
from workers.diagnosis.changes.text.loops import looped_parts
from workers.diagnosis.changes.text.patches import Block, changed_lines
from workers.diagnosis.changes.text.regexes import hungry_in
from workers.diagnosis.changes.text.serving import runs_per_request

_LOCK = re.compile(
    r"\.(?:w?lock|acquire|EnterWriteLock|write)\(\)(?!\.unwrap\(\)\.get)|\bsynchronized\b|"
    r"\bwith\s+(?:await\s+)?[\w.]*lock[\w.]*(?:\(\))?\s*:|"
    r"\bfor\s+update\b|\block\s+table\b|select_for_update|with_lock|lockForUpdate|pg_advisory_(?:xact_)?lock|"
    r"lock\s+in\s+share|\bserializable\b|@Lock\(|Monitor\.Enter|\block\s*\(\s*\w+\s*\)\s*\{?$|\bflock\(|\.Lock\(\)|"
    r"mutex\.synchronize",
    re.IGNORECASE,
)
_READ_LOCK = re.compile(r"\.RLock\(\)|readLock\(\)|RwLock|RWMutex|ReadWriteLock|\.read\(\)\.(?:unwrap|await)")
_HELD_FOR_ONE_STEP = re.compile(r"\.lock\(\)(?:\.await)?\.(?:unwrap|expect)\([^()]*\)\.\w+\(")
_UNLOCK = re.compile(r"unlock\(\)|\.release\(\)", re.IGNORECASE)
_ATOMIC = re.compile(r"atomic|sync\.Map|ConcurrentHashMap|DashMap|immutable", re.IGNORECASE)
_TRANSACTION = re.compile(
    r"\bbegin(?:tx|transaction)?\(|@Transactional|transaction\.atomic|\btransaction do\b|"
    r"\.transaction\(|withTransaction|"
    r"start\s+transaction|TransactionScope|session\.begin|\bBEGIN;",
    re.IGNORECASE,
)
_SLEEP = re.compile(
    r"\bsleep(?:_ms|Async)?\s*\(|\busleep\(|Task\.Delay\(|pg_sleep|\.sleep\(|\bsleep \d|Sleep::|await delay\(",
    re.IGNORECASE,
)
_THREAD = re.compile(
    r"\bgo func\b|\bnew Thread\(|threading\.Thread\(|newCachedThreadPool|Thread\.new\b|"
    r"Task\.Run\(|tokio::spawn|thread::spawn"
)
_TICKER = re.compile(r"setInterval\(|time\.NewTicker\(|time\.Tick\(|addEventListener\(|scheduleAtFixedRate\(")
_STOPPED = re.compile(r"clearInterval|\.Stop\(\)|removeEventListener|\.shutdown|\.cancel\(", re.IGNORECASE)
_NO_BOUND = re.compile(
    r"lru_cache\(maxsize=None\)|^\s*@(?:functools\.)?cache\s*$|LinkedBlockingQueue<?[^(]*\(\)|ConcurrentLinkedQueue|"
    r"unbounded_channel|mpsc::unbounded|CreateUnbounded|\basyncio\.Queue\(\)|\bqueue\.Queue\(\)|newCachedThreadPool"
)
_CONTAINER = re.compile(
    r"^(?:export\s+)?(?:(?:var|let|const|static|private|public|protected|final|readonly|"
    r"internal)\s+)*(?:[\w<>,\[\] ?]+\s+)?"
    r"((?:self\.|this\.|@@?|\$)?\w+)\s*(?::\s*[^=]+)?:?=\s*(?:make\()?(?:map\[|\[\]\w|\{\}|"
    r"\[\]|dict\(\)|list\(\)|set\(\)|"
    r"defaultdict\(|new\s+(?:Map|Set|Array|(?:Concurrent)?HashMap|ArrayList|HashSet|Dictionary|List|LinkedList)\b)"
)
_BOUND = re.compile(
    r"evict|delete\(|\.remove\(|\bdel\s|\.pop|limit|maxsize|max_|\blru\b|ttl|expire|"
    r"\.clear\(|trim|shift\(\)|capacity|"
    r"len\(\w+\)\s*>|\.size\(?\)?\s*>|\.length\s*>|maximumSize",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\bReadAll\(|os\.ReadFile\(|readFileSync\(|\breadFile\(|\.readlines\(\)|\.read\(\)|"
    r"fetchall\(\)|\.fetch_all\(|\.toList\(\)|"
    r"Collectors\.toList|\blist\(\w|read_csv\((?!.*chunksize)|json\.load\(|\.to_a\b|"
    r"ToList(?:Async)?\(|file_get_contents\(|"
    r"readAllBytes|readAllLines|collect::<Vec|read_to_string|read_to_end|IOUtils\.to|"
    r"\.findAll\(\)|\.toArray\(|\.all\(\)|"
    r"getAll\(|FetchAll|\bLoadAll|load_all"
)
_LIST = re.compile(r"\.toList\(\)|Collectors\.toList|\blist\(\w|\.to_a\b|\.toArray\(|collect::<Vec")
"""What collects in memory that mostly was in memory before."""

_STREAM = re.compile(
    r"bufio\.|Scanner|\.iterator\(|iter\(|chunk|createReadStream|stream|\.Next\(\)|"
    r"\byield\b|for \w+ in (?:[\w.]*(?:reader|cursor|file|rows|lines|stream)\b|f\b)|"
    r"fetchmany|"
    r"find_each|in_batches|io\.Copy|\.pipe\(|BufferedReader|readLine|paginate|cursor|"
    r"\.Read\(|each_row|NewDecoder\(|NewReader\(",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\b\w*(?:[rR]eload|[rR]efresh|[lL]oad|[rR]ebuild|[rR]ender|[cC]ompute|[sS]ync|[fF]lush|[rR]ead|[wW]rite|[fF]etch|"
    r"[oO]pen|[cC]onnect|[sS]ave|[pP]arse|[mM]arshal|[sS]erialize)\w*\("
)
"""Calls under a lock that take their time, wherever they go."""


def added_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the added lines of a commit bring that was not there before."""
    come = "\n".join(line for block in blocks for line in changed_lines(block)[1])
    gone = "\n".join(line for block in blocks for line in changed_lines(block)[0])
    found: list[Effect] = []
    for block in blocks:
        found += _locks(block, gone, come)
        found += _waits(block, gone, come)
        found += _memory(block, gone, come)
    return found


def _first(pattern: re.Pattern[str], block: Block) -> str | None:
    added = changed_lines(block)[1]
    return next((line for line in added if pattern.search(line)), None)


@lru_cache(maxsize=256)
def _count(pattern: re.Pattern[str], text: str) -> int:
    return len(pattern.findall(text))


def _locks(block: Block, gone: str, come: str) -> Iterator[Effect]:
    heading = (block.heading, *block.added[:6])
    line = _first(_LOCK, block)
    more = _count(_LOCK, come) - _count(_LOCK, gone)
    if line and not _READ_LOCK.search(line):
        if _READ_LOCK.search(gone) and not _READ_LOCK.search(come):
            yield effect(EffectKind.LOCK_ADDED, block.path, line, 0.65, beside=heading)
        elif more > 0:
            under = block.new[block.new.index(line) :]
            waits = any(call for text in block.new for call in costly_calls(text)) or any(
                True for _ in looped_parts(block.new)
            )
            waits = waits or any(_WORKS.search(text) for text in under)
            strength = 0.2 if _HELD_FOR_ONE_STEP.search(line) else 0.75 if waits else 0.5
            yield effect(EffectKind.LOCK_ADDED, block.path, line, strength, beside=heading)
    if more < 0 and not line:
        removed = next((text for text in block.removed if _LOCK.search(text)), None)
        if removed and (_count(_LOCK, "\n".join(block.removed)) > _count(_LOCK, "\n".join(block.added))):
            is_shared_now = _count(_READ_LOCK, come) > _count(_READ_LOCK, gone)
            goes_with_its_function = not block.added and any(DEFINES.search(text) for text in block.removed)
            strength = 0.15 if is_shared_now or goes_with_its_function else 0.25 if _ATOMIC.search(come) else 0.5
            yield effect(EffectKind.LOCK_REMOVED, block.path, removed, strength, beside=heading)
    if (widened := _held_longer(block)) is not None:
        yield effect(EffectKind.LOCK_ADDED, block.path, widened, 0.75, beside=heading)
    line = _first(_TRANSACTION, block)
    if line and _count(_TRANSACTION, come) > _count(_TRANSACTION, gone):
        calls_out = any(not call.is_query for text in block.new for call in costly_calls(text))
        yield effect(EffectKind.TRANSACTION, block.path, line, 0.65 if calls_out else 0.35, beside=heading)


def _held_longer(block: Block) -> str | None:
    """Return the call that was made after a lock was given back, and is now made while it is held."""
    free = _calls_after_unlock(block.old)
    if not free or not any(_UNLOCK.search(line) for line in block.new):
        return None
    still_free = _calls_after_unlock(block.new)
    return next((line for key, line in free.items() if key not in still_free and _is_called(key, block.new)), None)


def _calls_after_unlock(lines: Sequence[str]) -> dict[str, str]:
    for position, line in enumerate(lines):
        if _UNLOCK.search(line) and not re.search(r"\bdefer\b|finally", line):
            return {call.key: text for text in lines[position + 1 :] for call in costly_calls(text)}
    return {}


def _is_called(key: str, lines: Sequence[str]) -> bool:
    return any(call.key == key for text in lines for call in costly_calls(text))


def _waits(block: Block, gone: str, come: str) -> Iterator[Effect]:
    line = _first(_SLEEP, block)
    if line and _count(_SLEEP, come) > _count(_SLEEP, gone):
        is_backoff = re.search(r"retr(?:y|ies)|attempt|backoff", "\n".join(block.new), re.IGNORECASE)
        yield effect(EffectKind.SLEEP_ADDED, block.path, line, 0.3 if is_backoff else 0.6, beside=(block.heading,))
    line = _first(_THREAD, block)
    if line and _count(_THREAD, come) > _count(_THREAD, gone):
        in_loop = any(_THREAD.search(text) for text, _ in looped_parts(block.new, block.heading))
        yield effect(EffectKind.THREADS_ADDED, block.path, line, 0.55 if in_loop else 0.35, beside=(block.heading,))
    line = next((text for text in changed_lines(block)[1] if hungry_in(text, block.path)), None)
    if line and not any(hungry_in(text, block.path) for text in gone.split("\n")):
        yield effect(EffectKind.WORK_ADDED, block.path, line, 0.7, beside=(block.heading,))


def _memory(block: Block, gone: str, come: str) -> Iterator[Effect]:
    if not _BOUND.search(come):
        for name, filled in _growing(block, come):
            yield effect(EffectKind.BUFFER_GROWS, block.path, filled, 0.75, name=name, beside=(block.heading,))
    line = _first(_NO_BOUND, block)
    if line and not _NO_BOUND.search(gone):
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, 0.6, beside=(block.heading,))
    line = _first(_TICKER, block)
    if line and _count(_TICKER, come) > _count(_TICKER, gone) and not _STOPPED.search(come):
        is_once = not runs_per_request(block.heading, block.new, block.new.index(line))
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, 0.15 if is_once else 0.4, beside=(block.heading,))
    line = _first(_WHOLE, block)
    if line and _count(_WHOLE, come) > _count(_WHOLE, gone):
        was_stream = _STREAM.search(gone) and _count(_STREAM, come) < _count(_STREAM, gone)
        strength = 0.8 if was_stream else 0.15 if _LIST.search(line) else 0.3
        yield effect(EffectKind.LOADS_ALL, block.path, line, strength, beside=(block.heading,))


def _growing(block: Block, come: str) -> Iterator[tuple[str, str]]:
    """Yield containers that outlive a request and that added lines put something into."""
    for line in changed_lines(block)[1]:
        match = _CONTAINER.match(line.strip())
        name = match[1] if match else ""
        outlives = not line.startswith((" ", "\t")) or "static" in line or name.startswith(("self.", "this.", "@"))
        if name and (outlives or re.match(r"\s+private\b.*\bfinal\b", line)):
            short = re.escape(name.removeprefix("self.").removeprefix("this."))
            fills = (
                rf"(?:\b|[@$]){short}(?:\[[^\]]+\]\s*=[^=]|\.(?:put|set|add|append|push|insert|"
                rf"computeIfAbsent|Add)\b|\s*<<|\[\]\s*=)|append\({short},"
            )
            if filled := re.search(fills, come):
                yield name, next((text for text in block.added if filled.group() in text), line)
