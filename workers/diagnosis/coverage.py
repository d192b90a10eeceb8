"""What a diagnosis could check: which sources had data, which were empty, and which could not be asked."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from integrations.cards import NOTHING
from integrations.text import Markup, listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.connecting import suggestion
from workers.diagnosis.source_states import Source, SourceState

_MATTERS: Mapping[str, float] = {"metrics": 0.85, "logs": 0.95, "commits": 0.85, "deploys": 0.85, "service map": 0.93}
"""What is left of the highest confidence where a source that usually decides has nothing to say."""

_MATTERS_BY_CAUSE: Mapping[str, Mapping[str, float]] = {
    **{cause: {"flags": 0.98, "traces": 0.97} for cause in ("deploy", "commit")},
    "flag": {"traces": 0.97},
    "third_party": {"traces": 0.95, "status feeds": 0.95},
    "node": {"nodes": 0.85, "orchestrator events": 0.85},
    "network": {"orchestrator events": 0.93},
    "capacity": {"nodes": 0.95, "orchestrator events": 0.95},
    "surge": {"traces": 0.97},
    "bad_data": {"logs": 0.85},
}
"""The same for what one kind of cause rests on. A source that tells nothing about a cause costs it nothing."""

_INSTEAD = {"metrics": ("requests",), "logs": ("log signatures",), "traces": ("requests",)}
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


def most_confident(sources: Sequence[Source], cause: str = "") -> float:
    """Return the highest confidence that these sources allow in a kind of cause, 0 to 1.

    What was not seen cannot speak against. Each source that a cause rests on and that has nothing to say takes its
    share; one for which another says much the same does not.
    """
    if not sources:
        return weights.MOST_CONFIDENT
    known = {source.name for source in sources if source.state is SourceState.DATA}
    silent = {source.name for source in sources} - known
    matters = {**_MATTERS, **_MATTERS_BY_CAUSE.get(cause, {})}
    lacking = [
        share for name, share in matters.items() if name in silent and not known.intersection(_INSTEAD.get(name, ()))
    ]
    return weights.MOST_CONFIDENT * math.prod(lacking)
