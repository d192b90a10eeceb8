"""Memory that grows with each request: what is kept for ever, listeners never taken off, tasks that never end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from detection.types import SymptomKind
from workers.diagnosis.changes.effects import Delay, Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import Consequence, effect
from workers.diagnosis.changes.text.patches import Block, changed_lines
from workers.diagnosis.changes.text.serving import runs_per_request
from workers.diagnosis.changes.text.words import word_set, words_of

TASKS_PILE_UP = Consequence(
    frozenset(map(SymptomKind, ("memory", "garbage_collection", "threads", "cpu", "restarts", "latency", "crash"))),
    frozenset(),
    Delay.GROWS,
)

_OWNER = r"(?P<owner>(?:\bself|\bthis)\s*(?:\.|->)\s*|\$this->|@@?|(?<![\w.])_|(?<![\w.])(?P<receiver>[a-z]\w{0,4})\.)"
_FILLS = (
    re.compile(rf"{_OWNER}(?P<name>\w+)\[(?P<key>[^\[\]]+)\]\s*(?:=(?!=)|<<|\.(?:append|push|add|Add)\()"),
    re.compile(
        rf"{_OWNER}(?P<name>\w+)(?:\.\w+\(\)(?:\.unwrap\(\))?)*\."
        r"(?:put|set|Set|Store|setdefault|computeIfAbsent|TryAdd|putIfAbsent|insert)\((?P<key>[^,()]+(?:\(\))?),"
    ),
    re.compile(
        rf"{_OWNER}(?P<name>\w+)(?:\.\w+\(\)(?:\.unwrap\(\))?)*"
        r"\.(?:append|push|add|Add|addLast|offer|push_back|unshift|enqueue|Enqueue|insert)\((?P<value>[^,]*)\)"
    ),
    re.compile(rf"{_OWNER}(?P<name>\w+)\s*=\s*append\("),
    re.compile(r"(?P<owner>@@?|\$this->)(?P<name>\w+)(?:\[\]\s*=|\s*<<)"),
)
_REMEMBERS = re.compile(
    r"(?<![\w.])(?P<name>requests|history|recent\w*|captured\w*|audit_?[lL]og|audit_?[tT]rail)"
    r"(?:\.(?:append|push|add|unshift)\(|\[[^\[\]]+\]\s*=(?!=)|\s*<<)"
)
_UNBOUNDED = word_set(
    "id uuid guid user userid request req session token email ip addr address trace correlation url uri path query "
    "order cart message msg customer visitor client fingerprint hash digest key timestamp now time offset name"
)
_FEW_KEYS = word_set(
    "country currency language locale method status kind type region zone tier plan level state code category"
)
_NO_STORE = word_set(
    "redis memcached memcache client header headers response res request req params form query span attributes tags "
    "labels metrics config options props style state body cookies session store storage db repo repository registry "
    "builder writer logger log output errors validator args ctx context queue kv consul etcd bucket pool executor"
)
_DRAINED = word_set("buffer buf batch pending outbox backlog channel queue queued staged dirty waiting todo")
_KEEPS = word_set(
    "history recent seen handled processed served requests audit trail log captured known past archive records "
    "recorded sessions users clients inflight cache memo tracked all visited last"
)
_COMES_IN = word_set("req request env message msg ctx context session response body payload user customer call")
_GATHERS = word_set(
    "tokens lines nodes children rows parts items steps stack changes events errors warnings fields columns args "
    "parameters filters attributes written results values names pieces frames tests cases segments"
)
_BOUND = re.compile(
    r"evict|\bdelete\b|\.delete\(|\bremove\w*\(|\bdel\s|\.pop|limit|max_?(?:size|len|entries|items)|\bMAX_|\blru\b|LRU|"
    r"ttl|TTL|expir|\.clear\(|\btrim|\.shift\(|capacity|\bring|circular|prune|sweep|weak|Weak|"
    r"len\([\w.]+\)\s*[>=]|\.size\(?\)?\s*>|\.length\s*>|\.Count\s*>|\bflush\w*\(|drain|\.slice\(-|\[-\d+:\]|"
    r"TryRemove|Dequeue|\.poll\("
)
_TAKES_FROM = re.compile(r"(?P<name>\w+)\.(?:delete|remove|pop|shift|TryRemove)\(")
_LISTENS = re.compile(
    r"(?P<owner>[A-Za-z_$][\w.$]*)\.(?:on|addListener|addEventListener|addObserver|subscribe|Subscribe|AddHandler|"
    r"addHandler|add_listener|connect)\(\s*(?:[\"'`\w.&]|\(|new )"
)
_ADDS_HANDLER = re.compile(r"^\s*(?P<owner>[\w.]+)\.\w+\s*\+=\s*(?:On\w+|\w*Handler\w*|\(\w+, \w+\)\s*=>)")
_SHORT_LIVED = word_set(
    "req request res response socket ws websocket stream reader writer child proc process conn connection xhr file "
    "upload server app router io spy mock db client session engine driver sqlite psycopg mongoose element button el "
    "document input form signal"
)
_TAKEN_OFF = re.compile(
    r"\.off\(|remove\w*Listener|removeObserver|[uU]nsubscribe|\bonce\(|disconnect\(|dispose|Dispose|takeUntil|"
    r"AbortController|signal\s*[:}]|-=|RemoveHandler|remove_listener|\bclose\(|\.Close\(|cancel\(|\.first\(\)|"
    r"pipe\(take|firstValueFrom|\busing\b|\bwith\b"
)
_TASK = re.compile(
    r"\bgo\s+(?:func|[\w.]+\()|setInterval\(|time\.(?:NewTicker|Tick)\(|scheduleAtFixedRate\(|new Timer\("
)
_REPEATS = re.compile(r"setInterval\(|time\.(?:NewTicker|Tick)\(|scheduleAtFixedRate\(|^\s*for\s*(?:\{|range time\.)")
_ENDS = re.compile(
    r"clearInterval|\.Stop\(\)|\.Done\(\)|\.shutdown|\.cancel\(|cancel\(\)|<-\s*(?:done|quit|stop)|\.close\(|return\b.*err"
)
_UNBUFFERED = re.compile(r"make\(chan [^,()]+\)")
_EVICTS = re.compile(
    r"evict\w*|\bdelete\(\s*[\w.]+\s*,|\.delete\(|\bdel\s+(?:self\.)?\w+\[|(?:self|this)\.\w+\.(?:remove|pop|popitem|shift|"
    r"clear)\(|\.(?:removeEldestEntry|popleft|TryRemove)\b"
)


def growth_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the commit keeps, listens to or starts for each request without an end."""
    changed = [changed_lines(block) for block in blocks]
    gone = "\n".join(line for removed, _ in changed for line in removed)
    found: list[Effect] = []
    for block, (removed, added) in zip(blocks, changed, strict=True):
        for line in added:
            found += _kept(block, line, gone)
            found += _listened(block, line, gone)
            found += _started(block, line, gone)
        found += _no_longer_dropped(block, removed, added)
    return found


