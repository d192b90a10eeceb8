"""Tell the series of a file apart by the labels of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.backtest.reading.columns import LABEL_NAMES, VALUE_NAMES, Columns, column_name
from bot.backtest.reading.headings import Table, plain_name
from bot.backtest.reading.times.stamps import is_plain_number
from detection.types import Floats, Integers

_NAMES_OF_ALL = ("series", "legend", "label", "target", "tags")
"""Columns whose values say all about a series, so that the column's name is not repeated."""

_METRIC_NAMES = ("metric", "metric name", "name", "field", "measurement")
_NAME_AS_LABEL = re.compile(r"(?:\A|, )__name__=([^,]*)(?:, )?")
_LABELS_IN_BRACES = re.compile(r"([^{]*)\{(.*)\}\s*")
_FEWEST_ROWS_A_SERIES = 2
_SAMPLE = 400


@dataclass(frozen=True, slots=True)
class Labels:
    """The series of a file's rows.

    of_row: (n,) the number of each row's series. names: of each series, such as `host=a`, empty if there is one.
    metrics: of each series, the name of its metric, empty where a label does not say it. unused: the other columns.
    """

    of_row: Integers
    names: tuple[str, ...]
    metrics: tuple[str, ...]
    unused: tuple[int, ...]


def labels_of(table: Table, columns: Columns, texts: Sequence[Sequence[str]], times: Floats, *, by: bool) -> Labels:
    """Find the columns that tell series apart, and the series of each row.

    texts: the cells of each of `columns.others`. times: (n,) of the rows. by: whether a person named the column.
    A column of a label's name counts where its values come again; any other one only where it tells rows of one time
    apart.
    """
    codes = [np.unique(np.array(column, dtype=object).astype(str), return_inverse=True)[1] for column in texts]
    series = np.zeros(len(times), dtype=np.int64)
    used: list[int] = []
    order = sorted(
        range(len(codes)), key=lambda one: plain_name(column_name(table, columns.others[one])) not in LABEL_NAMES
    )
    for one in order:
        finer = _pairs(series, codes[one])
        named = by or plain_name(column_name(table, columns.others[one])) in LABEL_NAMES
        is_number = all(map(is_plain_number, texts[one][:_SAMPLE]))
        if _tells_apart(series, finer, times, named=named, is_number=is_number):
            series, used = finer, [*used, one]
    may_name = len(columns.numbers) == 1 and plain_name(column_name(table, columns.numbers[0])) in VALUE_NAMES
    varies = [one for one, column in enumerate(codes) if column.any()]
    constant_metric = [
        one
        for one, place in enumerate(columns.others)
        if one not in varies and plain_name(column_name(table, place)) in _METRIC_NAMES
    ]
    used = sorted({*used, *(constant_metric[:1] if may_name else [])})
    if not used:
        return Labels(np.zeros(len(times), dtype=np.int64), ("",), ("",), tuple(columns.others[one] for one in varies))
    keys = list(zip(*(texts[one] for one in used), strict=True))
    first_seen = list(dict.fromkeys(keys))
    number = {key: place for place, key in enumerate(first_seen)}
    headings = [column_name(table, columns.others[one]) for one in used]
    metric = next(
        (place for place, name in enumerate(headings) if may_name and plain_name(name) in _METRIC_NAMES), None
    )
    return Labels(
        np.array([number[key] for key in keys], dtype=np.int64),
        tuple(_label(headings, key, metric) for key in first_seen),
        tuple("" if metric is None else key[metric].strip() for key in first_seen),
        tuple(columns.others[one] for one in varies if one not in used),
    )


def name_and_labels(heading: str) -> tuple[str, str]:
    """Return the name and the labels of a heading such as `queue_depth{host="a", zone="b"}`."""
    match = _LABELS_IN_BRACES.fullmatch(heading)
    if not match:
        return heading.strip(), ""
    labels = re.sub(r"\"|(?<=,) ", "", match[2]).replace(",", ", ").strip()
    named = _NAME_AS_LABEL.search(labels)
    return match[1].strip() or (named[1] if named else ""), _NAME_AS_LABEL.sub("", labels).strip(", ")


def _tells_apart(series: Integers, finer: Integers, times: Floats, *, named: bool, is_number: bool) -> bool:
    """Return whether a column makes series of the rows. Numbers may be another measurement, so they have to show it."""
    before, after = int(series.max(initial=0)) + 1, int(finer.max(initial=0)) + 1
    if after == before:
        return False
    if named and after * _FEWEST_ROWS_A_SERIES <= len(times):
        return True
    twice, twice_after = _rows_of_a_time_twice(series, times), _rows_of_a_time_twice(finer, times)
    if is_number and (twice_after or twice < len(times) / 3):
        return False
    many = not named and after * _FEWEST_ROWS_A_SERIES > len(times)
    return twice > 0 and not many and twice_after <= twice / 2


def _rows_of_a_time_twice(series: Integers, times: Floats) -> int:
    known = np.isfinite(times)
    moments = np.unique(times[known], return_inverse=True)[1]
    return int(known.sum()) - int(_pairs(series[known], moments).max(initial=-1) + 1)


def _pairs(one: Integers, other: Integers) -> Integers:
    """Return the number of each pair of codes, (n,)."""
    both = one * (int(other.max(initial=0)) + 1) + other
    numbers: Integers = np.unique(both, return_inverse=True)[1].astype(np.int64)
    return numbers


def _label(headings: Sequence[str], key: Sequence[str], metric: int | None) -> str:
    return ", ".join(
        (value.strip() if plain_name(name) in _NAMES_OF_ALL else f"{name}={value.strip() or '(empty)'}")
        for place, (name, value) in enumerate(zip(headings, key, strict=True))
        if place != metric
    )
