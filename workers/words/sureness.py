"""How sure a diagnosis is, in words, and how many answers that sure were right."""

from __future__ import annotations

from integrations.text import Markup, ours
from storage.models import Diagnosis
from workers.words.text import likelihood


def sureness(diagnosis: Diagnosis) -> Markup | None:
    """Return such as "99 %, and of 40 answers that sure 38 were right"; None while no cause is named."""
    if diagnosis.status != "concluded" or diagnosis.confidence is None:
        return None
    said = ours("{sure}", sure=likelihood(diagnosis.confidence))
    sure = diagnosis.checkpoints.get("confirm", {}).get("sure") or {}
    alike = sure.get("alike")
    if not alike:
        return said
    return ours(
        "{said}, and of {count} answers that sure {right} were right",
        said=said,
        count=f"{alike['count']:,}",
        right=f"{alike['right']:,}",
    )


def sure_of_no_change(diagnosis: Diagnosis) -> Markup | None:
    """Return how sure it is that no change did it, such as "92 %"; None unless that was concluded."""
    confirmed = diagnosis.checkpoints.get("confirm", {})
    chance = confirmed.get("none_confidence")
    if diagnosis.status not in ("concluded", "inconclusive") or not confirmed.get("no_change") or not chance:
        return None
    return ours("{sure} sure", sure=likelihood(chance))


def sure_fields(diagnosis: Diagnosis) -> tuple[tuple[str, Markup], ...]:
    """Return the fields of a card that say how sure a diagnosis is, of the cause and of that no change did it."""
    said = (("Confidence", sureness(diagnosis)), ("No change did it", sure_of_no_change(diagnosis)))
    return tuple((name, words) for name, words in said if words is not None)