def _position(block: Block, line: str) -> int:
    return block.new.index(line)


def _kept(block: Block, line: str, gone: str) -> Iterator[Effect]:
    """Find what a request puts into a container of a long-lived object."""
    match = next((found for pattern in _FILLS if (found := pattern.search(line))), None) or _REMEMBERS.search(line)
    if match is None or not _outlives(match, block) or _is_bounded(match["name"], block.new):
        return
    name = match["name"]
    if re.search(rf"\b{re.escape(name)}\b\s*(?:\[[^\]]+\]\s*=|\.\w+\(|=\s*append|<<)", gone):
        return
    if not runs_per_request(block.heading, block.new, _position(block, line)):
        return
    strength = _strength_of(match.groupdict(), words_of(name))
    if strength:
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, strength, name=name, beside=(block.heading,))


def _is_bounded(name: str, lines: Sequence[str]) -> bool:
    """Whether anything speaks of a bound; that entries are taken from another container bounds that one."""
    others = (_TAKES_FROM.search(line) for line in lines)
    return any(
        _BOUND.search(line) and (taken is None or words_of(taken["name"]) & words_of(name))
        for line, taken in zip(lines, others, strict=True)
    )


def _outlives(match: re.Match[str], block: Block) -> bool:
    """Whether a container belongs to an object that lives on: a field, not an answer, a client or a local."""
    if words_of(match["name"]) & _NO_STORE:
        return False
    groups = match.groupdict()
    if "owner" not in groups:
        defined = rf"\b{re.escape(match['name'])}\b\s*(?::[^=]+)?:?=|\(.*\b{re.escape(match['name'])}\b.*\)\s*[:{{]"
        return not any(re.search(defined, line) for line in (block.heading, *block.new))
    receiver = groups.get("receiver")
    if receiver is None:
        return True
    return bool(re.search(rf"\bfunc \({re.escape(receiver)}\s+\*", "\n".join((block.heading, *block.new))))


