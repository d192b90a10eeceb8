"""Sentences that stand beside the root cause: that no change did it, and how it does harm."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from integrations.text import Markup, ours, without_full_stop
from workers.diagnosis.causes.remedies import CHANGES
from workers.diagnosis.citations import cited
from workers.diagnosis.model import Evidence, Ranked, Role
from workers.words.text import number

MOST_CHANGES_CITED = 3
MOST_MECHANISMS = 3


def no_change_sentence(count: int, ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> Markup:
    """Return "No change of these 40 explains it", citing what was looked at and what speaks against the likeliest.

    count: how many changes were looked at.
    """
    looked_at = [item.number for item in evidence if item.check == "changes_known"]
    against = [
        strongest.number
        for change in _likeliest_changes(ranked)
        if (strongest := _strongest_against(change.key, evidence)) is not None
    ]
    if count == 1:
        said = ours("The one change that is known does not explain it.")
    else:
        said = ours("No change of these {count} explains it.", count=number(count))
    return cited(said, *looked_at, *against)


def _likeliest_changes(ranked: Sequence[Ranked]) -> list[Ranked]:
    changes = [item for item in ranked if item.role is Role.ORIGIN and item.cause in CHANGES]
    return sorted(changes, key=lambda item: -item.posterior)[:MOST_CHANGES_CITED]


def _strongest_against(key: str, evidence: Sequence[Evidence]) -> Evidence | None:
    against = [item for item in evidence if item.hypothesis_key == key and item.weight < 0]
    return min(against, key=lambda item: item.weight, default=None)


def mechanism_sentences(
    ranked: Sequence[Ranked], evidence: Sequence[Evidence], already: Collection[int]
) -> Iterator[Markup]:
    """Yield "How it does harm: …" for the likeliest confirmed mechanisms, one of each kind.

    already: the evidence that the root cause cites; a mechanism that it tells is left out.
    """
    told: set[str] = set()
    for item in ranked:
        if item.role is not Role.MECHANISM or item.status != "confirmed" or item.cause in told:
            continue
        own = [found for found in evidence if found.hypothesis_key == item.key and found.weight > 0]
        if not own or any(found.number in already for found in own):
            continue
        if len(told) == MOST_MECHANISMS:
            return
        told.add(item.cause)
        strongest = max(own, key=lambda found: found.weight)
        said = ours(
            "How it does harm: {statement}: {result}.",
            statement=without_full_stop(item.statement),
            result=without_full_stop(strongest.result),
        )
        yield cited(said, strongest.number)
