"""Locate the pod of an injected fault from metrics, logs and traces together: AS@1 and AS@3 of Nezha."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.research.service_behaviour import Behaviour, behaviour, compared
from detection.research.service_suspects import ClueKind, Pattern, Reading, suspects
from detection.types import Floats
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.nezha_data import (
    Fault,
    Metric,
    Records,
    days,
    edge_metrics,
    fault_free_records,
    fault_records,
    faults,
    pod_metrics,
)
from tests.benchmarks.reading import read_or_skipped

AS1_AT_LEAST, AS3_AT_LEAST = 0.50, 0.70
PEER = "the same ranking from metrics alone"
OWN_METRICS = ("CpuUsageRate", "PodServerLatency")
"""Metrics of a pod itself: its load and its response time. Waiting times are left out: they depend on other pods."""

_FAULT_SECONDS = 240.0
_AFTERMATH_SECONDS = 360.0
_ALIKE_SHARE, _ALIKE_DELAY_SECONDS = 0.1, 0.002
_EARLIER_SECONDS = 300.0


def run(data: Path) -> Iterator[Figure]:
    """Yield the share of faults whose pod is ranked first, and among the first three, over all days in the folder.

    The fault-free minutes, and those shortly before each injection, are the normal behaviour. Some days have no logs
    and traces; then only metrics are used. Raises NothingToMeasureError.
    """
    places: list[tuple[float, float]] = []
    for folder in days(data / "nezha"):
        day = read_or_skipped("nezha", folder.name, partial(_read, folder))
        if day is not None:
            places += _places(day)
    if not places:
        raise NothingToMeasureError(
            f"there is no DAY/DAY-fault_list.json with faults, and metrics or records beside it, under {data / 'nezha'}"
        )
    ours, peers = np.array(places).T
    for name, first, bound in (("nezha_as1", 1, AS1_AT_LEAST), ("nezha_as3", 3, AS3_AT_LEAST)):
        share, peer_share = float(np.mean(ours <= first)), float(np.mean(peers <= first))
        yield Figure(name, share, "share of faults", PEER, peer_share, at_least=bound)


@dataclass(frozen=True, slots=True)
class Day:
    """A day's faults, the metrics of its pods and edges, the records around each fault and those without a fault."""

    faults: Sequence[Fault]
    metrics: Sequence[Metric]
    records: Sequence[Records]
    fault_free: Records


def _read(folder: Path) -> Day:
    """Read a day. Raises ValueError if it has only the list of faults, without metrics or records of them."""
    injected = faults(folder)
    metrics = pod_metrics(folder, OWN_METRICS)
    edges = edge_metrics(folder, sorted({metric.pod for metric in metrics}))
    day = Day(
        injected, [*metrics, *edges], [fault_records(folder, fault) for fault in injected], fault_free_records(folder)
    )
    if not any(metric.times.size for metric in day.metrics) and not any(
        own.calls or own.occurrences for own in day.records
    ):
        raise ValueError("it has neither metrics nor records of its faults")
    return day


def _places(day: Day) -> list[tuple[float, float]]:
    """Return the rank of each fault's pod, by all data and by metrics alone; infinite if the pod is not ranked."""
    injected = day.faults
    during = [_behaviour(own.between(fault.at, np.inf)) for own, fault in zip(day.records, injected, strict=True)]
    before = [
        _behaviour(own.between(fault.at - _EARLIER_SECONDS, fault.at))
        for own, fault in zip(day.records, injected, strict=True)
    ]
    normal = [_behaviour(day.fault_free), *before]
    found: list[tuple[float, float]] = []
    for fault, behaved in zip(injected, during, strict=True):
        measured = [reading for metric in day.metrics if (reading := _reading(metric, fault, injected))]
        readings, patterns = compared(normal, behaved)
        found.append((_place(fault, [*measured, *readings], patterns), _place(fault, measured, [])))
    return found


def _behaviour(records: Records) -> Behaviour:
    return behaviour(records.calls, records.occurrences)


def _place(fault: Fault, readings: Sequence[Reading], patterns: Sequence[Pattern]) -> float:
    ranked = [suspect.part for suspect in suspects(readings, patterns)]
    return ranked.index(fault.pod) + 1.0 if fault.pod in ranked else float("inf")


def _reading(metric: Metric, fault: Fault, injected: Sequence[Fault]) -> Reading | None:
    """Return the metric during the fault, and in normal minutes: outside all faults and the time shortly after them."""
    normal = metric.values[~_disturbed(metric.times, injected)]
    during = metric.values[(metric.times > fault.at) & (metric.times <= fault.at + _FAULT_SECONDS)]
    if not np.isfinite(normal).any():
        return None
    is_edge = "_" in metric.name
    floor = _ALIKE_DELAY_SECONDS if is_edge else _ALIKE_SHARE * abs(float(np.nanmedian(normal)))
    return Reading(metric.pod, ClueKind.NETWORK if is_edge else ClueKind.METRIC, metric.name, normal, during, floor)


def _disturbed(times: Floats, injected: Sequence[Fault]) -> NDArray[np.bool_]:
    starts = np.array([fault.at for fault in injected])[:, None]
    return np.asarray(((times >= starts) & (times <= starts + _AFTERMATH_SECONDS)).any(axis=0))
