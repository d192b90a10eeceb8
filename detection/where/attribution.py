"""Attribute a lost conversion rate to a combination of up to three dimension values, to everyone, or to the user mix.

The change is split exactly (Kitagawa 1955; Oaxaca 1973). The rate effect is how much worse the current users convert
than users of the same kinds did before. The mix effect is the growing share of kinds that always converted worse. Every
kind of user is compared with its own past, so a change of the mix alone blames no kind (Simpson 1951). Where rates
fell, `detection.where.combinations` names the combination.
"""

from __future__ import annotations

import numpy as np

from detection.statistics.baselines import Mask
from detection.types import VERSION_DIMENSION, Attribution, Floats, FunnelCells, Place, Shift, WhereVerdict
from detection.where.cell_tables import CellTable, cell_table, own_rates, past_rates, unknown_kinds
from detection.where.cells import Cells
from detection.where.combinations import FURTHER_EVIDENCE, Combination, RankedCombinations, rank_combinations

_RATE_SHARE = 0.3
"""The rate effect must be at least this share of the loss to be the verdict."""

_MIX_SHARE = 0.5
"""Otherwise the mix effect must be at least this share of the loss to be the verdict."""

_SURE = 2.5
"""Standard deviations from which the rate effect is significant."""

_FEWEST_PAST = 100.0
"""The fewest past entries for an attribution."""

_MOST_SHOWN = 3
"""How many places are told, named ones and possible ones together."""

_MOST_SHIFTS = 2
_LEAST_SHIFT = 0.2
"""A shift is reported if it makes up at least this share of the mix effect."""


def attribute(
    now: FunnelCells,
    usual: FunnelCells,
    past: FunnelCells,
    *,
    horizon_seconds: float,
    within: tuple[str, str] | None = None,
    expected: float | None = None,
) -> Attribution | None:
    """Attribute the loss of `now` against `past`; None with too few data.

    usual: the same hours of other days, whose mix of users is normal now; if it has no entries, the whole past is used.
    within: a (dimension, value) that the two effects are restricted to; places are searched among all users. expected:
    the rate that is normal now; past rates are scaled to it. Without it they are used unscaled.
    """
    table = cell_table(now, usual, past, horizon_seconds=horizon_seconds)
    inside = _inside(table, within)
    if table.past_entries[inside].sum() < _FEWEST_PAST or not table.entries[inside].sum():
        return None
    rates = past_rates(table)
    usual_entries = table.usual_entries if table.usual_entries[inside].sum() else table.past_entries
    share, usual_share = (_shares(counts * inside) for counts in (table.entries, usual_entries))
    usual_rate = float((usual_share * rates).sum())
    scale = expected / usual_rate if expected is not None and usual_rate > 0 else 1.0
    alone = own_rates(table, rates) * scale
    rates = np.clip(rates * scale, 1e-4, 1 - 1e-4)
    new = unknown_kinds(table)
    known = np.ones(len(rates), dtype=bool)
    known[new] = False
    rates[new] = table.converted[new] / np.maximum(table.entries[new], 1)
    observed = float(table.converted[inside].sum() / table.entries[inside].sum())
    rate_effect = observed - float((share * rates).sum())
    normal = float((usual_share * rates).sum())
    answer = _scan(table, alone, known)
    deviation = _deviation(table, rates, inside)
    verdict = _verdict(normal - observed, rate_effect, deviation, answer, table)
    if verdict is WhereVerdict.MIX:
        # Where other kinds came, what their values foretell is safer than a past of their own that is too small.
        answer = _scan(table, rates, known)
    places = _places(answer, verdict)
    return Attribution(
        verdict=verdict,
        observed=observed,
        expected=normal,
        rate_effect=rate_effect,
        mix_effect=observed - normal - rate_effect,
        places=places,
        shifts=_shifts(table, rates, share, usual_share, known, observed - normal),
        dimensions=table.dimensions,
        possible=_possible(answer, verdict, places, sure=-rate_effect >= _SURE * deviation),
    )


def _inside(table: CellTable, within: tuple[str, str] | None) -> Mask:
    """Return the cells that the effects are restricted to, (cells,).

    These are all cells when the table lacks the dimension or the value.
    """
    all_cells = np.ones(len(table.codes), dtype=bool)
    if within is None or within[0] not in table.dimensions:
        return all_cells
    column = table.dimensions.index(within[0])
    values = table.values[column]
    if within[1] not in values:
        return all_cells
    return np.asarray(table.codes[:, column] == values.index(within[1]))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum())


