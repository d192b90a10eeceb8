"""Whether there is enough data to judge a monitored object; insufficient data is its own state and never means OK."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from detection.types import Subject


class WatchState(StrEnum):
    """The state of a monitored object."""

    OK = "ok"
    BROKEN = "broken"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class Need:
    """The amount of data that a detector needs before it judges: `have` of `needed`, in `unit`, over a period.

    Need(40, 100, "entries", "in the last 30 min") reads "40 of 100 entries needed in the last 30 min".
    """

    have: float
    needed: float
    unit: str
    over: str = ""

    @property
    def is_met(self) -> bool:
        """Whether there is enough data."""
        return self.have >= self.needed

    @property
    def text(self) -> str:
        """The need as text; amounts are rounded down, so that too little never reads as enough."""
        have = f"{int(self.have):,}" if self.have >= 1 else f"{int(self.have * 10) / 10:g}"
        return f"{have} of {self.needed:,.0f} {self.unit} needed {self.over}".rstrip()


@dataclass(frozen=True, slots=True)
class Watched:
    """A monitored object and its state.

    reason: the missing data, or who closed the incident about it while it was broken; else empty.
    """

    subject: Subject
    state: WatchState
    reason: str = ""


def watched(subject: Subject, needs: Sequence[Need]) -> Watched:
    """Return the state of one object: OK when all needs are met, else insufficient data with the unmet needs."""
    missing = [need.text for need in needs if not need.is_met]
    if not missing:
        return Watched(subject, WatchState.OK)
    return Watched(subject, WatchState.INSUFFICIENT_DATA, "; ".join(missing))


def thing(subject: Subject) -> Hashable:
    """Return the key of the monitored object, whatever the metric: a drop and a rise of one funnel share it."""
    if subject.funnel_id is not None:
        return "funnel", subject.funnel_id, subject.dimension, subject.value
    if subject.endpoint is not None:
        return "endpoint", subject.service, subject.endpoint
    if subject.kind.startswith("log"):
        return "logs", subject.service
    return subject.kind, subject.service, subject.name


def label(subject: Subject) -> str:
    """Return the display name of a monitored object: "Sign-up (country DE)", "shop POST /checkout"."""
    name = f"{subject.service} {subject.name}" if subject.service and subject.service != subject.name else subject.name
    return f"{name} ({subject.dimension} {subject.value})" if subject.dimension else name


def with_broken(states: Sequence[Watched], broken: Collection[Subject]) -> list[Watched]:
    """Mark the objects that are broken now; add broken ones that have no state of their own (external alerts)."""
    things = {thing(subject): subject for subject in broken}
    marked = [
        replace(one, state=WatchState.BROKEN, reason="") if things.pop(thing(one.subject), None) is not None else one
        for one in states
    ]
    return marked + [Watched(subject, WatchState.BROKEN) for subject in things.values()]
