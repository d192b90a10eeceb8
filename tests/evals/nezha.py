"""Nezha's injected faults as exported incidents: an alert without a service, metrics, spans, logs and a service map.

Nezha (Yu et al., ESEC/FSE 2023). Times are those of the records, UTC: the text of its logs shows local time, some
inject_timestamps are hours off and one pod's TimeStamp column lies years ahead, so none of those is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import NothingToMeasureError
from tests.evals.cases import Case, read_case
from tests.evals.marks import Mark
from tests.evals.nezha_days import Fault, days, edges, faults, metric_rows, places, records, stamp
from tests.evals.seam import Answer

_SECONDS_UNTIL_ALERT = 180
"""The alert fires at the end of the three minutes whose logs and spans the data set keeps."""


def cases(data: Path, scratch: Path) -> Iterator[Case]:
    """Convert every fault below `data`, each into a folder below `scratch`. Raises NothingToMeasureError."""
    found = days(data)
    if not found:
        raise NothingToMeasureError(f"no day of Nezha in {data}")
    for day in found:
        for number, fault in enumerate(faults(day)):
            folder = scratch / f"{day.name}-{number:02d}"
            export(day, fault, folder)
            yield read_case(folder, "nezha", group=f"nezha/{fault.kind}")


def export(day: Path, fault: Fault, folder: Path) -> None:
    """Write one fault as the folder of an exported incident, with the truth beside."""
    (folder / "context").mkdir(parents=True)
    fired = stamp(fault.at + _SECONDS_UNTIL_ALERT)
    alert = {
        "metric": "user_experience",
        "fired_at": fired,
        "severity": "critical",
        "summary": "Pages are slow or fail",
    }
    _write(folder / "alert.json", alert)
    with (folder / "metrics.csv").open("w", encoding="utf-8") as file:
        file.write("timestamp,service,metric,value,caller,callee\n")
        file.writelines(f"{row}\n" for row in metric_rows(day, fault))
    found, lines = records(day, fault)
    if found:
        _write(folder / "traces.json", found)
    if lines:
        (folder / "logs.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    called = edges(day, found)
    nodes = places(day)
    services = [{"name": name, "node": nodes.get(name)} for name in sorted({name for edge in called for name in edge})]
    calls = [{"from": caller, "to": callee} for caller, callee in called]
    _write(folder / "service_map.json", {"services": services, "edges": calls})
    _write(folder / "truth.json", {"origin_service": fault.service, "kind": fault.kind, "injected_at": stamp(fault.at)})


def grade(case: Case, answer: Answer) -> Mark:
    """Mark an answer: it passes if the service of the pod into which the fault was injected is the origin (AS@1)."""
    origin = answer.origin_service or answer.first_failing_service
    return Mark(
        case,
        answer,
        passed=origin is not None and origin.lower() == str(case.truth["origin_service"]).lower(),
        abstained=origin is None,
    )


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
