"""The state of each part, from all its signs: is it harmed, since when, and does it show where it began."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.chain.names import Names
from detection.chain.observed import HARM, LOAD, OUTWARD, USAGE, Sign
from detection.types import SymptomKind

_CLOCKS_AND_GRAIN_SECONDS = 45.0
_LEAST_CHANCE = 1e-4
_ITS_OWN = re.compile(r"evict|flush|restart|cold|warm|oom|fail|items|keys|entries|objects", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Interval:
    """When something began: between these, seconds UTC."""

    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class State:
    """One part. harmed, loaded: since when it is not well, and since when it has more work; None if it is not so.

    told_by: the parts whose trouble tells of this one's, where it shows no sign itself. complaints: whom each sign of
    harm names, and when it began. over: when all its signs of harm had ended; None if one lasts, or may.
    """

    part: str
    kinds: frozenset[SymptomKind]
    harmed: Interval | None
    loaded: Interval | None
    kind_onsets: dict[SymptomKind, Interval]
    size: float
    told_by: frozenset[str] = frozenset()
    complaints: tuple[tuple[frozenset[str], Interval], ...] = ()
    over: float | None = None

    def harmed_beside(self, part: str) -> Interval | None:
        """Since when it is not well for all that is known of `part`: trouble that names only others is about those."""
        about = [onset for named, onset in self.complaints if not named or part in named]
        return _first(about) or self.harmed

    def harmed_but_for(self, part: str) -> Interval | None:
        """Since when it is not well for all that does not name only `part`, which such trouble is about."""
        others = [onset for named, onset in self.complaints if named != {part}]
        return _first(others) if self.complaints else self.harmed

    @property
    def own_kinds(self) -> frozenset[SymptomKind]:
        """Kinds of harm that a failing dependency does not bring about by itself."""
        return (self.kinds & HARM) - OUTWARD

    @property
    def only_uses(self) -> bool:
        """Whether it shows nothing but that it uses much."""
        return bool(self.kinds) and self.kinds <= USAGE


def states_of(signs: Iterable[Sign], names: Names) -> dict[str, State]:
    """Return the state of each part with signs.

    Where metrics, logs or events speak for anything, traces alone make no part a harmed one: a few sampled spans do not
    tell how many requests failed.
    """
    groups: dict[str, list[Sign]] = {}
    for sign in signs:
        groups.setdefault(names(sign.part), []).append(sign)
    if any(sign.source != "trace" for group in groups.values() for sign in group):
        groups = {part: group for part, group in groups.items() if any(sign.source != "trace" for sign in group)}
    return {part: _state(part, _without_traces(group), names) for part, group in groups.items()}


def _without_traces(group: list[Sign]) -> list[Sign]:
    return [sign for sign in group if sign.source != "trace"] or group


def _state(part: str, signs: Sequence[Sign], names: Names) -> State:
    onsets = {}
    for kind in {sign.kind for sign in signs}:
        first = _first(sign for sign in signs if sign.kind is kind)
        if first is not None:
            onsets[kind] = first
    harm = HARM - {SymptomKind.CACHE_MISSES} if _is_asked_otherwise(signs) else HARM
    return State(
        part,
        frozenset(onsets),
        _first(sign for sign in signs if sign.kind in harm),
        _first(sign for sign in signs if sign.kind in LOAD),
        onsets,
        max((sign.size for sign in signs), default=0.0),
        complaints=tuple(
            (frozenset(map(names, sign.blames)), Interval(sign.earliest, sign.latest))
            for sign in signs
            if sign.kind in harm
        ),
        over=_over([sign for sign in signs if sign.kind in harm]),
    )


def _over(signs: Sequence[Sign]) -> float | None:
    ends = [sign.ended_at for sign in signs]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _is_asked_otherwise(signs: Sequence[Sign]) -> bool:
    """Whether a part misses more of what it is asked for and is well: who asks for other things, or throws them away.

    A cache that evicts, expires early, starts empty or holds fewer things says so by itself.
    """
    kinds = {sign.kind for sign in signs}
    return kinds - LOAD == {SymptomKind.CACHE_MISSES} and not any(_ITS_OWN.search(sign.text) for sign in signs)


def _first(signs: Iterable[Sign | Interval]) -> Interval | None:
    """Return when the first of the signs began: by the first that is certain, perhaps as early as any that may be.

    The first line that was kept says only that it had begun by then; a metric with an older sample says since when.
    """
    known = list(signs)
    if not known:
        return None
    return Interval(min(sign.earliest for sign in known), min(sign.latest for sign in known))


def order(first: Interval, then: Interval) -> float:
    """Return the log of how much likelier than by toss-up `first` began before `then`, at most log 2.

    Each began somewhere in its interval; clocks and the grain of the samples blur both.
    """
    middle = (then.earliest + then.latest - first.earliest - first.latest) / 2
    widths = ((first.latest - first.earliest) ** 2 + (then.latest - then.earliest) ** 2) / 12
    spread = math.sqrt(widths + _CLOCKS_AND_GRAIN_SECONDS**2)
    chance = 0.5 * math.erfc(-middle / spread / math.sqrt(2))
    return math.log(max(chance, _LEAST_CHANCE) / 0.5)
