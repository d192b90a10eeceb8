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
