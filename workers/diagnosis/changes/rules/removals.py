"""What removed lines take away: checks of absent values, closes, protections, caches, error handling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.costly import costly_calls
from workers.diagnosis.changes.text.patches import Block, changed_lines, same

_ABSENT = re.compile(
    r"(?P<go>[A-Za-z_$@][\w.$@>\-\[\]]*?(?:\(\)[\w.]*)*)\s*(?:===?|!==?)\s*(?:nil|null|None|undefined)\b|"
    r"(?:nil|null)\s*(?:===?|!==?)\s*(?P<yoda>\$?[A-Za-z_][\w.>\-]*)|"
    r"(?P<py>[A-Za-z_][\w.\[\]\"']*)\s+is\s+(?:not\s+)?None|"
    r"(?P<rb>[@A-Za-z_][\w.]*)(?:\.|&\.)(?:nil|blank|present|empty)\?|"
    r"(?P<opt>[A-Za-z_][\w.]*)\.(?:isPresent|isEmpty|HasValue|is_some|is_none|ifPresent|is_empty)\b|"
    r"\b(?:isset|empty|is_null|Objects\.nonNull|requireNonNull)\(\s*(?P<php>[$\w.>\-\[\]'\"]+)|"
    r"\bif\s*\(?\s*(?:!|not\s+)(?P<no>[A-Za-z_$@][\w.$>\-]*)\s*\)?\s*(?:[:{]|\breturn|$|then)|"
    r"\bif\s+let\s+Some\(\w+\)\s*=\s*&?(?P<rs>[\w.]+)|"
    r"\blen\(\s*(?P<len>[\w.]+)\s*\)\s*(?:==|<|>|!=)|(?P<size>[\w.]+)\.(?:length|size\(\)|"
    r"Count)\s*(?:===?|<|>|!==?)\s*\d|"
    r",\s*(?P<ok>ok|found|exists)\s*:=|ofNullable\(\s*(?P<of>\w+)|\b(?:guard|"
    r"if)\s+let\s+(?P<sw>\w+)\s*=|(?P<chain>\))\.(?:isPresent|isEmpty|HasValue)\b",
)
_SAFE_USE = (
    (re.compile(r"(\w+)\?\.(\w+)"), "?."),
    (re.compile(r"(\w+)&\.(\w+)"), "&."),
    (re.compile(r"(?:\.get|getenv)\(\s*[\"'](\w+)[\"']"), ".get("),
    (re.compile(r"\.(?:orElse\w*|unwrap_or\w*|getOrDefault|GetValueOrDefault|fetch)\("), "or else"),
    (re.compile(r"\?\?|\|\|\s*(?:\{\}|\[\]|''|\"\"|0\b)|\?:"), "??"),
    (re.compile(r",\s*ok\s*:?=\s*\S+\.\("), "checked cast"),
)
_BARE = re.compile(
    r"\.unwrap\(\)|\.expect\(|!!\.|!!$|\w!\.\w|\bas!\s|\.get\(\)\.|\.get\(\)[;)]|"
    r":=\s*\w[\w.]*\.\(\*?\w+\)|\.first\(\)!"
)
_CLOSE = re.compile(
    r"\.close\w*\(|\.Close\(|\bcancel\(\)|\bfinally\b|\bwith\s+(?:open|\w+\.(?:open|connect|"
    r"cursor|connection|begin))\b|"
    r"\busing\s*\(|\busing var\b|\btry\s*\([\w<>]|\.release\(|\.Release\(|\.dispose\(|"
    r"\.Dispose\(|unsubscribe\(|removeListener|removeEventListener|"
    r"clearInterval|\.Stop\(\)|\.shutdown\(|\bfree\(|\.disconnect\(|\.end\(\)|pool\.put|"
    r"Unlock\(\)|\.unlock\(|\.[Rr]ollback\(|mysqli_close|fclose"
)
_PROTECTION = re.compile(
    r"rate_?limit|limiter|throttl|circuit_?breaker|\bbreaker\b|hystrix|resilience4j|bulkhead|semaphore|backpressure|"
    r"load_?shed|single_?flight|singleflight|group\.Do\(|debounce|backoff|jitter|dedup|idempoten|fallback",
    re.IGNORECASE,
)
_CACHE = re.compile(
    r"cache\w*(?:\.|->|::|\[)\s*(?:get|fetch|read|load|remember|put|set|store|\w*getor\w*)|"
    r"@Cache(?:able|d)\b|lru_cache|memoize|\bmemo\b|"
    r"Cache-Control|proxy_cache\b|\.cached\(|Rails\.cache|cached_property|@cache\b|useMemo|"
    r"redis\.(?:get|set)|Cacheable",
    re.IGNORECASE,
)
_GUARD_OF_ACCESS = re.compile(
    r"is_?authenticated|authorize|@PreAuthorize|@login_required|require_?auth|has_?permission|csrf|validate\w*\(|"
    r"\bassert\b|requireNonNull|sanitize|is_?valid",
    re.IGNORECASE,
)
_DROPPED_ERROR = re.compile(
    r"^\s*(?:_|\w+,\s*_)\s*:?=\s*\w|except\s*(?:\w+)?\s*:\s*(?:pass)?$|"
    r"catch\s*(?:\([^)]*\))?\s*\{\s*\}|rescue\s*(?:nil|$)|\.catch\(\(\)\s*=>\s*(?:\{\s*\}|"
    r"null)\)"
)
_ERROR_CHECK = re.compile(r"\berr\s*!=\s*nil|\bexcept\b|\bcatch\b|\brescue\b|\.catch\(|\?;|\btry\b")


_BOUNDS = re.compile(r"(?:len\(|\.length|\.size|\.Count|\.len\().*>")
_DROPS = re.compile(r"evict|delete|\bdel\b|\.pop|\.shift\(|\.remove|\.clear\(|trim|\.poll\(|Dequeue", re.IGNORECASE)
_ONE_CLOSE = 2
"""A close and the `finally` that it stands in."""

_CLOSES_SURELY = re.compile(
    r"\bdefer\b|\bwith\b.*:|\busing\b|\btry\s*\([\w<>]|unique_ptr|make_unique|\.use\s*\{|"
    r"\b(?:read_text|read_bytes|write_text|write_bytes|readFile\w*|ReadFile|readString|ReadAll(?:Text|Bytes|Lines))\("
)
_HELD = re.compile(
    r"^\s*(?:async\s+)?(?:with\b.*?|(?:await\s+)?using\s*\(?\s*(?:var|const|let|\w+)\s+\w+\s*=.*?|try\s*\(.*?)"
    r"(?P<opened>\w+)\((?=[^()]*(?:\([^()]*\)[^()]*)*\)\s*(?:as\b|\)|;|\{|:|,|$))"
)
_STILL_HELD = re.compile(r"\b(?:with|using|defer|enter_context|enter_async_context|aclosing|closing)\b|try\s*\(")
"""What is opened for a block, in Python, C# and Java, and what sees to it that it is closed."""

