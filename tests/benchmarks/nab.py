"""Anomaly detection in single metrics: the Numenta Anomaly Benchmark with one threshold for all files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.research.online_detector import score_stream
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.nab_scoring import RawScore, Weights, raw_score
from tests.benchmarks.reading import read_or_skipped

PEER = "a detector that is silent, same run (measured on the whole set: HTM 70.1, kNN-CAD 58.0, windowed Gaussian 39.6)"
LOW_FP_PEER = "a detector that is silent, same run"
AT_LEAST_STANDARD, AT_LEAST_LOW_FP = 50.0, 46.0


@dataclass(frozen=True)
class LabelledFile:
    """One stream of the benchmark; windows are (first, last) indices into it."""

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]


def run(data: Path) -> Iterator[Figure]:
    """Yield the score of both profiles over all labelled streams under `nab`.

    One detector with one threshold scores all files; each point is scored from the points before it alone.
    Raises NothingToMeasureError.
    """
    files = list(labelled_files(data / "nab"))
    if not any(file.windows for file in files):
        raise NothingToMeasureError(f"there is no stream with labelled windows under {data / 'nab'}")
    detected = [score_stream(file.times, file.values).anomalous for file in files]
    silent = [np.zeros(len(file.times), dtype=bool) for file in files]
    profiles = read_profiles(data / "nab")
    standard, low_fp = profiles["standard"], profiles["reward_low_FP_rate"]
    yield Figure(
        "nab_standard",
        total(files, detected, standard),
        "points",
        peer=PEER,
        peer_value=total(files, silent, standard),
        at_least=AT_LEAST_STANDARD,
    )
    yield Figure(
        "nab_low_fp",
        total(files, detected, low_fp),
        "points",
        peer=LOW_FP_PEER,
        peer_value=total(files, silent, low_fp),
        at_least=AT_LEAST_LOW_FP,
    )


def total(files: list[LabelledFile], detected: list[NDArray[np.bool_]], weights: Weights) -> float:
    """Return the normalised score over all files."""
    scores = [raw_score(found, file.windows, weights) for file, found in zip(files, detected, strict=True)]
    return sum(scores, RawScore(0.0, 0)).normalised(weights)


def read_profiles(folder: Path) -> dict[str, Weights]:
    """Read the benchmark's application profiles by name."""
    profiles = json.loads((folder / "config" / "profiles.json").read_text())
    return {
        name: Weights(matrix["tpWeight"], matrix["fnWeight"], matrix["fpWeight"])
        for name, profile in profiles.items()
        for matrix in [profile["CostMatrix"]]
    }


def labelled_files(folder: Path) -> Iterator[LabelledFile]:
    """Yield every stream in the folder that has labels, in order of name; none if there is no file of labels."""
    path = folder / "labels" / "combined_windows.json"
    labels = json.loads(path.read_text()) if path.exists() else {}
    for path in sorted((folder / "data").glob("*/*.csv")):
        name = f"{path.parent.name}/{path.name}"
        if name not in labels:
            continue
        found = read_or_skipped("nab", name, partial(_labelled, path, name, labels[name]))
        if found is not None:
            yield found


def _labelled(path: Path, name: str, limits: list[list[str]]) -> LabelledFile:
    with path.open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    times = np.array([_seconds(row[0]) for row in rows])
    values = np.array([float(row[1]) for row in rows])
    if not np.isfinite(values).all():
        raise ValueError("a value is no number")
    return LabelledFile(name, times, values, tuple(_windows(times, limits)))


def _windows(times: NDArray[np.float64], limits: list[list[str]]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each window; leave out windows outside the stream."""
    for since, until in limits:
        first = int(np.searchsorted(times, _seconds(since), side="left"))
        last = int(np.searchsorted(times, _seconds(until), side="right")) - 1
        if first <= last:
            yield first, last


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
