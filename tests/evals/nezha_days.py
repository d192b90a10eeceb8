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

_USUAL_MINUTES = 60
_AFTERMATH = 360
_AFTER = 4 * 60
_MINUTES = 3
_MOST, _MOST_USUAL = 4_000, 1_000
"""About how many spans are kept of a minute of the fault's (nearly all), and of a usual one."""
_REFERENCE = 10 * 60
"""The fault-free minute of the day is laid this long before the fault, as what is usual."""
_ADDRESS = re.compile(r"[\d.]+")
_MEASURES = frozenset(
    {
        "CpuUsageRate(%)",
        "MemoryUsageRate(%)",
        "PodServerLatencyP90(s)",
        "PodServerLatencyP95(s)",
        "PodServerLatencyP99(s)",
        "PodWorkload(Ops)",
        "NodeCpuUsageRate(%)",
    }
)
"""What a pod is watched by; the rest counts the same in other units."""
_SUCCESS = "SuccessRate(%)"
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
    """Yield rows "timestamp,service,metric,value,caller,callee" of the fault's minutes and of an hour without a fault.

    That hour is made of the minutes of the day that lie nearest to the fault and in no fault's time: a system in
    production is not broken every eight minutes.
    """
    for path in sorted((day / "metric").glob("*_metric.csv*")):
        for at, row in _placed(day, _kept_rows(path), "Time", fault):
            service = service_of(row["PodName"])
            for name, text in row.items():
                value = _number(text)
                if name in _MEASURES and math.isfinite(value):
                    yield f"{stamp(at)},{service},{name},{value:g},,"
    yield from _success(day, fault)
    for at, row in _placed(day, _delays(day), "time", fault):
        for edge, text in row.items():
            caller, _, callee = edge.partition("_")
            if edge != "time" and math.isfinite(_number(text)):
                yield f"{stamp(at)},{callee},network_delay_ms,{_number(text):g},{caller},{callee}"


def _success(day: Path, fault: Fault) -> Iterator[str]:
    """Yield the share of requests that succeed for users, where the day has it: on some it is 0 all the time."""
    for path in sorted((day / "metric").glob("front_service.csv*")):
        rows = _kept_rows(path)
        if any(_number(row[_SUCCESS]) > 0 for row in rows):
            for at, row in _placed(day, rows, "Time", fault):
                if math.isfinite(_number(row[_SUCCESS])):
                    yield f"{stamp(at)},{row['ServiceName'].lower()},{_SUCCESS},{_number(row[_SUCCESS]):g},,"


def _delays(day: Path) -> list[dict[str, str]]:
    """Return the network's delay on each edge in ms, a row a minute: the caller's median time less the callee's."""
    sides = [next(iter(sorted((day / "metric").glob(f"{side}_50.csv*"))), None) for side in ("source", "destination")]
    if sides[0] is None or sides[1] is None:
        return []
    found = []
    for ours, theirs in zip(_kept_rows(sides[0]), _kept_rows(sides[1]), strict=False):
        edges_of_both = ours.keys() & theirs.keys() - _NO_MEASURE
        delays = {edge: f"{1000 * (_number(ours[edge]) - _number(theirs[edge])):g}" for edge in sorted(edges_of_both)}
        found.append({"time": ours["time"], **delays})
    return found


def _placed(
    day: Path, rows: Sequence[dict[str, str]], column: str, fault: Fault
) -> Iterator[tuple[float, dict[str, str]]]:
    """Yield (seconds, row): the fault's own rows when they were, usual ones a minute apart before it."""
    timed = [(_seconds(row[column]), row) for row in rows]
    began = [one.at for one in faults(day)]
    usual = [(at, row) for at, row in timed if not any(-60 <= at - start <= _AFTERMATH for start in began)]
    nearest = sorted(sorted(usual, key=lambda one: abs(one[0] - fault.at))[:_USUAL_MINUTES], key=lambda one: one[0])
    for place, (_, row) in enumerate(nearest):
        yield fault.at - _REFERENCE - 60 * (len(nearest) - place), row
    yield from ((at, row) for at, row in timed if fault.at < at <= fault.at + _AFTER)


