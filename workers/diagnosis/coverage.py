"""What a diagnosis could check: which sources had data, which were empty, and which could not be asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from integrations.cards import NOTHING
from integrations.text import Markup, listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.connecting import suggestion
from workers.diagnosis.source_states import Source, SourceState

_NEEDED = {"metrics": 0.15, "logs": 0.06, "commits": 0.15, "deploys": 0.15}
"""How much the highest confidence falls where a source that usually decides has nothing to say."""

_INSTEAD = {"metrics": ("requests",), "logs": ("log signatures",)}
"""Sources that say much the same as another."""


def coverage(sources: Sequence[Source], causes: Collection[str] = ()) -> Markup:
    """Return one line: what was checked, was empty, could not be reached, and what would be worth connecting.

    causes: the kinds of cause that are likely, on which a source that is missing would throw light.
    """
    if not sources:
        return NOTHING
    parts = []
    for state, words in (
        (SourceState.DATA, "checked"),
        (SourceState.EMPTY, "nothing in"),
        (SourceState.FAILED, "could not reach"),
    ):
        names = [theirs(source.name) for source in sources if source.state is state and _is_told(source)]
        if names:
            parts.append(ours("{words} {names}", words=words, names=listed(names)))
    line = listed(parts, "; ")
    return ours("Coverage: {line}.{suggestion}", line=line, suggestion=suggestion(sources, causes))


def _is_told(source: Source) -> bool:
    """Whether a source belongs into the line: that nothing like it happened earlier is nobody's gap."""
    return source.state is not SourceState.EMPTY or not source.name.startswith("earlier ")


def most_confident(sources: Sequence[Source]) -> float:
    """Return the highest confidence that these sources allow, 0 to 1: what was not seen cannot speak against."""
    if not sources:
        return weights.MOST_CONFIDENT
    known = {source.name for source in sources if source.state is SourceState.DATA}
    lacking = [
        loss for name, loss in _NEEDED.items() if name not in known and not known.intersection(_INSTEAD.get(name, ()))
    ]
    return max(weights.MOST_CONFIDENT - sum(lacking), 0.3)
