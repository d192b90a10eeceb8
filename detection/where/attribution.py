"""Where a conversion rate was lost: in which combination of up to three dimension values, everywhere, or in the mix.

The change is split exactly (Kitagawa 1955; Oaxaca 1973): the rate effect is how much worse the users of now convert
than users of their kinds did, the mix effect that more of them are of kinds that always converted worse. Every kind
is held against its own past, so a change of the mix alone blames nobody (Simpson 1951). Where rates fell, the
combination is named by `detection.where.combinations`.
"""

from __future__ import annotations

import numpy as np

from detection.statistics.baselines import Mask
from detection.types import VERSION_DIMENSION, Attribution, Floats, FunnelCells, Place, Shift, WhereVerdict
from detection.where.cell_tables import CellTable, cell_table, past_rates, unknown_kinds
from detection.where.cells import Cells
from detection.where.combinations import RankedCombinations, rank_combinations

_RATE_SHARE = 0.3
"""Below this share of the loss the rates are not what it is about."""

_MIX_SHARE = 0.5
"""From this share of the loss on, the mix is."""

_SURE = 2.5
"""Standard deviations from which the rate effect is no chance."""

_FURTHER_EVIDENCE = 7.0
"""In log-likelihood, a thousand to 1: what it takes to name a place beside another one, or beside the mix."""

_FEWEST_PAST = 100.0
"""Entries of the past from which it says anything."""

_FIRM = 1e6
"""Entries: so many that the scan takes the rates of the past as they were fitted here."""

_MOST_SHIFTS = 2
_LEAST_SHIFT = 0.2
"""A kind of user is named as a shift of the mix from this share of the mix effect on."""


def attribute(
    now: FunnelCells,
    usual: FunnelCells,
    past: FunnelCells,
    *,
    horizon_seconds: float,
    within: tuple[str, str] | None = None,
    expected: float | None = None,
) -> Attribution | None:
    """Tell where `now` converts worse than `past` did; None where they hold too little to tell.

    usual: the same hours of other days, whose mix of users is normal now; without entries the whole past is. within:
    a (dimension, value) whose users alone the two effects are about; the places are looked for among everyone.
    expected: the rate that is normal just now, to which all past rates are scaled; without it they stand as they are.
    """
    table = cell_table(now, usual, past, horizon_seconds=horizon_seconds)
    inside = _inside(table, within)
    if table.past_entries[inside].sum() < _FEWEST_PAST or not table.entries[inside].sum():
        return None
    rates = past_rates(table)
    usual_entries = table.usual_entries if table.usual_entries[inside].sum() else table.past_entries
    share, usual_share = (_shares(counts * inside) for counts in (table.entries, usual_entries))
    usual_rate = float((usual_share * rates).sum())
    rates = rates * (expected / usual_rate if expected is not None and usual_rate > 0 else 1.0)
    rates = np.clip(rates, 1e-4, 1 - 1e-4)
    new = unknown_kinds(table)
    known = np.ones(len(rates), dtype=bool)
    known[new] = False
    rates[new] = table.converted[new] / np.maximum(table.entries[new], 1)
    observed = float(table.converted[inside].sum() / table.entries[inside].sum())
    rate_effect = observed - float((share * rates).sum())
    normal = float((usual_share * rates).sum())
    answer = _scan(table, rates, known)
    verdict = _verdict(normal - observed, rate_effect, _deviation(table, rates, inside), answer, table)
    return Attribution(
        verdict=verdict,
        observed=observed,
        expected=normal,
        rate_effect=rate_effect,
        mix_effect=observed - normal - rate_effect,
        places=_places(answer, verdict),
        shifts=_shifts(table, rates, share, usual_share, known, observed - normal),
        dimensions=table.dimensions,
    )


def _inside(table: CellTable, within: tuple[str, str] | None) -> Mask:
    """(cells,) whose users the effects are about: everyone's, where the dimension does not tell anybody apart."""
    everyone = np.ones(len(table.codes), dtype=bool)
    if within is None or within[0] not in table.dimensions:
        return everyone
    column = table.dimensions.index(within[0])
    values = table.values[column]
    if within[1] not in values:
        return everyone
    return np.asarray(table.codes[:, column] == values.index(within[1]))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum())


def _deviation(table: CellTable, rates: Floats, inside: Mask) -> float:
    """The standard deviation that the rate effect has by chance."""
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
    size = int(seen.sum())
    return rank_combinations(
        Cells(
            dimensions=table.dimensions,
            values=table.values,
            codes=table.codes[seen],
            bad=(table.entries - table.converted)[seen],
            total=table.entries[seen],
            bad_before=_FIRM * (1 - rates[seen]),
            total_before=np.full(size, _FIRM),
        )
    )


def _places(answer: RankedCombinations, verdict: WhereVerdict) -> tuple[Place, ...]:
    if verdict not in (WhereVerdict.PLACES, WhereVerdict.MIX):
        return ()
    sure = 1 if verdict is WhereVerdict.PLACES else 0
    causes = (*answer.causes[:sure], *(one for one in answer.causes[sure:] if one.score >= _FURTHER_EVIDENCE))
    return tuple(
        Place(
            where=cause.where,
            entries=cause.total,
            converted=cause.total - cause.bad,
            expected=cause.total - cause.expected,
            share_of_loss=min(max(cause.share_of_excess, 0.0), 1.0),
        )
        for cause in causes
    )


def _shifts(
    table: CellTable, rates: Floats, share: Floats, usual_share: Floats, known: Mask, change: float
) -> tuple[Shift, ...]:
    """What the mix effect consists of, the strongest first; nothing where the mix is not worth a word."""
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
    told = [one for one in found if one.effect / mix_effect >= _LEAST_SHIFT]
    return tuple(sorted(told, key=lambda one: -abs(one.effect))[:_MOST_SHIFTS])


def _shift(
    name: str, value: str, held: Mask, rates: Floats, share: Floats, usual_share: Floats, known: Mask, normal: float
) -> Shift:
    now, usual = float(share[held].sum()), float(usual_share[held].sum())
    weights = usual_share if usual > 0 else share
    rate = float((weights * rates)[held].sum() / max(float(weights[held].sum()), 1e-12))
    return Shift(name, value, now, usual, rate if known[held].any() else None, (now - usual) * (rate - normal))