def records(day: Path, fault: Fault) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the spans and the log lines of the fault's minutes and of the usual ones; none of a day of metrics only.

    Traces are kept whole, as many as _MOST spans of a minute allow, and of the lines those of these traces.
    """
    found: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for period in _periods(day, fault):
        traces, logged = _read_period(day, period)
        kept: dict[str, None] = {}
        count = 0
        for trace in sorted(traces):
            if count >= (_MOST_USUAL if period.shift else _MOST):
                break
            kept[trace] = None
            count += len(traces[trace])
        found += [_span(row, period.shift) for trace in kept for row in traces[trace]]
        lines += [_line(row, period.shift) for trace in kept for row in logged.get(trace, ())]
    return found, lines


@dataclass(frozen=True, slots=True)
class _Period:
    """Records of the files of `minute` from `since` on and before `until`, seconds UTC, to be shifted."""

    folder: str
    minute: str
    since: float
    until: float
    shift: float


def _periods(day: Path, fault: Fault) -> Iterator[_Period]:
    """Yield the fault's minutes; then, laid minute by minute before it, the seconds before the faults of the day."""
    for ahead in range(_MINUTES):
        then = datetime.fromtimestamp(fault.at + 60 * ahead, UTC)
        yield _Period("", f"{then:%H_%M}", fault.at, math.inf, 0.0)
    usual = [
        ("faultfree_", path.name.split("_trace")[0], math.inf) for path in (day / "faultfree_trace").glob("*.csv*")
    ]
    for one in faults(day):
        usual.append(("", f"{datetime.fromtimestamp(one.at, UTC):%H_%M}", one.at))
    for place, (folder, minute, until) in enumerate(usual):
        hours, minutes = (int(part) for part in minute.split("_")[:2])
        began = datetime.fromtimestamp(fault.at, UTC).replace(hour=hours, minute=minutes, second=0).timestamp()
        laid = fault.at - _REFERENCE - 60 * place
        yield _Period(folder, minute, 0.0, until, laid - began if laid != began else 1e-6)


def _read_period(day: Path, period: _Period) -> tuple[dict[str, list[dict[str, str]]], dict[str, list[dict[str, str]]]]:
    kinds = []
    for kind, column in (("trace", "StartTimeUnixNano"), ("log", "TimeUnixNano")):
        rows: dict[str, list[dict[str, str]]] = {}
        for path in sorted((day / f"{period.folder}{kind}").glob(f"{period.minute}_{kind}.csv*")):
            for row in _kept_rows(path):
                if period.since <= int(row[column]) / 1e9 < period.until:
                    rows.setdefault(row["TraceID"], []).append(row)
        kinds.append(rows)
    return kinds[0], kinds[1]


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


def _span(row: dict[str, str], shift: float) -> dict[str, Any]:
    return {
        "trace_id": _trace_id(row, shift),
        "span_id": row["SpanID"],
        "parent_id": None if row["ParentID"] == "root" else row["ParentID"],
        "service": service_of(row["PodName"]),
        "name": row["OperationName"],
        "start": _to_the_microsecond(int(row["StartTimeUnixNano"]) / 1e9 + shift),
        "duration_ms": round(float(row["Duration"]) / 1000, 3),
        "status": "OK",
    }


def _trace_id(row: dict[str, str], shift: float) -> str:
    """A request that is laid elsewhere too, as usual for one fault and of another's time, is two."""
    return row["TraceID"] + (f"f{abs(round(shift)) % 100_000}" if shift else "")


def _to_the_microsecond(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(row: dict[str, str], shift: float) -> dict[str, Any]:
    try:
        text = str(json.loads(row["Log"])["log"]).strip()
    except (ValueError, KeyError, TypeError):
        text = row["Log"].strip()
    level = next((word for word in ("ERROR", "WARN", "DEBUG") if f" {word} " in text[:60]), "INFO")
    return {
        "timestamp": _to_the_microsecond(int(row["TimeUnixNano"]) / 1e9 + shift),
        "service": service_of(row["PodName"]),
        "severity_text": level,
        "msg": text,
        "trace_id": _trace_id(row, shift),
        "node": row["Node"],
    }


@lru_cache(maxsize=512)
def _kept_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file, which every fault of its day reads again."""
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
