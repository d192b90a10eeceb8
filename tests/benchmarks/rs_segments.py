"""Locate the root-cause combinations of real live-video incidents exactly, with one configuration for all."""

from __future__ import annotations

import ast
import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from detection.types import Floats
from detection.where.cells import Cells, counted_cells, grouped
from detection.where.combinations import rank_combinations
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.reading import read_or_skipped

F1_AT_LEAST, HIT_AT_LEAST, MS_AT_MOST = 0.65, 0.88, 50.0
PEER = "plain Poisson scan"
_MINUTES_BEFORE = 4
_LOOKED_AT = 3
_ROUNDS = 3

Where = frozenset[tuple[str, str]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Case:
    """The rows of one incident: the minute of the anomaly and the four minutes before it."""

    columns: Mapping[str, Sequence[str]]
    bad: Floats
    total: Floats
    is_now: NDArray[np.bool_]
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
    kept = [row for row in rows if int(row["min"]) in {*minutes, timestamp}]
    if not any(int(row["min"]) == timestamp for row in kept):
        raise ValueError(f"it has no row of minute {timestamp}")
    return Case(
        columns={name: [row[name] for row in kept] for name in rows[0] if name not in ("min", "value", "cnt")},
        bad=np.array([float(row["value"]) for row in kept]),
        total=np.array([float(row["cnt"]) for row in kept]),
        is_now=np.array([int(row["min"]) == timestamp for row in kept]),
        causes=frozenset(frozenset((key, str(value)) for key, value in one.items()) for one in causes),
    )


def _ours(case: Case) -> Answer:
    answer, took = _timed(lambda: rank_combinations(_cells(case)))
    ranked = tuple(frozenset(combination.where) for combination in answer.ranked)
    return Answer(frozenset(ranked[: len(answer.causes)]), ranked, took)


def _peer(case: Case) -> Answer:
    """Run the textbook scan: Poisson counts against the past rate of each cuboid; the best one is the cause."""
    scored, took = _timed(lambda: sorted(_poisson_scores(_cells(case)), key=lambda pair: -pair[0])[:_LOOKED_AT])
    ranked = tuple(where for _, where in scored)
    return Answer(frozenset(ranked[:1]), ranked, took)


def _cells(case: Case) -> Cells:
    return counted_cells(case.columns, case.bad, case.total, is_now=case.is_now)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result of `work`, and the median CPU time of all threads in milliseconds."""
    seconds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return result, 1000 * median(seconds)


def _poisson_scores(cells: Cells) -> Iterator[tuple[float, Where]]:
    names = cells.dimensions
    for size in (1, 2, 3):
        for columns in combinations(range(len(names)), size):
            member, example = grouped(cells.codes[:, columns])
            bad, total, bad_before, total_before = (
                np.bincount(member, counts) for counts in (cells.bad, cells.total, cells.bad_before, cells.total_before)
            )
            expected = total * (bad_before + 0.5) / (total_before + 1)
            score = np.where(bad > expected, xlogy(bad, bad / np.maximum(expected, 1e-9)) - (bad - expected), 0.0)
            for number in np.argsort(-score)[:_LOOKED_AT]:
                codes = cells.codes[example[number]]
                yield (
                    float(score[number]),
                    frozenset((names[column], cells.values[column][codes[column]]) for column in columns),
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
