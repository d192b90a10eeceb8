"""Locks that are taken in another order than before: two requests can then each wait for the other.

To take locks everywhere in one order is the usual way to keep deadlocks out (Coffman et al., "System Deadlocks", 1971:
circular wait). So a change of the order in one place is a risk to all the others that kept the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.rules.removals import DEFINES
from workers.diagnosis.changes.text.patches import Block, changed_lines

_OF_CODE = re.compile(
    r"(?P<held>\w+(?:\.\w+)*)\.(?:Lock|lock|acquire|Acquire)\(\)|synchronized\s*\((?P<monitor>[\w.]+)\)"
)
_OF_ROWS = re.compile(
    r"(?P<rows>\w+)\.(?:lock\w+|\w*[fF]or_?[uU]pdate|select_for_update|with_lock|with_for_update)\(|"
    r"(?:FROM|from)\s+(?P<from>[\w.\"`]+)[^;]{0,200}?\b(?:FOR UPDATE|for update)\b|"
    r"\bLOCK TABLES?\s+(?P<table>[\w.\"`]+)",
)
_SORTED = re.compile(
    r"\bsort\w*\(|\.sort\w*\b|\bOrderBy\(|ORDER BY|order_by\(|sorted\w*\(|Collections\.sort", re.IGNORECASE
)
_OTHER_ORDER, _NO_ORDER = 0.75, 0.65


def lock_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return where locks are taken in another order, or what was sorted before it was locked no longer is."""
    return [found for block in blocks for found in (*_reordered(block), *_unsorted(block))]


def _reordered(block: Block) -> Iterator[Effect]:
    before, after = _taken(block.old), _taken(block.new)
    if any(DEFINES.search(line) for line in block.removed):
        # A whole function that moves takes its locks with it.
        return
    both = [name for name in before if name in after]
    now = [name for name in after if name in both]
    if len(both) > 1 and both != now:
        line = f"locks {', '.join(now)}, and before {', '.join(both)}"
        yield effect(EffectKind.LOCK_ADDED, block.path, line, _OTHER_ORDER, beside=(block.heading, *now))


def _unsorted(block: Block) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    was = next((line for line in removed if _SORTED.search(line) and _locks(line)), None)
    if was and _taken(added) and not any(_SORTED.search(line) for line in added):
        line = next(line for line in added if _locks(line))
        yield effect(EffectKind.LOCK_ADDED, block.path, line, _NO_ORDER, beside=(block.heading, was))


def _locks(line: str) -> bool:
    return bool(_OF_CODE.search(line) or _OF_ROWS.search(line))


def _taken(lines: Sequence[str]) -> list[str]:
    """Return what the lines lock, each once, in the order in which it is first locked."""
    found = (
        next(name for name in match.groupdict().values() if name)
        for line in lines
        for pattern in (_OF_CODE, _OF_ROWS)
        for match in pattern.finditer(line)
    )
    return list(dict.fromkeys(found))
