"""Read the Nezha data set: faults injected into two microservice systems, with their metrics, logs and traces.

Times are those of the records, in UTC. Other times in the data are not read: log texts show local time, some values of
inject_timestamp are hours off, and the TimeStamp column of one pod is years ahead.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import numpy as np

from detection.research.service_behaviour import Call, Occurrence
from detection.types import Floats

_PLACE_IN_CODE = re.compile(r"\b(INFO|WARN|ERROR|DEBUG)\b\s+([\w$.]+#\d+)")
_VARIABLE = re.compile(r"[0-9a-f]{8,}|\d+")
_IDENTIFIERS = re.compile(r"TraceID: \w+ SpanID: \w+")
_LONGEST_EVENT = 80
_MINUTES_OF_A_FAULT = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """The time of an injected fault, in seconds UTC, and its pod."""

    at: float
    pod: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a pod, or the network delay of an edge into it; times and values are (minutes,)."""

    pod: str
    name: str
    times: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Records:
    """The calls and logged events of a time."""

    calls: tuple[Call, ...]
    occurrences: tuple[Occurrence, ...]

    def between(self, since: float, until: float) -> Records:
        """Return the records that began in [since, until)."""
        return Records(
            tuple(call for call in self.calls if since <= call.started_at < until),
            tuple(one for one in self.occurrences if since <= one.happened_at < until),
        )


def days(folder: Path) -> list[Path]:
    """Return the folders of the days that are present."""
    return sorted(path.parent for path in folder.glob("*/*-fault_list.json"))


def faults(day: Path) -> list[Fault]:
    """Return the day's faults, oldest first."""
    hours: Mapping[str, Sequence[Mapping[str, str]]] = json.loads(
        (day / f"{day.name}-fault_list.json").read_text(encoding="utf-8")
    )
    found = [Fault(_seconds(one["inject_time"]), one["inject_pod"]) for hour in hours.values() for one in hour]
    return sorted(found, key=lambda fault: fault.at)


def fault_records(day: Path, fault: Fault) -> Records:
    """Read the records of the minutes from a fault on, beginning with its own; empty if the day has only metrics."""
    minutes = [datetime.fromtimestamp(fault.at + 60 * ahead, UTC) for ahead in range(_MINUTES_OF_A_FAULT)]
    return _records(day, "", [f"{minute:%H_%M}" for minute in minutes])


def fault_free_records(day: Path) -> Records:
    """Read the records of the minutes without faults."""
    names = [path.name.split("_log")[0] for path in sorted((day / "faultfree_log").glob("*_log.csv*"))]
    return _records(day, "faultfree_", names)


def pod_metrics(day: Path, columns: Sequence[str]) -> list[Metric]:
    """Read the metrics of every pod whose column names contain one of `columns`."""
    found: list[Metric] = []
    for path in sorted((day / "metric").glob("*_metric.csv*")):
        rows = list(_rows(path))
        times = np.array([_seconds(row["Time"]) for row in rows])
        for name in rows[0] if rows else ():
            if any(word in name for word in columns):
                values = np.array([_number(row[name]) for row in rows])
                found.append(Metric(rows[0]["PodName"], name, times, values))
    return found


def edge_metrics(day: Path, pods: Sequence[str]) -> list[Metric]:
    """Return the network delay of each "caller_callee" edge in seconds: the caller's time less the callee's."""
    sides = [next(iter(sorted((day / "metric").glob(f"{side}_50.csv*"))), None) for side in ("source", "destination")]
    if sides[0] is None or sides[1] is None:
        return []
    caller_rows, callee_rows = list(_rows(sides[0])), list(_rows(sides[1]))
    size = min(len(caller_rows), len(callee_rows))
    times = np.array([_seconds(row["time"]) for row in caller_rows[:size]])
    found: list[Metric] = []
    for edge in caller_rows[0].keys() & callee_rows[0].keys() - {"time", "timestamp"}:
        pod = next((pod for pod in pods if pod.startswith(edge.split("_")[1] + "-")), None)
        delays = [
            _number(caller[edge]) - _number(callee[edge])
            for caller, callee in zip(caller_rows[:size], callee_rows[:size], strict=True)
        ]
        if pod is not None:
            found.append(Metric(pod, edge, times, np.array(delays)))
    return found


def _records(day: Path, prefix: str, minutes: Sequence[str]) -> Records:
    """Read records of the given minutes; drop duplicates, since files overlap."""
    calls: dict[tuple[str, str], Call] = {}
    occurrences: dict[tuple[str, str, str, float], Occurrence] = {}
    for minute in minutes:
        for path in (day / f"{prefix}trace").glob(f"{minute}_trace.csv*"):
            calls.update({(call.trace_id, call.span_id): call for call in map(_call, _rows(path))})
        for path in (day / f"{prefix}log").glob(f"{minute}_log.csv*"):
            found = map(_occurrence, _rows(path))
            occurrences.update({(one.trace_id, one.span_id, one.event, one.happened_at): one for one in found})
    return Records(tuple(calls.values()), tuple(occurrences.values()))


def _call(row: Mapping[str, str]) -> Call:
    return Call(
        trace_id=row["TraceID"],
        span_id=row["SpanID"],
        parent_id=None if row["ParentID"] == "root" else row["ParentID"],
        part=row["PodName"],
        operation=row["OperationName"],
        started_at=int(row["StartTimeUnixNano"]) / 1e9,
        duration_ms=float(row["Duration"]) / 1000,
    )


def _occurrence(row: Mapping[str, str]) -> Occurrence:
    try:
        text = str(json.loads(row["Log"])["log"])
    except (ValueError, KeyError, TypeError):
        text = row["Log"]
    at = int(row["TimeUnixNano"]) / 1e9
    return Occurrence(row["TraceID"], row["SpanID"], row["PodName"], _event(text), at)


def _event(text: str) -> str:
    """Return the log level and code location in a line; without them, its text without numbers and identifiers."""
    place = _PLACE_IN_CODE.search(text)
    if place:
        return f"{place[1]} {place[2]}"
    return _VARIABLE.sub("<*>", _IDENTIFIERS.sub("", text).strip()[:_LONGEST_EVENT])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with _opened(path) as file:
        yield from csv.DictReader(file)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")


def _seconds(text: str) -> float:
    return datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _number(text: str) -> float:
    return float(text) if text not in ("", "NaN", "nan") else float("nan")
