"""Signs from sampled traces: which parts' spans failed, since when, and whom their error texts name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from detection.chain.names import parts_named_in
from detection.chain.observed import Sign, TraceHop
from detection.chain.seen.lines import blamed_in, kinds_of_line
from detection.types import SymptomKind


def signs_of_traces(traces: Iterable[Sequence[TraceHop]], parts: Collection[str]) -> tuple[Sign, ...]:
    """Return one sign for each part and kind of failed spans, from the first of them.

    Sampled spans show who failed for whom, not how many did: where a part has metrics or logs, those decide.
    """
    first: dict[tuple[str, SymptomKind], Sign] = {}
    for hop in sorted((hop for trace in traces for hop in trace if hop.is_error), key=lambda hop: hop.started_at):
        named = blamed_in(hop.error_text, parts_named_in(hop.error_text, parts) - {hop.part})
        for kind in kinds_of_line(hop.error_text, is_bad=True):
            known = first.get((hop.part, kind))
            blames = named | (known.blames if known else frozenset())
            at = known.latest if known else hop.started_at
            text = known.text if known and known.text else hop.error_text
            first[hop.part, kind] = Sign(hop.part, kind, at, at, 1.0, text, blames, "trace")
    return tuple(first.values())
