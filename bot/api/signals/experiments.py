"""The API of experiments: compare two variants of a property over a funnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bot.api.signals.funnels import FunnelId
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.experiments import TARGET_CHANGE, ExperimentState, experiment
from bot.storable_text import Text
from storage.funnels import definition, get_funnel

if TYPE_CHECKING:
    from detection.funnels.experiments import Variant
    from detection.types import Estimate

router = APIRouter(prefix="/funnels", tags=["Funnels"])

PropertyValue = Annotated[Text, Query(min_length=1, max_length=200)]


class Interval(BaseModel):
    """A value, and the bounds within which it lies with 95 % confidence."""

    value: float
    low: float
    high: float


class VariantOut(BaseModel):
    """One value of the property."""

    value: str
    entries: int
    converted: int
    conversion_rate: float | None = Field(description="0 to 1; null without entries.")


class ExperimentOut(BaseModel):
    """Does b convert better or worse than a, and by how much."""

    funnel_id: int
    property: str
    days: int
    state: ExperimentState
    text: str = Field(description="The answer in words.")
    a: VariantOut
    b: VariantOut
    p_value: float = Field(description="Two-sided, Fisher's exact test with mid-p; good for one look, not for many.")
    difference: Interval = Field(description="b minus a, in shares: 0.02 is two points.")
    relative_difference: Interval | None = Field(description="Over a's rate; null where a has no conversion.")
    more_entries_needed: int | None = Field(
        description=f"A side, to see a relative change of {TARGET_CHANGE:.0%} four times in five; null if unknown."
    )


@router.get("/{funnel_id}/experiment", summary="Compare two variants")
def compare_variants(
    services: InjectedServices,
    operator: Operator,
    funnel_id: FunnelId,
    name: Annotated[Text, Query(alias="property", min_length=1, max_length=200, description="What tells them apart.")],
    a: Annotated[PropertyValue, Query(description="The value to compare with, such as control.")],
    b: Annotated[PropertyValue, Query(description="The value that may do better or worse.")],
    days: Annotated[int, Query(ge=1, le=35, description="How far back entries count.")] = 14,
) -> ExperimentOut:
    """The property is one of the first step's event and of SEGMENT_DIMENSIONS, for only those are counted.

    Entries of the last window are left out, as they may still convert.
    """
    with services.readers() as session:
        funnel = definition(get_funnel(session, funnel_id))
    found = experiment(services, funnel, name, a, b, days=days)
    compared = found.comparison
    return ExperimentOut(
        funnel_id=funnel_id,
        property=name,
        days=days,
        state=found.state,
        text=found.text,
        a=_variant(compared.reference),
        b=_variant(compared.challenger),
        p_value=compared.p_value,
        difference=_interval(compared.difference),
        relative_difference=_interval(compared.relative) if compared.relative is not None else None,
        more_entries_needed=found.more_entries,
    )


def _variant(variant: Variant) -> VariantOut:
    return VariantOut(
        value=variant.value,
        entries=variant.entries,
        converted=variant.converted,
        conversion_rate=variant.rate if variant.entries else None,
    )


def _interval(estimate: Estimate) -> Interval:
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)
