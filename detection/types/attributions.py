"""The attribution of a lost conversion rate: the result of `detection.where`, stored with a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERSION_DIMENSION = "version"
"""The dimension for deploys: it is not a property of the user, and every deploy adds a new value."""

Where = tuple[tuple[str, str], ...]


class WhereVerdict(StrEnum):
    """The kind of a loss: in certain places, everywhere alike, from a changed user mix, or unclear."""

    PLACES = "places"
    EVERYWHERE = "everywhere"
    MIX = "mix"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Place:
    """A combination that broke: of `entries`, `converted` converted where `expected` were expected to.

    share_of_loss: its part of all conversions lost to falling rates, 0 to 1.
    """

    where: Where
    entries: float
    converted: float
    expected: float
    share_of_loss: float

    @property
    def rate(self) -> float:
        """The current conversion rate, 0 to 1."""
        return self.converted / self.entries if self.entries else 0.0

    @property
    def expected_rate(self) -> float:
        """The expected conversion rate, 0 to 1."""
        return self.expected / self.entries if self.entries else 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """A kind of user whose share of all entries changed.

    rate: the usual conversion rate of that kind; None if it was hardly ever seen before. effect: the resulting change
    of the overall rate.
    """

    dimension: str
    value: str
    share: float
    usual_share: float
    rate: float | None
    effect: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """The explanation of the change from `expected` to `observed`, which equals rate_effect + mix_effect, as shares.

    places: the combinations that carry the loss, the most certain first; with the verdict MIX those that broke besides.
    shifts: the parts of the mix effect, if it matters. dimensions: those that distinguished users. possible: the next
    best places, to three with those named, because wider and narrower places often explain a loss almost as well.
    """

    verdict: WhereVerdict
    observed: float
    expected: float
    rate_effect: float
    mix_effect: float
    places: tuple[Place, ...]
    shifts: tuple[Shift, ...]
    dimensions: tuple[str, ...]
    possible: tuple[Place, ...] = ()

    @property
    def is_deploys(self) -> bool:
        """Whether every place is only a version, so that the loss is about deploys."""
        return bool(self.places) and all(name == VERSION_DIMENSION for place in self.places for name, _ in place.where)
