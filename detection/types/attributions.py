"""Where a conversion rate was lost: the answer of `detection.where`, as it is kept with a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERSION_DIMENSION = "version"
"""The dimension that tells deploys apart: it is no trait of a user, and it is new with every deploy."""

Where = tuple[tuple[str, str], ...]


class WhereVerdict(StrEnum):
    """What a loss is about: some places, all alike, other users than usual, or nothing that can be told."""

    PLACES = "places"
    EVERYWHERE = "everywhere"
    MIX = "mix"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Place:
    """A combination that broke: of `entries`, `converted` came through where `expected` should have.

    share_of_loss is its part of all conversions lost to falling rates, 0 to 1.
    """

    where: Where
    entries: float
    converted: float
    expected: float
    share_of_loss: float

    @property
    def rate(self) -> float:
        """What it converts at, 0 to 1."""
        return self.converted / self.entries if self.entries else 0.0

    @property
    def expected_rate(self) -> float:
        """What it should convert at, 0 to 1."""
        return self.expected / self.entries if self.entries else 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """A kind of user that is more, or less, of all entries than usual, and the rate that it usually converts at.

    rate is None for a kind that was hardly ever seen before. effect is what that did to everyone's rate.
    """

    dimension: str
    value: str
    share: float
    usual_share: float
    rate: float | None
    effect: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where the change from `expected` to `observed` is: rate_effect + mix_effect is the difference, as shares.

    places: what carries the loss, the most certain first; with the verdict MIX what broke beside it. shifts: what the
    mix effect consists of, where there is one. `dimensions` are those that could tell users apart.
    """

    verdict: WhereVerdict
    observed: float
    expected: float
    rate_effect: float
    mix_effect: float
    places: tuple[Place, ...]
    shifts: tuple[Shift, ...]
    dimensions: tuple[str, ...]

    @property
    def is_deploys(self) -> bool:
        """Whether every place is a version: a matter of deploys."""
        return bool(self.places) and all(name == VERSION_DIMENSION for place in self.places for name, _ in place.where)
