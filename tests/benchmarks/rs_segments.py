"""Locate the root-cause combinations of real live-video incidents exactly, with one configuration for all.

Each incident is a funnel whose entries are the requests and whose conversions are the good ones. It is asked of
`locate_loss`, which the watch, the diagnosis and the API ask, from a store with the limits of the real one. What is
scored is what an incident's card tells: the places named, and with the possible ones the first three.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import fmean, median
from typing import TypeVar, cast

import numpy as np
from scipy.special import xlogy

from detection.types import DELAY_EDGES_SECONDS, FunnelCells
from detection.where.cell_tables import CellTable, cell_table, merged
from detection.where.cells import grouped
from storage.telemetry.funnels.cell_rollup import MAX_CELLS_PER_BUCKET
from storage.telemetry.funnels.segment_values import MAX_VALUES_PER_DIMENSION, OTHER
from storage.telemetry.protocol import COARSE_SECONDS, TelemetryStore
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.reading import read_or_skipped
from workers.watching.attribution_query import AttributionQuery, locate_loss

F1_AT_LEAST, HIT_AT_LEAST, MS_AT_MOST = 0.77, 0.95, 50.0
PEER = "plain Poisson scan"
_MINUTES_BEFORE = 4
_LOOKED_AT = 3
_ROUNDS = 3
_FOLDS = 5
_ANOMALY_AT = 1_600_000 * 3600.0
"""When the minute of the anomaly is put; a minute of the data fills an hour, the grain in which the past is read."""

_HORIZON_SECONDS = 60.0

Where = frozenset[tuple[str, str]]
Kind = tuple[str, ...]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Case:
    """One incident of one video stream: the cells of the minute of the anomaly, and of the four minutes before it."""

    stream: str
    now: FunnelCells
    before: tuple[FunnelCells, ...]
    causes: frozenset[Where]


@dataclass(frozen=True, slots=True)
class Answer:
    """The named causes, the ranking, and the CPU time to compute them from the rows."""

    causes: frozenset[Where]
    ranked: tuple[Where, ...]
    milliseconds: float


def run(data: Path) -> Iterator[Figure]:
    """Yield F1 over the named causes of all cases, hit@3 (a cause of the case is among the first three), and the time.

    Raises NothingToMeasureError.
    """
    cases = read_cases(data / "rs_segments")
    if not cases:
        raise NothingToMeasureError(f"there is no case of an anomaly.yaml under {data / 'rs_segments'}")
    ours, peers = [_ours(case) for case in cases], [_peer(case) for case in cases]
    _tell_folds(cases, ours)
    yield Figure("rs_f1", _f1(cases, ours), "F1", PEER, _f1(cases, peers), at_least=F1_AT_LEAST)
    yield Figure("rs_hit3", _hits(cases, ours), "share of cases", PEER, _hits(cases, peers), at_least=HIT_AT_LEAST)
    yield Figure("rs_ms", _milliseconds(ours), "ms a case", PEER, _milliseconds(peers), at_most=MS_AT_MOST)


def read_cases(folder: Path) -> list[Case]:
    """Read the cases of anomaly.yaml whose rows exist. The file has three keys per case and needs no YAML parser."""
    if not (folder / "anomaly.yaml").exists():
        return []
    fields = [
        line.strip().removeprefix("- ").split(":", 1)
        for line in (folder / "anomaly.yaml").read_text(encoding="utf-8").splitlines()
        if ":" in line
    ]
    values = {key: [value.strip() for name, value in fields if name == key] for key in ("data", "timestamp", "cause")}
    cases = [
        read_or_skipped("rs_segments", path.name, partial(_read_case, path, timestamp, cause))
        for name, timestamp, cause in zip(values["data"], values["timestamp"], values["cause"], strict=True)
        if (path := folder / f"{name}.csv").exists()
    ]
    return [case for case in cases if case is not None]


def _read_case(path: Path, written_timestamp: str, cause: str) -> Case:
    timestamp = int(written_timestamp)
    parsed = ast.literal_eval(cause)
    causes = parsed if isinstance(parsed, list) else [parsed]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    minutes = sorted({int(row["min"]) for row in rows if int(row["min"]) < timestamp})[-_MINUTES_BEFORE:]
    now = [row for row in rows if int(row["min"]) == timestamp]
    if not now:
        raise ValueError(f"it has no row of minute {timestamp}")
    values = _watched_values(rows)
    return Case(
        stream=(re.findall(r"\d+", path.stem) or [path.stem])[-1],
        now=_bucket(now, values),
        before=tuple(_bucket([row for row in rows if int(row["min"]) == minute], values) for minute in minutes),
        causes=frozenset(frozenset((key, str(value)) for key, value in one.items()) for one in causes),
    )


def _watched_values(rows: Sequence[Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """Return the values of each dimension that the store keeps apart: twenty, here the commonest."""
    names = [name for name in rows[0] if name not in ("min", "value", "cnt")]
    found = {}
    for name in names:
        seen: Counter[str] = Counter()
        for row in rows:
            seen[row[name]] += round(float(row["cnt"]))
        found[name] = frozenset(value for value, _ in seen.most_common(MAX_VALUES_PER_DIMENSION))
    return found


def _bucket(rows: Sequence[Mapping[str, str]], values: Mapping[str, frozenset[str]]) -> FunnelCells:
    """Return one bucket as it is stored: the commonest 500 combinations, and one cell for all others."""
    counts: dict[Kind, tuple[int, int]] = {}
    for row in rows:
        kind = tuple(row[name] if row[name] in kept else OTHER for name, kept in values.items())
        entries, bad = counts.get(kind, (0, 0))
        counts[kind] = entries + round(float(row["cnt"])), bad + round(float(row["value"]))
    in_order = sorted(counts, key=lambda kind: -counts[kind][0])
    rest = (OTHER,) * len(values)
    kept: dict[Kind, tuple[int, int]] = {}
    for number, kind in enumerate(in_order):
        cell = kind if number < MAX_CELLS_PER_BUCKET else rest
        entries, bad = kept.get(cell, (0, 0))
        kept[cell] = entries + counts[kind][0], bad + counts[kind][1]
    seen = [kind for kind, (entries, _) in kept.items() if entries]
    by_delay = np.zeros((len(seen), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    by_delay[:, 0] = [kept[kind][0] - kept[kind][1] for kind in seen]
    kinds = tuple(dict(zip(values, kind, strict=True)) for kind in seen)
    return FunnelCells(1, kinds, np.array([kept[kind][0] for kind in seen], dtype=np.int64), by_delay)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The cells of a case as the telemetry store answers: the anomaly at _ANOMALY_AT, the past in the hours before."""

    case: Case

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        if since >= _ANOMALY_AT:
            return self.case.now
        ends = (_ANOMALY_AT - number * COARSE_SECONDS for number in range(len(self.case.before)))
        inside = [since < end <= until for end in ends]
        return merged([one for one, is_inside in zip(self.case.before, inside, strict=True) if is_inside], funnel_id)


