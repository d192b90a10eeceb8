"""How many changes were looked at, so that "none of them" can be cited."""

from __future__ import annotations

from integrations.text import Markup, listed, ours
from workers.diagnosis.causes.suspects import ChangesKnown
from workers.diagnosis.model import INCIDENT, Evidence, Outcome
from workers.diagnosis.scene.live_changes import CHANGES_SECONDS
from workers.words.text import counted, number


def changes_known(known: ChangesKnown) -> Evidence | None:
    """Return how many deploys, commits without a deploy, and flags are known; None without any."""
    if not known.count():
        return None
    kinds = ((known.deploys, "deploy"), (known.commits_alone, "commit"), (known.flags, "flag"))
    counts: list[Markup] = [ours("{count}", count=counted(count, noun)) for count, noun in kinds if count]
    result = ours(
        "Looked at {changes} of the {hours} h before it and since: {counts}.",
        changes=counted(known.count(), "change"),
        hours=number(CHANGES_SECONDS / 3600),
        counts=listed(counts),
    )
    return Evidence(
        check="changes_known",
        hypothesis_key=INCIDENT,
        query="changes_known",
        source="changes",
        result=result,
        data={"deploys": known.deploys, "commits_alone": known.commits_alone, "flags": known.flags},
        outcome=Outcome.DATA,
        weight=0.0,
    )
