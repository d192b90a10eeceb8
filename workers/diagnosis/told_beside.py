"""Sentences that stand beside the root cause: that no change did it, and how it does harm."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from integrations.text import Markup, ours, without_full_stop
from workers.diagnosis import weights
from workers.diagnosis.causes.remedies import CHANGES
from workers.diagnosis.citations import cited
from workers.diagnosis.model import Evidence, Ranked, Role
from workers.words.text import likelihood, number

MOST_CHANGES_TOLD = 3
MOST_MECHANISMS = 3


def no_change_sentences(count: int, ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> Iterator[Markup]:
    """Yield "No change of these 40 explains it", then for each of the likeliest what speaks against it.

    count: how many changes were looked at.
    """
    looked_at = [item.number for item in evidence if item.check == "changes_known"]
    if count == 1:
        said = ours("The one change that is known does not explain it.")
    else:
        said = ours("No change of these {count} explains it.", count=number(count))
    likeliest = likeliest_changes(ranked)
    against = [
        reason.number for change in likeliest if (reason := _strongest_against(change.key, evidence)) is not None
    ]
    yield cited(said, *looked_at, *against)
    yield from (_held_against(change, evidence) for change in likeliest)


def likeliest_changes(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the changes that come nearest to an explanation, at most MOST_CHANGES_TOLD, likeliest first."""
    changes = [item for item in ranked if item.role is Role.ORIGIN and item.cause in CHANGES]
    return sorted(changes, key=lambda item: -item.posterior)[:MOST_CHANGES_TOLD]


def _held_against(change: Ranked, evidence: Sequence[Evidence]) -> Markup:
    """Return the change with what speaks against it; where nothing does by itself, that another cause is likelier."""
    verdict = "Ruled out" if change.status == "rejected" else "Not likely"
    sure, statement = likelihood(change.posterior), without_full_stop(change.statement)
    head = ours("{verdict} ({sure}): {statement}.", verdict=verdict, sure=sure, statement=statement)
    reason = _strongest_against(change.key, evidence)
    if reason is None:
        looked_at = [item.number for item in evidence if item.hypothesis_key == change.key]
        return cited(ours("{head} What was seen speaks more for another cause.", head=head), *looked_at)
    how = "Against it" if reason.weight <= weights.A_REASON_TO_DOUBT else "Little speaks for it"
    return cited(ours("{head} {how}: {result}", head=head, how=how, result=reason.result), reason.number)


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