_KEPT = re.compile(
    r"^\S|^\s*(?:self|this|cls)\s*(?:\.|->)\s*\w+\s*(?::.{1,40})?=|^\s*(?:private|static|final|readonly)\b|^\s*return\b"
)
"""What is opened once and kept, or handed out to whoever closes it."""

_RECEIVER = re.compile(r"(?:[\w$@]+(?:\.|->|::))+(?=\w+\()")
_CHECKS_ELSEWHERE = re.compile(r"\b\w*(?:valid|check|ensure|verify|require|guard)\w*\(", re.IGNORECASE)
DEFINES = re.compile(
    r"^\s*(?:export\s+|pub\s+|async\s+|public\s+|private\s+|static\s+)*(?:func|def|function|"
    r"class|fn|fun)\b"
)
"""A definition that goes takes its guards with it: nothing runs any more that they guarded."""


def removed_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the commit takes away and does not put back elsewhere."""
    changed = [changed_lines(block) for block in blocks]
    come = [line for _, added in changed for line in added]
    gone = [line for removed, _ in changed for line in removed]
    found: list[Effect] = []
    for block, (removed, added) in zip(blocks, changed, strict=True):
        here = [
            *_guards(block, removed, added, gone, come),
            *_taken_away(block, removed, gone, come),
            *_opened_for_good(block, removed, come),
        ]
        if not added and any(DEFINES.search(line) for line in removed):
            here = [replace(item, strength=round(item.strength / 4, 2)) for item in here]
        found += [*here, *_errors_dropped(block, removed, added)]
    return found


@lru_cache(maxsize=4096)
def _subjects(line: str) -> tuple[str, ...]:
    """Return what a line checks for being there: "resp.ThreeDS" for `if resp.ThreeDS == nil`."""
    return tuple(next(text for text in match.groupdict().values() if text) for match in _ABSENT.finditer(line))


def _guards(
    block: Block, removed: Sequence[str], added: Sequence[str], gone: Sequence[str], come: Sequence[str]
) -> Iterator[Effect]:
    """Find checks for absent values that are gone, worst where the value is still used; and safe uses made unsafe."""
    still = {subject.rpartition(".")[2] for line in come for subject in _subjects(line)}
    fewer = sum(len(_subjects(line)) for line in gone) > sum(len(_subjects(line)) for line in come)
    for place, line in enumerate(removed):
        if _BOUNDS.search(line) and any(_DROPS.search(text) for text in removed[place : place + 3]):
            # What keeps a container small is no check for an absent value.
            continue
        for subject in _subjects(line):
            last = subject.rpartition(".")[2].rpartition(">")[2]
            if last in ("err", "error", "e", "ok", ")") or last in still or not fewer:
                continue
            after = [text for text in block.new if not _subjects(text)]
            used = any(re.search(rf"(?<![\w]){re.escape(subject)}\s*(?:\.|\[|->|!|&)", text) for text in after)
            used = used or (subject.endswith(("]", ")")) and any(subject in text for text in after))
            named = any(re.search(rf"\b{re.escape(last)}\b", text) for text in after)
            strength = 0.9 if used else 0.5 if named else 0.3
            if subject.partition(".")[0] in still or any(_CHECKS_ELSEWHERE.search(text) for text in come):
                strength /= 3
            yield effect(
                EffectKind.GUARD_REMOVED, block.path, line, strength, name=subject, beside=(block.heading, *added[:4])
            )
    for pattern, _ in _SAFE_USE:
        safe = next((line for line in removed if pattern.search(line)), None)
        if safe and added and not any(pattern.search(line) for line in come):
            match = pattern.search(safe)
            word = next((group for group in (match.groups() if match else ()) if group), "")
            if not word or any(word in line for line in added):
                yield effect(
                    EffectKind.UNCHECKED_VALUE, block.path, added[0], 0.7, name=word, beside=(block.heading, safe)
                )
                return
    bare = next((line for line in added if _BARE.search(line)), None)
    if bare and not any(_BARE.search(line) for line in gone):
        yield effect(EffectKind.UNCHECKED_VALUE, block.path, bare, 0.45, beside=(block.heading,))


def _taken_away(block: Block, removed: Sequence[str], gone: Sequence[str], come: Sequence[str]) -> Iterator[Effect]:
    for pattern, kind, strength in (
        (_CLOSE, EffectKind.CLOSE_REMOVED, 0.8),
        (_PROTECTION, EffectKind.PROTECTION_REMOVED, 0.65),
        (_CACHE, EffectKind.CACHE_REMOVED, 0.8),
        (_GUARD_OF_ACCESS, EffectKind.GUARD_REMOVED, 0.4),
    ):
        line = next((line for line in removed if pattern.search(line)), None)
        if line is None:
            continue
        before = sum(bool(pattern.search(line)) for line in gone)
        after = sum(bool(pattern.search(line)) for line in come)
        if kind is EffectKind.CACHE_REMOVED and _has_another_name(line, come):
            continue
        if kind is EffectKind.CLOSE_REMOVED and before <= _ONE_CLOSE and any(_CLOSES_SURELY.search(x) for x in come):
            continue
        if after >= before or re.match(r"\s*(?:import|from|#include|using [A-Z]|require)\b", line):
            continue
        match = pattern.search(line)
        yield effect(
            kind,
            block.path,
            line,
            strength if not after else strength / 2,
            name=match.group().strip("(. ") if match else "",
            beside=(block.heading,),
        )


def _opened_for_good(block: Block, removed: Sequence[str], come: Sequence[str]) -> Iterator[Effect]:
    """Find what was opened for a block of code, is still opened, and now by nothing closed."""
    for line in removed:
        held = _HELD.match(line)
        if held is None:
            continue
        opens = re.compile(rf"\b{re.escape(held['opened'])}\(")
        again = next((text for text in come if opens.search(text) and not _KEPT.match(text)), None)
        if again and not any(_STILL_HELD.search(text) or _CLOSE.search(text) for text in come):
            yield effect(
                EffectKind.CLOSE_REMOVED, block.path, again, 0.85, name=held["opened"], beside=(block.heading, line)
            )
            return


def _has_another_name(line: str, come: Sequence[str]) -> bool:
    """Whether the same call is made of something with another name, which is no store and no service."""
    shape = _RECEIVER.sub("·", same(line))
    return any(_RECEIVER.sub("·", same(text)) == shape and not any(costly_calls(text)) for text in come)


def _errors_dropped(block: Block, removed: Sequence[str], added: Sequence[str]) -> Iterator[Effect]:
    """Find errors that are no longer looked at."""
    dropped = next((line for line in added if _DROPPED_ERROR.search(line)), None)
    if (
        dropped
        and any(_ERROR_CHECK.search(line) for line in removed)
        and not any(_DROPPED_ERROR.search(x) for x in removed)
    ):
        yield effect(EffectKind.ERROR_HANDLING, block.path, dropped, 0.5, beside=(block.heading,))