def _ours(case: Case) -> Answer:
    query = AttributionQuery(
        funnel_id=1,
        since=_ANOMALY_AT,
        until=_ANOMALY_AT + COARSE_SECONDS,
        past_since=_ANOMALY_AT - _MINUTES_BEFORE * COARSE_SECONDS,
        horizon_seconds=_HORIZON_SECONDS,
    )
    store = cast(TelemetryStore, _Stored(case))
    found, took = _timed(lambda: locate_loss(store, query, now=_ANOMALY_AT + COARSE_SECONDS))
    named = [frozenset(place.where) for place in found.places] if found else []
    possible = [frozenset(place.where) for place in found.possible] if found else []
    return Answer(frozenset(named), (*named, *possible), took)


def _peer(case: Case) -> Answer:
    """Run the textbook scan: Poisson counts against the past rate of each cuboid; the best one is the cause."""
    scored, took = _timed(lambda: sorted(_poisson_scores(_table(case)), key=lambda pair: -pair[0])[:_LOOKED_AT])
    ranked = tuple(where for _, where in scored)
    return Answer(frozenset(ranked[:1]), ranked, took)


def _table(case: Case) -> CellTable:
    nobody = merged([], 1)
    return cell_table(case.now, nobody, merged(case.before, 1), horizon_seconds=_HORIZON_SECONDS)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result of `work`, and the median CPU time of all threads in milliseconds."""
    seconds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return result, 1000 * median(seconds)


def _poisson_scores(table: CellTable) -> Iterator[tuple[float, Where]]:
    names = table.dimensions
    counts = (
        table.entries - table.converted,
        table.entries,
        table.past_entries - table.past_converted,
        table.past_entries,
    )
    for size in (1, 2, 3):
        for columns in combinations(range(len(names)), size):
            member, example = grouped(table.codes[:, columns])
            bad, total, bad_before, total_before = (np.bincount(member, count) for count in counts)
            expected = total * (bad_before + 0.5) / (total_before + 1)
            score = np.where(bad > expected, xlogy(bad, bad / np.maximum(expected, 1e-9)) - (bad - expected), 0.0)
            for number in np.argsort(-score)[:_LOOKED_AT]:
                codes = table.codes[example[number]]
                yield (
                    float(score[number]),
                    frozenset((names[column], table.values[column][codes[column]]) for column in columns),
                )


def _tell_folds(cases: Sequence[Case], answers: Sequence[Answer]) -> None:
    """Report the figures of parts of the cases, a whole stream in one part: how much they differ by what is asked."""
    streams = sorted({case.stream for case in cases})
    parts = [
        [number for number, case in enumerate(cases) if streams.index(case.stream) % _FOLDS == fold]
        for fold in range(min(_FOLDS, len(streams)))
    ]
    for name, figure in (("rs_f1", _f1), ("rs_hit3", _hits)):
        found = [figure([cases[one] for one in part], [answers[one] for one in part]) for part in parts]
        print(
            f"{name}: by streams in {len(parts)} parts: mean {fmean(found):.3f}, worst {min(found):.3f}",
            file=sys.stderr,
        )


def _f1(cases: Sequence[Case], answers: Sequence[Answer]) -> float:
    pairs = [(case.causes, answer.causes) for case, answer in zip(cases, answers, strict=True)]
    right = sum(len(true & named) for true, named in pairs)
    return 2 * right / sum(len(true) + len(named) for true, named in pairs)


def _hits(cases: Sequence[Case], answers: Sequence[Answer]) -> float:
    pairs = zip(cases, answers, strict=True)
    return float(np.mean([bool(case.causes & set(answer.ranked[:_LOOKED_AT])) for case, answer in pairs]))


def _milliseconds(answers: Sequence[Answer]) -> float:
    return float(np.mean([answer.milliseconds for answer in answers]))
