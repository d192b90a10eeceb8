"""Consumers that take their messages one after another now, and were many or took many at once before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import FALLS_BEHIND, effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_MESSAGES = re.compile(
    r"\b(?:msgs?|messages?|deliver(?:y|ies)|jobs?|events?|records?|tasks?|consumer\w*|subscri\w+|queue\w*|worker\w*|"
    r"partitions?|topic\w*|stream|payloads?|envelopes?|batch(?:es)?)\b",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(
    r"\bgo\s+(?:func|[\w.]+\()|\.Go\(|pool\.(?:New|Submit|submit|Invoke|map|imap\w*|starmap)\(|\.submit\(|Promise\.all|"
    r"asyncio\.(?:gather|create_task|ensure_future|TaskGroup)|Parallel\.|Task\.(?:WhenAll|Run)|parallelStream|join_all|"
    r"tokio::spawn|thread::spawn|ThreadPoolExecutor|ProcessPoolExecutor|CompletableFuture\.(?:run|supply)Async|"
    r"newFixedThreadPool|supplyAsync|flatMap\([^)]*,\s*\d+\)|mapAsync\w*\(|\bp[Mm]ap\(|buffer_unordered|for_each_concurrent|"
    r"Thread\.new|executor\.execute\(|\.parallel\(|Sidekiq::Client\.push_bulk"
)
_MANY = re.compile(
    r"\w*(?:[bB]atch|[mM]any|[bB]ulk|[aA]ll)\w*\(|executemany\(|\.pipelined?\(|[sS]end[mM]essages?\w*\(|copy_from|CopyFrom"
)
_ONE = re.compile(
    r"\w*(?:One|_one|Single|_single|execute|insert|save|publish|send|put|write|index|handle|process)\w*\("
)
_LOOP = re.compile(r"^\s*(?:async\s+)?(?:for|foreach|while|loop)\b|\.(?:forEach|each)\b")


def consumer_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return where many were worked on at once before, and each waits for the one before it now."""
    found: list[Effect] = []
    come = "\n".join(line for block in blocks for line in changed_lines(block)[1])
    for block in blocks:
        removed, added = changed_lines(block)
        about = (block.heading, *block.old, block.path)
        if not added or not any(_MESSAGES.search(line.replace("_", " ")) for line in about):
            continue
        was = next((line for line in removed if _AT_ONCE.search(line)), None)
        if was and not _AT_ONCE.search(come) and _still_done(removed, added) and _repeats(block):
            found.append(_behind(block, was, 0.85))
            continue
        was = next((line for line in removed if _MANY.search(line)), None)
        loops = any(_LOOP.search(line) for line in added) and any(_ONE.search(line) for line in added)
        if was and loops and not _MANY.search(come):
            found.append(_behind(block, was, 0.7))
    return found


def _still_done(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether the same function is called now without the hands that shared the work."""
    names = {name for line in removed for name in re.findall(r"[A-Za-z_]\w{2,}", line)}
    return any(names & set(re.findall(r"[A-Za-z_]\w{2,}(?=\()", line)) for line in added)


def _repeats(block: Block) -> bool:
    """Whether the work is done again and again: in a loop, or by a consumer's callback."""
    lines = (block.heading, *block.new)
    return any(_LOOP.search(line) for line in lines) or any(
        re.search(r"\b(?:consume|receive|handle|process|poll|on_?message|run|listen|subscribe)\w*", line, re.IGNORECASE)
        for line in (block.heading, *block.new[:2])
    )


def _behind(block: Block, was: str, strength: float) -> Effect:
    return effect(
        EffectKind.POOL,
        block.path,
        was,
        strength,
        direction=-1,
        beside=(block.heading, *changed_lines(block)[1][:3]),
        consequence=FALLS_BEHIND,
    )
