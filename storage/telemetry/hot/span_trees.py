"""Which request a span worked for: its nearest ancestor server span within the trace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.types import Integers, SpanKind

Member = tuple[str, str, str | None, str]
"""trace_id, span_id, parent_span_id, kind."""

_DOUBLINGS = 20


def nearest_servers(members: Sequence[Member]) -> Integers:
    """For each span the position in `members` of its nearest server span (a server's is itself), -1 where none is.

    Pointer jumping (Wyllie, 1979): every pass doubles how far up each span looks, so a trace of depth d takes log2(d)
    passes over all spans at once. A trace whose parents go round in a circle finds no server and comes to an end too.
    """
    nowhere = len(members)
    position = {(trace, span): index for index, (trace, span, _, _) in enumerate(members)}
    is_server = np.array([kind == SpanKind.SERVER for _, _, _, kind in members] + [False])
    upwards = np.array(
        [
            index if kind == SpanKind.SERVER else position.get((trace, parent or ""), nowhere)
            for index, (trace, _, parent, kind) in enumerate(members)
        ]
        + [nowhere],
        dtype=np.int64,
    )
    for _ in range(_DOUBLINGS):
        further = upwards[upwards]
        if np.array_equal(further, upwards):
            break
        upwards = further
    found: Integers = np.where(is_server[upwards], upwards, -1)[:-1]
    return found


def database_counts(members: Sequence[Member]) -> dict[tuple[str, str], int]:
    """How many database spans each request had, by (trace_id, span_id) of its server span; 0 for the missing."""
    servers = nearest_servers(members)
    is_database = np.array([kind == SpanKind.DATABASE for _, _, _, kind in members], dtype=bool)
    owners, counts = np.unique(servers[is_database & (servers >= 0)], return_counts=True)
    return {members[owner][:2]: count for owner, count in zip(owners.tolist(), counts.tolist(), strict=True)}
