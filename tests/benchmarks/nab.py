"""The watch of custom metrics on the Numenta Anomaly Benchmark: one configuration for all files.

Each file is replayed as `argux backtest` does it, through the watch that workers run, from an empty memory. What counts
is when an incident would have been opened; while one is open, nothing new is reported.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.backtest.csv_history import History
from bot.backtest.metric import replay
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.nab_scoring import RawScore, Weights, probation, raw_score
from tests.benchmarks.reading import read_or_skipped
from workers.settings import Settings

PEER = "a detector that is silent, same run (measured on the whole set: HTM 70.1, kNN-CAD 58.0, windowed Gaussian 39.6)"
LOW_FP_PEER = "a detector that is silent, same run"
AT_LEAST_STANDARD, AT_LEAST_LOW_FP = 60.0, 46.0
AT_LEAST_FOUND, MOST_FALSE_ALARMS = 0.6, 1.5
MONTH_SECONDS = 30 * 86_400.0


@dataclass(frozen=True)
class LabelledFile:
    """One stream of the benchmark; windows are (first, last) indices into it."""

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]


def run(data: Path) -> Iterator[Figure]:
    """Yield the scores of both profiles over all labelled streams under `nab`, windows found and false alarms.

    The figures by folder of files go to standard error. Raises NothingToMeasureError.
    """
    files = list(labelled_files(data / "nab"))
    if not any(file.windows for file in files):
        raise NothingToMeasureError(f"there is no stream with labelled windows under {data / 'nab'}")
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        detected = list(processes.map(opened_incidents, files))
    silent = [np.zeros(len(file.times), dtype=bool) for file in files]
    profiles = read_profiles(data / "nab")
    standard, low_fp = profiles["standard"], profiles["reward_low_FP_rate"]
    _print_folders(files, detected, standard)
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
    found, alarms = windows_found(files, detected), false_alarms_a_month(files, detected)
    yield Figure("nab_windows_found", found, "of the windows", "none", None, at_least=AT_LEAST_FOUND)
    yield Figure("nab_false_alarms", alarms, "a month and series", "none", None, at_most=MOST_FALSE_ALARMS)


def opened_incidents(file: LabelledFile) -> NDArray[np.bool_]:
    """Return at which points of a file an incident would have been opened, (n,)."""
    last = np.append(np.diff(file.times) > 0, True)
    history = History(file.times[last], file.values[last], column="value")
    found = np.zeros(len(file.times), dtype=bool)
    for incident in replay(history, "value", Settings(_env_file=None)).incidents:
        found[max(int(np.searchsorted(file.times, incident.noticed_at)) - 1, 0)] = True
    return found


def windows_found(files: Sequence[LabelledFile], detected: Sequence[NDArray[np.bool_]]) -> float:
    """Return the share of the windows that hold a detection; NaN if there is no window."""
    found = [
        bool(one[first : last + 1].any())
        for file, one in zip(files, detected, strict=True)
        for first, last in file.windows
    ]
    return float(np.mean(found)) if found else float("nan")


def false_alarms_a_month(files: Sequence[LabelledFile], detected: Sequence[NDArray[np.bool_]]) -> float:
    """Return the detections outside of windows, a month of one series, without the probation."""
    alarms, seconds = 0, 0.0
    for file, one in zip(files, detected, strict=True):
        outside, since = one.copy(), probation(len(one))
        outside[:since] = False
        for first, last in file.windows:
            outside[first : last + 1] = False
        alarms += int(outside.sum())
        seconds += float(file.times[-1] - file.times[since])
    return alarms / (seconds / MONTH_SECONDS)


def _print_folders(files: list[LabelledFile], detected: list[NDArray[np.bool_]], weights: Weights) -> None:
    folder_of = [file.name.split("/")[0] for file in files]
    for folder in sorted(set(folder_of)):
        own = [place for place, name in enumerate(folder_of) if name == folder]
        some, found = [files[place] for place in own], [detected[place] for place in own]
        score = total(some, found, weights) if any(file.windows for file in some) else float("nan")
        alarms, share = false_alarms_a_month(some, found), windows_found(some, found)
        text = f"{score:.1f} points, {share:.0%} of the windows found, {alarms:.2f} false alarms a month"
        print(f"  {folder}: {text}", file=sys.stderr)


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
