"""Whether a watched thing can be judged at all: `insufficient data` is a state of its own, never taken for health."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from detection.types import Subject


class WatchState(StrEnum):
    """What can be said of a watched thing by now."""

    OK = "ok"
    BROKEN = "broken"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class Need:
    """What a detector needs before it judges: `have` of `needed`, of what `unit`, over which stretch of time.

    Need(40, 100, "entries", "in the last 30 min") reads "40 of 100 entries needed in the last 30 min".
    """

    have: float
    needed: float
    unit: str
    over: str = ""

    @property
    def is_met(self) -> bool:
        """Whether there is as much as is needed."""
        return self.have >= self.needed

    @property
    def text(self) -> str:
        """The need in words and numbers; rounded down, so that what is short never reads as enough."""
        have = f"{int(self.have):,}" if self.have >= 1 else f"{int(self.have * 10) / 10:g}"
        return f"{have} of {self.needed:,.0f} {self.unit} needed {self.over}".rstrip()


@dataclass(frozen=True, slots=True)
class Watched:
    """One watched thing, its state, and in words what it lacks; `reason` is empty unless data is insufficient."""

    subject: Subject
    state: WatchState
    reason: str = ""


def watched(subject: Subject, needs: Sequence[Need]) -> Watched:
    """Judge one thing by what its detector needs: ok when all needs are met, else insufficient data and what lacks."""
    missing = [need.text for need in needs if not need.is_met]
    if not missing:
        return Watched(subject, WatchState.OK)
    return Watched(subject, WatchState.INSUFFICIENT_DATA, "; ".join(missing))


def thing(subject: Subject) -> Hashable:
    """What a subject is about, whichever of its measures is meant: a drop and a rise of one funnel are one thing."""
    if subject.funnel_id is not None:
        return "funnel", subject.funnel_id, subject.dimension, subject.value
    if subject.endpoint is not None:
        return "endpoint", subject.service, subject.endpoint
    if subject.kind.startswith("log"):
        return "logs", subject.service
    return subject.kind, subject.service, subject.name


def label(subject: Subject) -> str:
    """What a watched thing is called: "Sign-up (country DE)", "shop POST /checkout"."""
    name = f"{subject.service} {subject.name}" if subject.service and subject.service != subject.name else subject.name
    return f"{name} ({subject.dimension} {subject.value})" if subject.dimension else name


def with_broken(states: Sequence[Watched], broken: Collection[Subject]) -> list[Watched]:
    """Mark what is broken now; a broken thing without a state of its own (an alert from outside) is added."""
    things = {thing(subject): subject for subject in broken}
    marked = [
        replace(one, state=WatchState.BROKEN, reason="") if things.pop(thing(one.subject), None) is not None else one
        for one in states
    ]
    return marked + [Watched(subject, WatchState.BROKEN) for subject in things.values()]
