"""The API models of loss attribution: where conversions were lost."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from detection.types import Attribution, Place, Where, WhereVerdict
from workers.words.attribution import attribution_sentences


class _FromAttributes(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class DimensionValue(BaseModel):
    """One dimension and the value that a kind of user has in it; "" is a user without that property."""

    dimension: str
    value: str


class PlaceOut(BaseModel):
    """A kind of user, of up to three dimensions, that converts worse than before."""

    where: list[DimensionValue]
    entries: float
    converted: float
    expected: float = Field(description="How many would have converted as before.")
    rate: float
    expected_rate: float
    share_of_loss: float = Field(description="Of all conversions lost to falling rates, 0 to 1.")


class ShiftOut(_FromAttributes):
    """A kind of user that is more, or less, of all entries than usual."""

    dimension: str
    value: str
    share: float
    usual_share: float
    rate: float | None = Field(description="What it usually converts at; null for a kind hardly ever seen before.")
    effect: float = Field(description="What that did to the overall rate.")


class WhereOut(BaseModel):
    """Where a change of conversion is. rate_effect + mix_effect = observed - expected, all as shares of 1."""

    verdict: WhereVerdict = Field(
        description="places: some kinds of users convert worse; everywhere: all alike; mix: other users than usual; "
        "unclear: nothing can be told."
    )
    text: list[str] = Field(description="The same in sentences.")
    observed: float
    expected: float
    rate_effect: float = Field(description="Of users converting differently than users of their kinds did.")
    mix_effect: float = Field(description="Of there being other kinds of users.")
    places: list[PlaceOut]
    shifts: list[ShiftOut]
    dimensions: list[str] = Field(description="What could tell users apart.")
    possible: list[PlaceOut] = Field(
        description="The next best explanations, to three with the places: wider, narrower or elsewhere."
    )


def where_out(attribution: Attribution) -> WhereOut:
    """Return the API model of an attribution."""
    return WhereOut(
        verdict=attribution.verdict,
        text=list(attribution_sentences(attribution)),
        observed=attribution.observed,
        expected=attribution.expected,
        rate_effect=attribution.rate_effect,
        mix_effect=attribution.mix_effect,
        places=[_place(place) for place in attribution.places],
        shifts=[ShiftOut.model_validate(shift) for shift in attribution.shifts],
        dimensions=list(attribution.dimensions),
        possible=[_place(place) for place in attribution.possible],
    )


def _place(place: Place) -> PlaceOut:
    return PlaceOut(
        where=_pairs(place.where),
        entries=place.entries,
        converted=place.converted,
        expected=place.expected,
        rate=place.rate,
        expected_rate=place.expected_rate,
        share_of_loss=place.share_of_loss,
    )


def _pairs(where: Where) -> list[DimensionValue]:
    return [DimensionValue(dimension=name, value=value) for name, value in where]
