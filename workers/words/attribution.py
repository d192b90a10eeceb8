"""Where a conversion was lost, in words: the place, everywhere, or other users than usual; and how the loss divides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detection.types import Attribution, Finding, Place, Shift, Where, WhereVerdict
from workers.words.attribution_details import attribution_of
from workers.words.text import percent, quoted

_MOST_DIMENSIONS = 6
_SMALLEST_CHANGE = 0.0005
"""A change of a rate by less is not worth a sentence."""

_SMALLEST_SHARE = 0.05
"""A division that luck alone could make is not worth one either."""


def place_name(where: Where) -> str:
    """Such as "country DE and payment_method paypal", for titles."""
    return " and ".join(f"{quoted(name, 60)} {quoted(value, 60) or 'unknown'}" for name, value in where)


def place_formula(where: Where) -> str:
    """Such as "country = DE and payment_method = paypal", for sentences."""
    return " and ".join(f"{quoted(name, 60)} = {quoted(value, 60) or 'unknown'}" for name, value in where)


def place_sentence(place: Place) -> str:
    """What one place carries, and how it converts."""
    return (
        f"{place_formula(place.where)} carries {percent(place.share_of_loss)} of the loss: "
        f"it converts {percent(place.rate)} instead of {percent(place.expected_rate)}."
    )


def where_sentences(attribution: Attribution) -> tuple[str, ...]:
    """What was found, then how the loss divides into conversion falling and a different mix of users."""
    return tuple(_found(attribution)) + tuple(_divided(attribution))


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


def _shift_sentence(shift: Shift) -> str:
    kind = place_formula(((shift.dimension, shift.value),))
    shares = f"{kind} is {percent(shift.share)} of the entries, usually {percent(shift.usual_share)}"
    if shift.rate is None:
        return f"{shares}: such users were hardly ever seen before."
    return f"{shares}, and usually converts {percent(shift.rate)}."


def _divided(attribution: Attribution) -> Iterator[str]:
    """93 % of the loss is conversion falling, 7 % a different mix of users.

    In shares: how much was lost is told in the title, of a moment that may be another.
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
    """What an incident shows of where: of its findings' answers the one that tells most, the narrowest place first."""
    found = [one for one in map(attribution_of, findings) if one is not None and one.dimensions]
    return max(found, key=telling, default=None)


def telling(attribution: Attribution | None) -> tuple[int, int, float]:
    """How much an answer says: something at all, a narrow place, one that carries much."""
    if attribution is None or attribution.verdict is WhereVerdict.UNCLEAR:
        return 0, 0, 0.0
    if not attribution.places:
        return 1, 0, 0.0
    first = attribution.places[0]
    return 1, len(first.where), first.share_of_loss


def where_section(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The card's section about where; none where nothing is known of the users."""
    attribution = shown_attribution(findings)
    if attribution is None:
        return ()
    return ("**Where**\n" + "\n".join(f"- {sentence}" for sentence in where_sentences(attribution)),)
