"""Compare the conversion rates of two variants, for the API and `argux experiment`: in numbers and in words.

The statistics are imported at the first use, so that the web process does not load scipy before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.errors import MalformedError
from detection.types import FunnelDefinition
from storage.telemetry.protocol import COARSE_SECONDS
from workers.services import Services

if TYPE_CHECKING:
    from detection.funnels.experiments import Comparison, Variant

SIGNIFICANT = 0.05
TARGET_CHANGE = 0.05
"""The relative change that "no difference" is measured by: how many more entries would be needed to detect it."""

_HIGHEST_RATE = 0.95


class ExperimentState(StrEnum):
    """What can be said by now."""

    DIFFERENCE = "difference"
    NO_DIFFERENCE_SHOWN = "no_difference_shown"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """A comparison and what it means.

    more_entries: how many more entries per variant are needed to detect a change of TARGET_CHANGE; None if unknown.
    """

    comparison: Comparison
    state: ExperimentState
    more_entries: int | None
    text: str


def not_counted(name: str, counted: Sequence[str]) -> str:
    """Return the message that says how to have a property counted from now on."""
    return (
        f"{name!r} is not counted. Add it to SEGMENT_DIMENSIONS (now {', '.join(counted) or 'empty'}) and restart: "
        "entries are counted by it from then on. It must be a property of the event of the funnel's first step."
    )


def experiment(
    services: Services, funnel: FunnelDefinition, name: str, first: str, second: str, *, days: int
) -> ExperimentResult:
    """Compare the entries of the last `days` with one value of a property to those with another value.

    Entries of the last conversion window are left out, because they may still convert. Raises MalformedError if the
    property or one of the values is not counted; the message says what to set or which values exist.
    """
    from detection.funnels.experiments import compare, variants

    counted = services.settings.segment_dimensions
    if name not in counted:
        raise MalformedError(not_counted(name, counted), field="property")
    if first == second:
        raise MalformedError(f"{first!r} cannot be compared with itself; give two values of {name}.", field="b")
    now = services.clock().timestamp()
    since = now - days * 86_400
    series = services.telemetry.funnel_series(funnel.funnel_id, since=since, until=now, bucket_seconds=COARSE_SECONDS)
    until = now - funnel.window_seconds - COARSE_SECONDS
    found = {
        variant.value: variant
        for variant in variants(series, name, horizon_seconds=funnel.window_seconds, since=since, until=until)
    }
    known = sorted({one.value for one in series if one.dimension == name and one.value is not None})
    return explain(compare(*(_variant(found, known, name, key, value) for key, value in (("a", first), ("b", second)))))


def _variant(found: dict[str, Variant], known: Sequence[str], name: str, field: str, value: str) -> Variant:
    from detection.funnels.experiments import Variant

    if value not in known:
        seen = f"Seen were: {', '.join(known)}." if known else "No value of it has been seen in these days."
        raise MalformedError(f"No entry of these days had {name} = {value!r}. {seen}", field=field)
    return found.get(value) or Variant(value, 0, 0)


def explain(comparison: Comparison) -> ExperimentResult:
    """Return a comparison with its state and its explanation in words."""
    reference, challenger = comparison.reference, comparison.challenger
    more = _more_entries(comparison)
    rates = f"{_rate(challenger)} against {_rate(reference)}"
    if not comparison.enough:
        text = f"Too few entries to say anything yet: {rates}."
        return ExperimentResult(comparison, ExperimentState.INSUFFICIENT_DATA, more, text)
    if comparison.p_value < SIGNIFICANT:
        better = "better" if challenger.rate > reference.rate else "worse"
        text = (
            f"{challenger.value} converts {better} than {reference.value}: {rates}, a difference of "
            f"{_points(comparison)}. Without any difference a result so far apart comes up "
            f"{_chance(comparison.p_value)}."
        )
        return ExperimentResult(comparison, ExperimentState.DIFFERENCE, more, text)
    text = f"No difference can be shown yet: {rates}, a difference of {_points(comparison)}"
    if more:
        text += f"; about {more:,} more entries a side would be needed to see one of {TARGET_CHANGE:.0%}."
    elif more == 0:
        text += f"; there are entries enough to see one of {TARGET_CHANGE:.0%} four times in five."
    else:
        text += "."
    return ExperimentResult(comparison, ExperimentState.NO_DIFFERENCE_SHOWN, more, text.replace("5%", "5 %"))


def _more_entries(comparison: Comparison) -> int | None:
    """Return how many more entries per variant are needed to detect a change of TARGET_CHANGE.

    None if the reference rate is 0 or at least _HIGHEST_RATE, where a relative change cannot be planned for.
    """
    from detection.funnels.experiments import entries_needed

    reference, challenger = comparison.reference, comparison.challenger
    if not 0 < reference.rate < _HIGHEST_RATE:
        return None
    return max(entries_needed(reference.rate, TARGET_CHANGE) - min(reference.entries, challenger.entries), 0)


def _rate(variant: Variant) -> str:
    return f"{variant.rate * 100:.1f} % of {variant.entries:,} entries"


def _points(comparison: Comparison) -> str:
    value, low, high = (
        100 * share for share in (comparison.difference.value, comparison.difference.low, comparison.difference.high)
    )
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _chance(p_value: float) -> str:
    if p_value < 0.001:
        return "less than once in a thousand times"
    return f"in {p_value * 100:.1f} % of experiments"
