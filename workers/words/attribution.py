"""Describe in words where conversions were lost: in a place, everywhere, or by a changed mix of users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detection.types import Attribution, Finding, Place, Shift, Where, WhereVerdict
from integrations.text import Markup, bullets, lines, ours
from workers.words.attribution_details import attribution_of
from workers.words.text import percent, quoted

_MOST_DIMENSIONS = 6
_SMALLEST_CHANGE = 0.0005
"""Smaller changes of a rate are not described."""

_SMALLEST_SHARE = 0.05
"""Smaller shares of the loss are not described: chance alone can cause them."""


def place_name(where: Where) -> str:
    """Return such as "country DE and payment_method paypal", for titles."""
    return " and ".join(f"{quoted(name, 60)} {quoted(value, 60) or 'unknown'}" for name, value in where)


def place_formula(where: Where) -> str:
    """Return such as "country = DE and payment_method = paypal", for sentences."""
    return " and ".join(f"{quoted(name, 60)} = {quoted(value, 60) or 'unknown'}" for name, value in where)


def place_sentence(place: Place) -> str:
    """Return a place's share of the loss and its conversion rate as a sentence."""
    return (
        f"{place_formula(place.where)} carries {percent(place.share_of_loss)} of the loss: "
        f"it converts {percent(place.rate)} instead of {percent(place.expected_rate)}."
    )


def attribution_sentences(attribution: Attribution) -> tuple[str, ...]:
    """Return the verdict, then how the loss divides into lower conversion and a different mix of users."""
    return (*_found(attribution), *_also_possible(attribution), *_divided(attribution))


def _found(attribution: Attribution) -> Iterator[str]:
    match attribution.verdict:
        case WhereVerdict.PLACES:
            yield from map(place_sentence, attribution.places)
        case WhereVerdict.EVERYWHERE:
            yield f"Everywhere alike: no {_listed(attribution.dimensions)} fares worse than the others."
        case WhereVerdict.MIX:
            beside = " but for what is named here" if attribution.places else ""
            yield f"Other users than usual came; each kind of them converts as before{beside}."
            yield from map(_shift_sentence, attribution.shifts)
            yield from map(place_sentence, attribution.places)
        case WhereVerdict.UNCLEAR if attribution.dimensions:
            yield f"No {_listed(attribution.dimensions)}, alone or together, stands out so far."
        case WhereVerdict.UNCLEAR:
            yield "Nothing is known of the users that could tell them apart."
    if attribution.verdict is not WhereVerdict.MIX:
        yield from map(_shift_sentence, attribution.shifts)


_POSSIBLE = {
    WhereVerdict.PLACES: "Next best explanations",
    WhereVerdict.EVERYWHERE: "Hit hardest",
    WhereVerdict.UNCLEAR: "Look first at",
}


def _also_possible(attribution: Attribution) -> Iterator[str]:
    """Yield such as "Next best explanations: country = DE (converts 20 % instead of 38 %)", and so on."""
    opening = _POSSIBLE.get(attribution.verdict)
    if opening is None or not attribution.possible:
        return
    told = (
        f"{place_formula(place.where)} (converts {percent(place.rate)} instead of {percent(place.expected_rate)})"
        for place in attribution.possible
    )
    yield f"{opening}: {'; '.join(told)}."


def _shift_sentence(shift: Shift) -> str:
    kind = place_formula(((shift.dimension, shift.value),))
    shares = f"{kind} is {percent(shift.share)} of the entries, usually {percent(shift.usual_share)}"
    if shift.rate is None:
        return f"{shares}: such users were hardly ever seen before."
    return f"{shares}, and usually converts {percent(shift.rate)}."


def _divided(attribution: Attribution) -> Iterator[str]:
    """Yield such as "93 % of the loss is conversion falling, 7 % a different mix of users."

    In shares, not in absolute figures: those in the title may be of another moment.
    """
    lost, fell, mixed = (
        attribution.expected - attribution.observed,
        -attribution.rate_effect,
        -attribution.mix_effect,
    )
    if lost < _SMALLEST_CHANGE:
        return
    share = mixed / lost
    if abs(mixed) < _SMALLEST_CHANGE or abs(share) < _SMALLEST_SHARE:
        yield "The loss is conversion falling, not a different mix of users."
    elif mixed > 0 and fell > 0:
        falling, another_mix = f"{100 * (1 - share):.0f} %", f"{100 * share:.0f} %"
        yield f"{falling} of the loss is conversion falling, {another_mix} a different mix of users."
    elif mixed < 0:
        yield f"Conversion is falling; a better mix of users hides {100 * -mixed / fell:.0f} % of it."
    else:
        yield "All of the loss is a different mix of users."


def _listed(dimensions: Sequence[str]) -> str:
    names = [quoted(name, 60) for name in dimensions[:_MOST_DIMENSIONS]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def shown_attribution(findings: Sequence[Finding]) -> Attribution | None:
    """Return the most informative attribution of an incident's findings; None if no finding has one with dimensions."""
    found = [one for one in map(attribution_of, findings) if one is not None and one.dimensions]
    return max(found, key=informativeness, default=None)


def informativeness(attribution: Attribution | None) -> tuple[int, int, float]:
    """Return a sort key: whether there is a verdict, how narrow the first place is, and its share of the loss."""
    if attribution is None or attribution.verdict is WhereVerdict.UNCLEAR:
        return 0, 0, 0.0
    if not attribution.places:
        return 1, 0, 0.0
    first = attribution.places[0]
    return 1, len(first.where), first.share_of_loss


def attribution_section(findings: Sequence[Finding]) -> tuple[Markup, ...]:
    """Return the card's "Where" section; an empty tuple without an attribution that has dimensions."""
    attribution = shown_attribution(findings)
    if attribution is None:
        return ()
    return (lines([ours("**Where**"), bullets(attribution_sentences(attribution))]),)
