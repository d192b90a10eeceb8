"""What a diagnosis could check: which sources had data, which were empty, and which could not be asked."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from integrations.cards import NOTHING
from integrations.text import Markup, listed, ours, theirs
from workers.diagnosis import weights
from workers.diagnosis.connecting import suggestion
from workers.diagnosis.source_states import Source, SourceState

_MATTERS: Mapping[str, float] = {
    "metrics": 0.85,
    "logs": 0.95,
    "commits": 0.85,
    "deploys": 0.85,
    "service map": 0.93,
}
"""What is left of the highest confidence where a source that usually decides has nothing to say."""

_MATTERS_BY_CAUSE: Mapping[str, Mapping[str, float]] = {
    **{cause: {"flags": 0.98, "traces": 0.97} for cause in ("deploy", "commit")},
    "flag": {"traces": 0.97},
    "third_party": {"traces": 0.95, "status feeds": 0.95},
    "node": {"nodes": 0.85, "orchestrator events": 0.85},
    "network": {"orchestrator events": 0.93},
    "capacity": {"nodes": 0.95, "orchestrator events": 0.95},
    "surge": {"traces": 0.97},
    "bad_data": {"logs": 0.85, "deploys": 0.7},
    "no_fault": {"deploys": 0.7},
}
"""The same for what one kind of cause rests on. A source that tells nothing about a cause costs it nothing."""

_UNSEEN: Mapping[str, float] = {
    "metrics": 1.2,
    "deploys": 1.0,
    "commits": 0.6,
    "logs": 0.35,
    "service map": 0.25,
    "traces": 0.1,
    "orchestrator events": 0.1,
    "flags": 0.2,
    "status feeds": 0.05,
}
"""How much evidence for a rival a source holds that has nothing to say, in nats: a judgement, as the weights are.

The course of the metrics is what most often speaks against a change; so much for it, and less for the others.
"""

_UNSEEN_BY_CAUSE: Mapping[str, Mapping[str, float]] = {
    "commit": {"deploys": 1.2},
    "no_fault": {"service map": 0.6},
}
"""The same for one kind of cause: of a commit alone nobody knows whether it was live at all, and where nothing looks
broken, the map tells where to look."""

_INSTEAD: Mapping[str, tuple[str, float]] = {
    "metrics": ("requests", 0.0),
    "logs": ("log signatures", 0.7),
    "traces": ("requests", 0.0),
}
"""Sources that say much the same as another, and the share of what is unseen that the other does not show."""


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
    known, silent = _states(sources)
    matters = {**_MATTERS, **_MATTERS_BY_CAUSE.get(cause, {})}
    lacking = [share for name, share in matters.items() if name in silent and _left(name, known) == 1.0]
    return weights.MOST_CONFIDENT * math.prod(lacking)


def unseen(sources: Sequence[Source], cause: str = "", *, is_learnt: bool = False) -> float:
    """Return how much evidence for a rival these sources may hold without showing it, in nats, at least 0.

    A rival that could not be checked keeps its chance: so much is taken off the log odds of an answer, and a source
    less can only lower what is stated. is_learnt: the confidence is calibrated by outcomes, which were had without the
    sources that never gave anything; only what is away for now counts then.
    """
    known, silent = _states([source for source in sources if source.is_connected or not is_learnt])
    held = {**_UNSEEN, **_UNSEEN_BY_CAUSE.get(cause, {})}
    return sum(nats * _left(name, known) for name, nats in held.items() if name in silent)


def _states(sources: Sequence[Source]) -> tuple[set[str], set[str]]:
    """Return the names of the sources that gave data, and of those that did not."""
    known = {source.name for source in sources if source.state is SourceState.DATA}
    return known, {source.name for source in sources} - known


def _left(name: str, known: Collection[str]) -> float:
    """Return the share of a source that no other shows: 1 unless another that says much the same gave data."""
    other, share = _INSTEAD.get(name, ("", 1.0))
    return share if other in known else 1.0
