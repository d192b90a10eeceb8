"""Queries and calls that a change adds: in a loop, or on the way of a request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.costly import CostlyCall, costly_calls
from workers.diagnosis.changes.text.loops import looped_parts
from workers.diagnosis.changes.text.patches import Block, changed_lines

EAGER = re.compile(
    r"select_related|\bloaders?\.\w+|relations:\s*[\[{]|prefetch_related|joinedload|"
    r"selectinload|subqueryload|\.includes\(|"
    r"eager_load|\.preload\(|Preload\(|"
    r"join fetch|@EntityGraph|@BatchSize|\.Include\(|->with\(|::with\(|->load\(|DataLoader|dataloader|findAllById|"
    r"\bmget\b|mget\(|MultiGet|multi_get|batch_?get|get_?many|bulk_?(?:get|create|insert)|include:\s*[\[{]|"
    r"=\s*any\s*\(|\bin\s*\(\s*[?$:]|where_in|whereIn",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:func|def|function|fun|fn)\s+(?:\([^)]*\)\s*)?(\w+)|^\s*(?:public|private|"
    r"protected|static|async)[\w<>\[\], ]*?(\w+)\s*\("
)
_CALLED_WITH = re.compile(r"\.(\w+)\(([^()]+)\)")
_HEALTH = re.compile(r"health|ready|ping|livez|status_?check", re.IGNORECASE)
_MOST_EFFECTS = 6
_ONE_FOR_MANY = 0.15
"""One call in place of one for each item: that is how such a loop is mended."""


def call_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the queries and calls that the commit newly makes, those in loops first."""
    in_loops = list(_newly_looped(blocks))
    return [*in_loops, *_eager_loading_removed(blocks), *_newly_made(blocks, {found.name for found in in_loops})][
        : 2 * _MOST_EFFECTS
    ]


def _looped_calls(lines: Sequence[str], heading: str) -> Iterator[tuple[CostlyCall, str, bool]]:
    for text, is_chunked in looped_parts(lines, heading):
        for call in costly_calls(text):
            yield call, text, is_chunked


def _newly_looped(blocks: Sequence[Block]) -> Iterator[Effect]:
    """Find calls that run once for each item now and did not before (the N+1 of queries and requests)."""
    before = Counter(call.key for block in blocks for call, _, _ in _looped_calls(block.old, block.heading))
    queries = _functions_that_query(blocks)
    seen: set[str] = set()
    for block in blocks:
        old = sum(1 for _ in _looped_calls(block.old, block.heading))
        new = list(_looped_calls(block.new, block.heading))
        for call, text, is_chunked in new:
            if before[call.key] or call.key in seen or len(seen) >= _MOST_EFFECTS:
                continue
            seen.add(call.key)
            is_query = call.is_query or call.name.lower() in queries
            strength = 0.35 if is_chunked else 0.9 if is_query else 0.85
            strength = min(strength, 0.45) if call.is_cache else strength
            yield effect(
                EffectKind.QUERY_IN_LOOP if is_query else EffectKind.CALL_IN_LOOP,
                block.path,
                text,
                min(strength, 0.35) if len(new) <= old else strength,
                name=call.name,
                beside=(block.heading, *queries.get(call.name.lower(), ())),
            )


def _functions_that_query(blocks: Sequence[Block]) -> dict[str, tuple[str, ...]]:
    """Return the functions of the commit that query a store, with the lines that do."""
    found: dict[str, tuple[str, ...]] = {}
    for block in blocks:
        name = ""
        for text in (block.heading, *block.new):
            if defined := _DEFINES.search(text):
                name = (defined[1] or defined[2] or "").lower()
            elif name and any(call.is_query for call in costly_calls(text)):
                found[name] = (*found.get(name, ()), text)
    return found


def _eager_loading_removed(blocks: Sequence[Block]) -> Iterator[Effect]:
    """Find reads of many rows at once that are gone, so that each row is now read by itself."""
    come = "\n".join(line for block in blocks for line in block.added)
    for block in blocks:
        for line in changed_lines(block)[0]:
            match = EAGER.search(line)
            if match and not EAGER.search(come):
                yield effect(
                    EffectKind.QUERY_IN_LOOP,
                    block.path,
                    line,
                    0.75,
                    name=match.group().strip("(."),
                    beside=(block.heading,),
                )
                return


def _newly_made(blocks: Sequence[Block], told: set[str]) -> Iterator[Effect]:
    """Find calls that the commit makes more often in its text than before; a renamed receiver is the same call."""
    gone = Counter(call.name.lower() for block in blocks for line in block.removed for call in costly_calls(line))
    same_calls = {found for block in blocks for line in block.removed for found in _CALLED_WITH.findall(line)}
    all_gone, number = sum(gone.values()), 0
    was_looped = sum(1 for block in blocks for _ in _looped_calls(block.old, block.heading))
    unrolls = sum(1 for block in blocks for _ in _looped_calls(block.new, block.heading)) < was_looped
    told = told | {
        defined[1] or defined[2] for block in blocks for line in block.added if (defined := _DEFINES.search(line))
    }
    all_come = sum(1 for block in blocks for line in block.added for _ in costly_calls(line))
    for block in blocks:
        for line in block.added:
            for call in costly_calls(line):
                if any(name == call.name for name, _ in same_calls.intersection(_CALLED_WITH.findall(line))):
                    continue
                if gone[call.name.lower()]:
                    gone[call.name.lower()] -= 1
                elif call.name not in told and number < _MOST_EFFECTS:
                    number += 1
                    yield effect(
                        EffectKind.QUERY_ADDED if call.is_query else EffectKind.CALL_ADDED,
                        block.path,
                        line,
                        _ONE_FOR_MANY if unrolls else _strength_of_call(block, call, is_swap=all_come <= all_gone),
                        name=call.name,
                        beside=(block.heading,),
                    )


def _strength_of_call(block: Block, call: CostlyCall, *, is_swap: bool) -> float:
    if call.is_cache or _HEALTH.search(block.path + block.heading):
        return 0.15
    if is_swap:
        return 0.35
    on_a_known_way = any(sign != "+" for sign, _ in block.lines)
    return 0.45 if on_a_known_way else 0.3
