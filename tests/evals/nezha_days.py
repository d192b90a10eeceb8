"""Reads a day of Nezha's data set: its faults, and the metrics, spans and logs around each."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

_BEFORE = 60 * 60
_AFTER = 4 * 60
_MINUTES = 3
_MOST = 1500
"""Spans and log lines kept of a minute; traces are kept whole, lines evenly."""
_REFERENCE = 10 * 60
"""The fault-free minute of the day is laid this long before the fault, as what is usual."""
_ADDRESS = re.compile(r"[\d.]+")
_NO_MEASURE = frozenset({"Time", "TimeStamp", "PodName", "ServiceName", "time", "timestamp"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What was injected into which pod; `at` is seconds UTC."""

    at: float
    pod: str
    kind: str

    @property
    def service(self) -> str:
        """The pod's service."""
        return service_of(self.pod)


def days(folder: Path) -> list[Path]:
    """Return the days that are there."""
    return sorted(path.parent for path in folder.glob("*/*-fault_list.json"))


def faults(day: Path) -> list[Fault]:
    """Return the day's faults in order of time."""
    hours = json.loads((day / f"{day.name}-fault_list.json").read_text(encoding="utf-8"))
    found = [
        Fault(_seconds(one["inject_time"]), one["inject_pod"], one["inject_type"]) for h in hours.values() for one in h
    ]
    return sorted(found, key=lambda fault: fault.at)


def service_of(pod: str) -> str:
    """Return the service of a pod's name: what stands before the hashes of its replica set and its own."""
    return pod.rsplit("-", 2)[0] if pod.count("-") >= 2 else pod


def stamp(seconds: float) -> str:
    """Return the time in UTC as exports write it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def metric_rows(day: Path, fault: Fault) -> Iterator[str]:
    """Yield rows "timestamp,service,metric,value" of the hour before the fault and the minutes within it."""
    for path in sorted((day / "metric").glob("*_metric.csv*")):
        for row in _around(path, "Time", fault):
            at, service = stamp(_seconds(row["Time"])), service_of(row["PodName"])
            for name, text in row.items():
                value = _number(text)
                if name not in _NO_MEASURE and math.isfinite(value):
                    yield f"{at},{service},{name},{value:g}"
    for path in sorted((day / "metric").glob("source_50.csv*")):
        for row in _around(path, "time", fault):
            at = stamp(_seconds(row["time"]))
            for edge, text in row.items():
                if edge not in _NO_MEASURE and math.isfinite(_number(text)):
                    caller, _, callee = edge.partition("_")
                    yield f"{at},{callee},latency_p50_seconds_seen_by_{caller},{_number(text):g}"


def spans(day: Path, fault: Fault) -> list[dict[str, Any]]:
    """Return the spans of the fault's minutes and of the fault-free minute; none where the day has metrics only."""
    found: list[dict[str, Any]] = []
    for path, shift in _files(day, fault, "trace"):
        traces: dict[str, list[dict[str, Any]]] = {}
        for row in _rows(path):
            traces.setdefault(row["TraceID"], []).append(_span(row, shift))
        kept = 0
        for trace in sorted(traces):
            if kept < _MOST:
                found += traces[trace]
                kept += len(traces[trace])
    return found


def log_rows(day: Path, fault: Fault) -> list[dict[str, Any]]:
    """Return the log lines of the fault's minutes and of the fault-free minute."""
    found: list[dict[str, Any]] = []
    for path, shift in _files(day, fault, "log"):
        rows = list(_rows(path))
        found += [_line(row, shift) for row in rows[:: max(len(rows) // _MOST, 1)]]
    return found


def edges(day: Path, found: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return who calls whom: from the spans, else from the day's list of dependencies."""
    services = {(span["trace_id"], span["span_id"]): span["service"] for span in found}
    called = {(services.get((span["trace_id"], span["parent_id"]), span["service"]), span["service"]) for span in found}
    if not found:
        called |= {edge for edge in _dependencies(day) if not _ADDRESS.fullmatch(edge[1])}
    return sorted(edge for edge in called if edge[0] != edge[1])


def places(day: Path) -> dict[str, str]:
    """Return the node on which each service runs, as far as the day's list of dependencies says so."""
    return {service: node for service, node in _dependencies(day) if _ADDRESS.fullmatch(node)}


def _dependencies(day: Path) -> list[tuple[str, str]]:
    """Return the day's list of who depends on whom: services on services, and services on the addresses of nodes."""
    paths = sorted((day / "metric").glob("dependency.csv*"))
    return [(row["Source"], row["Target"]) for path in paths for row in _rows(path)]


def _files(day: Path, fault: Fault, kind: str) -> Iterator[tuple[Path, float]]:
    """Yield the files of the fault's minutes and the fault-free one, with the seconds by which it is to be shifted."""
    for ahead in range(_MINUTES):
        minute = datetime.fromtimestamp(fault.at + 60 * ahead, UTC)
        for path in sorted((day / kind).glob(f"{minute:%H_%M}_{kind}.csv*")):
            yield path, 0.0
    for path in sorted((day / f"faultfree_{kind}").glob(f"*_{kind}.csv*"))[:1]:
        hours, minutes = path.name.split("_")[:2]
        began = datetime.fromtimestamp(fault.at, UTC).replace(hour=int(hours), minute=int(minutes), second=0)
        yield path, round(fault.at - _REFERENCE - began.timestamp())


def _span(row: dict[str, str], shift: float) -> dict[str, Any]:
    return {
        "trace_id": row["TraceID"] + ("f" if shift else ""),
        "span_id": row["SpanID"],
        "parent_id": None if row["ParentID"] == "root" else row["ParentID"],
        "service": service_of(row["PodName"]),
        "name": row["OperationName"],
        "start": _to_the_millisecond(int(row["StartTimeUnixNano"]) / 1e9 + shift),
        "duration_ms": round(float(row["Duration"]) / 1000, 3),
        "status": "OK",
    }


def _to_the_millisecond(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(row: dict[str, str], shift: float) -> dict[str, Any]:
    try:
        text = str(json.loads(row["Log"])["log"]).strip()
    except (ValueError, KeyError, TypeError):
        text = row["Log"].strip()
    level = next((word for word in ("ERROR", "WARN", "DEBUG") if f" {word} " in text[:60]), "INFO")
    return {
        "timestamp": stamp(int(row["TimeUnixNano"]) / 1e9 + shift),
        "service": service_of(row["PodName"]),
        "severity_text": level,
        "msg": text,
        "trace_id": row["TraceID"],
        "node": row["Node"],
    }


def _around(path: Path, column: str, fault: Fault) -> Iterator[dict[str, str]]:
    for row in _kept_rows(path):
        if fault.at - _BEFORE <= _seconds(row[column]) <= fault.at + _AFTER:
            yield row


@lru_cache(maxsize=128)
def _kept_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of metrics, which every fault of its day reads again."""
    return list(_rows(path))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with _opened(path) as file:
        yield from csv.DictReader(file)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")


def _seconds(text: str) -> float:
    return datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")
