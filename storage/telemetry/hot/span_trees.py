"""Find the request that a span worked for: its nearest ancestor server span within the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detection.types import Integers, SpanKind

_DOUBLINGS = 20


class SpanNode(NamedTuple):
    """A span's place in the tree of its trace. `kind` is the value of a SpanKind."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    kind: str


def nearest_servers(spans: Sequence[SpanNode]) -> Integers:
    """Return the index in `spans` of each span's nearest server span, or -1 if it has none: (n,).

    A server span is its own nearest one.

    Pointer jumping (Wyllie, 1979): every pass doubles how far up each span looks, so a trace of depth d takes log2(d)
    passes over all spans at once. In a trace whose parents form a cycle no server is found, and the search still ends.
    """
    nowhere = len(spans)
    position = {(span.trace_id, span.span_id): index for index, span in enumerate(spans)}
    is_server = np.array([span.kind == SpanKind.SERVER for span in spans] + [False])
    upwards = np.array(
        [
            index if span.kind == SpanKind.SERVER else position.get((span.trace_id, span.parent_span_id or ""), nowhere)
            for index, span in enumerate(spans)
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


def database_counts(spans: Sequence[SpanNode]) -> dict[tuple[str, str], int]:
    """Count the database spans of each request, by (trace_id, span_id) of its server span.

    Requests without a database span are left out.
    """
    servers = nearest_servers(spans)
    is_database = np.array([span.kind == SpanKind.DATABASE for span in spans], dtype=bool)
    owners, counts = np.unique(servers[is_database & (servers >= 0)], return_counts=True)
    requests = (spans[owner] for owner in owners.tolist())
    return {(span.trace_id, span.span_id): count for span, count in zip(requests, counts.tolist(), strict=True)}
