"""Which service calls which, by spans whose parent span is another service's and may have come in another batch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from detection.types import SpanKind
from storage.telemetry.rows.tables import spans

MOST_SPANS = 20_000
"""How many spans one look reads: the newest. A call that is made often is seen all the same."""


def calls_above(
    connection: Connection, sequence: int, up_to: int, *, arrived_since: float
) -> tuple[Sequence[tuple[str, str]], int]:
    """Return (caller, callee) of the server spans above a sequence number and up to another, each pair once.

    Also return the newest number: the next look is up to it, so that a parent that is exported after its child (a
    client's span ends after the server's) has come in. arrived_since: parents from before are not looked for, which
    keeps PostgreSQL to the newest partitions.
    """
    top = connection.scalar(select(func.max(spans.c.sequence))) or 0
    above = max(sequence, up_to - MOST_SPANS)
    if above >= up_to:
        return [], top
    child, parent = spans.alias("child"), spans.alias("parent")
    query = (
        select(parent.c.service, child.c.service)
        .join(parent, (parent.c.trace_id == child.c.trace_id) & (parent.c.span_id == child.c.parent_span_id))
        .where(
            child.c.sequence > above,
            child.c.sequence <= up_to,
            child.c.arrived_at >= arrived_since,
            child.c.kind == SpanKind.SERVER.value,
            child.c.parent_span_id.is_not(None),
            parent.c.arrived_at >= arrived_since,
            parent.c.service != child.c.service,
        )
        .distinct()
    )
    return [(caller, callee) for caller, callee in connection.execute(query)], top
