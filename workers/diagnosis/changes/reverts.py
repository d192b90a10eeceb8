"""Changes that put back what another had changed: the system ran with that code before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from detection.types import Commit
from workers.diagnosis.changes.text.patches import blocks_of, same

_MENDS = re.compile(r"\b(?:hot)?fix(?:e[sd])?\b|\bmitigat|\bworkaround\b|\bincident\b", re.IGNORECASE)

Lines = Counter[tuple[str, str]]


def taken_back(commit: Commit, others: Iterable[Commit]) -> Commit | None:
    """Return the earlier commit whose diff this one undoes, line by line, unless that one says that it was a mend.

    The diffs tell; what a message says of itself is no proof.
    """
    removed, added = _lines(commit)
    if not removed and not added:
        return None
    for other in others:
        if other.committed_at < commit.committed_at and _lines(other) == (added, removed):
            return None if _MENDS.search(other.message.partition("\n")[0]) else other
    return None


def _lines(commit: Commit) -> tuple[Lines, Lines]:
    """Return the removed and the added lines, each with its file."""
    blocks = blocks_of(commit.files)
    removed = Counter((block.path, same(line)) for block in blocks for line in block.removed)
    return removed, Counter((block.path, same(line)) for block in blocks for line in block.added)
