"""Read the attribution of a lost conversion rate to segments from a finding's details."""

from __future__ import annotations

from detection.types import VERSION_DIMENSION, Attribution, Finding, LossDetails, Place, Where, WhereVerdict

NAMED_FROM = 0.8
"""An incident is named after a place that carries at least this share of the loss."""


def attribution_of(finding: Finding) -> Attribution | None:
    """What was found of where; None where nothing was asked or known."""
    return finding.details.attribution if isinstance(finding.details, LossDetails) else None


def places_of(finding: Finding) -> tuple[Where, ...]:
    """Return the places that carry the finding's loss, except versions: those point at a deploy."""
    attribution = attribution_of(finding)
    found = attribution.places if attribution is not None else ()
    return tuple(place.where for place in found if all(name != VERSION_DIMENSION for name, _ in place.where))


def is_mix(finding: Finding) -> bool:
    """Whether the mix of users changed, and no kind of user converts worse than before."""
    attribution = attribution_of(finding)
    return attribution is not None and attribution.verdict is WhereVerdict.MIX and not attribution.places


def named_place(attribution: Attribution | None) -> Place | None:
    """Return the place that an incident may be named after; None if there is none, or it is a version."""
    if attribution is None or attribution.verdict is not WhereVerdict.PLACES or attribution.is_deploys:
        return None
    first = attribution.places[0]
    return first if first.share_of_loss >= NAMED_FROM else None