def _strength_of(groups: Mapping[str, str | None], name: frozenset[str]) -> float:
    """Return how surely a container grows without end: by what its entries are kept under, or what it is called."""
    key, value = groups.get("key"), groups.get("value")
    if name & _DRAINED:
        return 0.2
    if key is None:
        return 0.7 if name & _KEEPS else 0.45 if words_of(value or "") & _COMES_IN and not name & _GATHERS else 0.2
    if re.match(r"\s*(?:[\"'`]|\d|[A-Z_]+\s*$|:\w+)", key):
        return 0.0
    words = words_of(key)
    if words & _FEW_KEYS:
        return 0.0
    strength = 0.75 if words & _UNBOUNDED else 0.3
    return min(strength, 0.35) if words == {"key"} else strength


def _listened(block: Block, line: str, gone: str) -> Iterator[Effect]:
    match = _LISTENS.search(line) or _ADDS_HANDLER.search(line)
    if match is None or words_of(match["owner"]) & _SHORT_LIVED or _LISTENS.search(gone):
        return
    if _TAKEN_OFF.search("\n".join(block.new)) or not line.startswith((" ", "\t")):
        return
    if runs_per_request(block.heading, block.new, _position(block, line)):
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, 0.7, name=match["owner"][-60:], beside=(block.heading,))


def _started(block: Block, line: str, gone: str) -> Iterator[Effect]:
    """Find tasks that a request starts and that repeat for ever, or wait for a reader that may have left."""
    if not _TASK.search(line) or _TASK.search(gone):
        return
    if not runs_per_request(block.heading, block.new, _position(block, line)):
        return
    place = _position(block, line)
    body = "\n".join(block.new[place : place + 8])
    repeats = any(_REPEATS.search(text) for text in block.new[place : place + 4])
    stuck = _UNBUFFERED.search("\n".join(block.new)) and "<-" in body and ".Done()" in "\n".join(block.new)
    if (repeats and not _ENDS.search("\n".join(block.new))) or stuck:
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, 0.7, beside=(block.heading,), consequence=TASKS_PILE_UP)


def _no_longer_dropped(block: Block, removed: Sequence[str], added: Sequence[str]) -> Iterator[Effect]:
    """Find entries that were dropped from a container, and now stay."""
    line = next((text for text in removed if _EVICTS.search(text)), None)
    if line is None or any(_EVICTS.search(text) or _BOUND.search(text) for text in added):
        return
    if any(
        re.search(r"\bdelete from\b|\.delete\(\s*[\"'`/]|(?:client|http|session|repo\w*|db|api)\w*\.delete", text, re.I)
        for text in removed
    ):
        return
    if block.new and any(sign == " " for sign, _ in block.lines):
        yield effect(EffectKind.BUFFER_GROWS, block.path, line, 0.75, beside=(block.heading,))
