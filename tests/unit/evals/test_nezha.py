"""A fault of Nezha as an exported incident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.figures import NothingToMeasureError
from tests.evals.nezha import cases, grade
from tests.evals.nezha_days import service_of
from tests.evals.plain_answer import PlainAnswer

POD, CALLER = "cart-service-5d8f-x2x4q", "web-7c9d-abcde"
HEADER = "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A day with one fault at 09:13:30, its metrics, and spans and a line of its first minute."""
    day = tmp_path / "nezha" / "2023-01-29"
    for folder in ("metric", "trace", "log", "faultfree_trace"):
        (day / folder).mkdir(parents=True)
    fault = {"inject_time": "2023-01-29 09:13:30", "inject_pod": POD, "inject_type": "return"}
    (day / "2023-01-29-fault_list.json").write_text(json.dumps({"09": [fault]}))
    rows = [
        "2023-01-29 07:00:00 +0000 UTC,1,{0},9",
        "2023-01-29 09:10:00 +0000 UTC,1,{0},5",
        "2023-01-29 09:14:00,1,{0},",
    ]
    (day / "metric" / f"{POD}_metric.csv").write_text(
        "Time,TimeStamp,PodName,CpuUsageRate(%)\n" + "\n".join(row.format(POD) for row in rows)
    )
    second = 1674983610_000000000
    spans = f"t,a,root,{CALLER},GET /,{second},{second},9000\nt,b,a,{POD},get,{second},{second},8000\n"
    (day / "trace" / "09_13_trace.csv").write_text(HEADER + spans)
    (day / "faultfree_trace" / "08_00_trace.csv").write_text(HEADER + spans.replace("1674983610", "1674979230"))
    (day / "log" / "09_13_log.csv").write_text(
        f'TimeUnixNano,Node,PodName,TraceID,Log\n{second},10.0.0.7,{POD},t,"{{""log"":""17:13 ERROR lost\\n""}}"\n'
    )
    return tmp_path / "nezha"


def test_a_fault_becomes_an_incident_that_names_no_service(data: Path, tmp_path: Path) -> None:
    (case,) = cases(data, tmp_path / "out")
    alert = json.loads((case.folder / "alert.json").read_text())
    assert alert["fired_at"] == "2023-01-29T09:16:30Z"
    assert "service" not in alert
    assert case.truth["origin_service"] == "cart-service"


def test_usual_minutes_are_laid_before_the_fault_and_only_numbers_are_kept(data: Path, tmp_path: Path) -> None:
    (case,) = cases(data, tmp_path / "out")
    assert (case.folder / "metrics.csv").read_text().splitlines()[1:] == [
        "2023-01-29T09:01:30Z,cart-service,CpuUsageRate(%),9,,",
        "2023-01-29T09:02:30Z,cart-service,CpuUsageRate(%),5,,",
    ]


def test_the_delay_of_the_network_is_the_callers_time_less_the_callees(data: Path, tmp_path: Path) -> None:
    metric = data / "2023-01-29" / "metric"
    for side, seconds in (("source", "0.205"), ("destination", "0.005")):
        (metric / f"{side}_50.csv").write_text(f"time,timestamp,web_cart-service\n2023-01-29 09:14:00,1,{seconds}\n")
    (case,) = cases(data, tmp_path / "out")
    rows = (case.folder / "metrics.csv").read_text().splitlines()
    assert "2023-01-29T09:14:00Z,cart-service,network_delay_ms,200,web,cart-service" in rows


def test_spans_give_the_service_map_and_the_quiet_minute_lies_before_the_fault(data: Path, tmp_path: Path) -> None:
    (case,) = cases(data, tmp_path / "out")
    spans = json.loads((case.folder / "traces.json").read_text())
    assert {span["start"] for span in spans} == {"2023-01-29T09:13:30.000000Z", "2023-01-29T09:04:00.000000Z"}
    assert len({(span["trace_id"], span["span_id"]) for span in spans}) == 4
    edges = json.loads((case.folder / "service_map.json").read_text())["edges"]
    assert edges == [{"from": "web", "to": "cart-service"}]


def test_without_spans_the_list_of_dependencies_gives_edges_and_nodes(data: Path, tmp_path: Path) -> None:
    day = data / "2023-01-29"
    for path in (*day.glob("trace/*"), *day.glob("faultfree_trace/*")):
        path.unlink()
    (day / "metric" / "dependency.csv").write_text("Source,Target,Weight\nweb,cart-service,1\nweb,10.0.0.9,1\n")
    (case,) = cases(data, tmp_path / "out")
    read = json.loads((case.folder / "service_map.json").read_text())
    assert read["edges"] == [{"from": "web", "to": "cart-service"}]
    assert read["services"] == [{"name": "cart-service", "node": None}, {"name": "web", "node": "10.0.0.9"}]


def test_a_line_keeps_its_level_and_the_time_of_its_record(data: Path, tmp_path: Path) -> None:
    (case,) = cases(data, tmp_path / "out")
    line = json.loads((case.folder / "logs.ndjson").read_text())
    assert (line["severity_text"], line["timestamp"]) == ("ERROR", "2023-01-29T09:13:30.000000Z")


def test_the_service_of_the_pod_passes_and_another_does_not(data: Path, tmp_path: Path) -> None:
    (case,) = cases(data, tmp_path / "out")
    assert grade(case, PlainAnswer(origin_service="cart-service")).passed
    assert grade(case, PlainAnswer(first_failing_service="cart-service")).passed
    assert not grade(case, PlainAnswer(origin_service="web")).passed
    assert grade(case, PlainAnswer()).abstained


def test_a_folder_without_days_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingToMeasureError, match="no day of Nezha"):
        next(cases(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize(
    ("pod", "service"), [(POD, "cart-service"), ("frontend-579b9bff58-t2dbm", "frontend"), ("redis", "redis")]
)
def test_a_pods_service_stands_before_the_hashes(pod: str, service: str) -> None:
    assert service_of(pod) == service