def _deviation(table: CellTable, rates: Floats, inside: Mask) -> float:
    """Return the standard deviation of the rate effect under sampling noise."""
    entries = table.entries * inside
    return float(np.sqrt((entries * rates * (1 - rates)).sum()) / entries.sum())


def _verdict(
    loss: float, rate_effect: float, deviation: float, answer: RankedCombinations, table: CellTable
) -> WhereVerdict:
    fell = -rate_effect
    if fell >= _SURE * deviation and fell >= _RATE_SHARE * loss:
        if answer.causes:
            return WhereVerdict.PLACES
        return WhereVerdict.EVERYWHERE if answer.everywhere_alike and table.dimensions else WhereVerdict.UNCLEAR
    if loss > 0 and loss - fell >= _MIX_SHARE * loss and loss >= _SURE * deviation:
        return WhereVerdict.MIX
    return WhereVerdict.UNCLEAR


def _scan(table: CellTable, rates: Floats, known: Mask) -> RankedCombinations:
    seen = known & (table.entries > 0)
    return rank_combinations(
        Cells(
            dimensions=table.dimensions,
            values=table.values,
            codes=table.codes[seen],
            bad=(table.entries - table.converted)[seen],
            total=table.entries[seen],
            usual=1 - rates[seen],
        )
    )


def _places(answer: RankedCombinations, verdict: WhereVerdict) -> tuple[Place, ...]:
    """Return the places to name; beside a changed mix only those that are surer than a first place must be."""
    if verdict is WhereVerdict.PLACES:
        return tuple(map(_place, answer.causes))
    if verdict is WhereVerdict.MIX:
        return tuple(_place(cause) for cause in answer.causes if cause.score >= FURTHER_EVIDENCE)
    return ()


def _possible(
    answer: RankedCombinations, verdict: WhereVerdict, named: tuple[Place, ...], *, sure: bool
) -> tuple[Place, ...]:
    """Return the next best places beside the named ones; nothing where only the mix changed.

    sure: whether it is sure that rates fell. If not, and no combination stands out by itself, there is nothing to tell.
    """
    if verdict is WhereVerdict.MIX or (verdict is WhereVerdict.UNCLEAR and not sure and not answer.causes):
        return ()
    known = {place.where for place in named}
    others = [_place(one) for one in answer.ranked if one.where not in known]
    return tuple(others[: max(_MOST_SHOWN - len(named), 0)])


def _place(found: Combination) -> Place:
    return Place(
        where=found.where,
        entries=found.total,
        converted=found.total - found.bad,
        expected=found.total - found.expected,
        share_of_loss=min(max(found.share_of_excess, 0.0), 1.0),
    )


def _shifts(
    table: CellTable, rates: Floats, share: Floats, usual_share: Floats, known: Mask, change: float
) -> tuple[Shift, ...]:
    """Return the parts of the mix effect, the strongest first; nothing where the mix effect is small."""
    normal = float((usual_share * rates).sum())
    mix_effect = float(((share - usual_share) * rates).sum())
    if not change or mix_effect / change < _RATE_SHARE:
        return ()
    found = [
        _shift(name, value, column == number, rates, share, usual_share, known, normal)
        for name, values, column in zip(table.dimensions, table.values, table.codes.T, strict=True)
        if name != VERSION_DIMENSION
        for number, value in enumerate(values)
    ]
    reported = [one for one in found if one.effect / mix_effect >= _LEAST_SHIFT]
    return tuple(sorted(reported, key=lambda one: -abs(one.effect))[:_MOST_SHIFTS])


def _shift(
    name: str, value: str, held: Mask, rates: Floats, share: Floats, usual_share: Floats, known: Mask, normal: float
) -> Shift:
    now, usual = float(share[held].sum()), float(usual_share[held].sum())
    weights = usual_share if usual > 0 else share
    rate = float((weights * rates)[held].sum() / max(float(weights[held].sum()), 1e-12))
    return Shift(name, value, now, usual, rate if known[held].any() else None, (now - usual) * (rate - normal))
