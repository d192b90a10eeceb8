"""A folder is read whatever of it is there; what is broken is told with its place, and the rest is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.investigate.folder import read_folder
from detection.types import EdgeKind, SpanKind
from integrations.inbound.otlp.doors import parse_traces
from tests.unit.bot.investigate.exports import ALERT, write
from workers.diagnosis.changes.text.patches import blocks_of


def test_an_empty_folder_holds_nothing_and_has_no_problems(tmp_path: Path) -> None:
    found = read_folder(tmp_path)

    assert found.alert is None
    assert found.problems.told() == ()


def test_log_lines_get_their_service_severity_and_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        "logs.ndjson",
        '{"timestamp": "2026-05-04T10:39:00Z", "service": "checkout", "severity_text": "ERROR", '
        '"msg": "card declined"}\n',
    )

    (record,) = read_folder(tmp_path).logs

    assert (record.service, record.severity, record.body) == ("checkout", "ERROR", "card declined")
    assert record.happened_at == 1777891140.0


def test_a_broken_log_line_is_told_by_its_number_and_the_others_are_used(tmp_path: Path) -> None:
    write(tmp_path, "logs.ndjson", '{"timestamp": "2026-05-04T10:39:00Z", "msg": "a"}\n\n{nonsense\n')

    found = read_folder(tmp_path)

    assert len(found.logs) == 1
    assert [problem for problem in found.problems.told() if problem.startswith("logs.ndjson, line 3: ")]


def test_metrics_keep_further_columns_as_attributes(tmp_path: Path) -> None:
    write(
        tmp_path,
        "metrics.csv",
        "timestamp,service,metric,value,country\n2026-05-04T10:39:00Z,checkout,orders_per_minute,41,DE\n",
    )

    (point,) = read_folder(tmp_path).points

    assert (point.service, point.name, point.value, point.attributes) == (
        "checkout",
        "orders_per_minute",
        41.0,
        {"country": "DE"},
    )


def test_a_sample_without_a_number_is_told_by_its_line(tmp_path: Path) -> None:
    write(tmp_path, "metrics.csv", "timestamp,service,metric,value\n2026-05-04T10:39:00Z,checkout,errors,many\n")

    assert read_folder(tmp_path).problems.told() == ("metrics.csv, line 2: value is no number",)


def test_metrics_without_a_needed_column_say_which_one_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "metrics.csv", "time,service,metric,value\n1,a,b,2\n")

    (problem,) = read_folder(tmp_path).problems.told()

    assert "has no column timestamp" in problem


@pytest.mark.parametrize("shape", ["list", "traces"])
def test_spans_are_read_from_a_list_and_from_traces(tmp_path: Path, shape: str) -> None:
    plain: list[dict[str, object]] = [
        {"span_id": "a", "parent_id": None, "service": "web", "name": "GET /", "start": "2026-05-04T10:39:00Z"},
        {"span_id": "b", "parent_id": "a", "service": "cart", "name": "GetCart", "start": "2026-05-04T10:39:00Z"},
        {"span_id": "c", "parent_id": "b", "service": "cart", "name": "work", "start": "2026-05-04T10:39:00Z"},
    ]
    spans = [{**span, "duration_ms": 12, "status": "ERROR"} for span in plain]
    content: object = (
        [{"trace_id": "t1", **span} for span in spans]
        if shape == "list"
        else {"traces": [{"trace_id": "t1", "spans": spans}]}
    )
    write(tmp_path, "traces.json", content)

    found = read_folder(tmp_path).spans

    assert [(span.service, span.kind) for span in found] == [
        ("web", SpanKind.SERVER),
        ("cart", SpanKind.SERVER),
        ("cart", SpanKind.OTHER),
    ]
    assert found[1].parent_span_id == found[0].span_id
    assert all(span.is_error and span.duration_ms == 12 for span in found)


def test_a_span_and_the_lines_of_its_request_name_the_trace_alike(tmp_path: Path) -> None:
    at = "2026-05-04T10:39:00Z"
    for trace in ("4bf92f3577b34da6a3ce929d0e0e4736", "tr-7001", 17):
        write(tmp_path, "traces.json", [{"trace_id": trace, "span_id": "a", "service": "web", "start": at}])
        write(tmp_path, "logs.ndjson", json.dumps({"timestamp": at, "msg": "paid", "trace_id": trace}) + "\n")

        found = read_folder(tmp_path)

        assert found.spans[0].trace_id == found.logs[0].trace_id == str(trace)


def test_same_is_the_trace_of_the_span_before(tmp_path: Path) -> None:
    of_web: dict[str, object] = {"span_id": "a", "service": "web", "start": "2026-05-04T10:39:00Z"}
    of_cart = {**of_web, "span_id": "b", "parent_id": "a", "service": "cart"}
    write(
        tmp_path,
        "traces.json",
        [{"trace_id": "t1", **of_web}, {"trace_id": "same", **of_cart}, {"trace_id": "t2", **of_web}],
    )

    found = read_folder(tmp_path).spans

    assert [span.trace_id for span in found] == ["t1", "t1", "t2"]
    assert found[1].kind is SpanKind.SERVER


def test_same_with_no_span_before_is_told_and_the_others_are_used(tmp_path: Path) -> None:
    span = {"span_id": "a", "service": "web", "start": "2026-05-04T10:39:00Z"}
    write(tmp_path, "traces.json", [{"trace_id": "same", **span}, {"trace_id": "t1", **span}])

    found = read_folder(tmp_path)

    assert [span.trace_id for span in found.spans] == ["t1"]
    assert len(found.problems.told()) == 1


def test_a_span_says_the_same_in_an_export_as_by_the_door_of_opentelemetry(tmp_path: Path) -> None:
    attributes: dict[str, object] = {
        "http.request.method": "GET",
        "http.route": "/carts/{id}",
        "http.response.status_code": 503,
    }
    trace, one, other = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "00f067aa0ba902b8"
    times = {"startTimeUnixNano": "1777891140000000000", "endTimeUnixNano": "1777891140012000000"}
    served = {"traceId": trace, "spanId": one, "name": "GET", "kind": 2, **times}
    asked = {"traceId": trace, "spanId": other, "parentSpanId": one, "name": "find", "kind": 3, **times}
    statement: dict[str, object] = {"db.query.text": "select 1", "server.port": True, "of": ["a", 1, None]}
    by_door = parse_traces(
        json.dumps(
            {
                "resourceSpans": [
                    {
                        "resource": {"attributes": _otlp({"service.name": "web", "service.version": "7"})},
                        "scopeSpans": [
                            {
                                "spans": [
                                    {**served, "attributes": _otlp(attributes)},
                                    {**asked, "attributes": _otlp(statement)},
                                ]
                            }
                        ],
                    }
                ]
            }
        ).encode(),
        content_type="application/json",
        now=2e9,
        max_decoded_bytes=10**6,
    ).records
    own = {"trace_id": trace, "service": "web", "version": 7, "start": 1777891140, "duration_ms": "12"}
    write(
        tmp_path,
        "traces.json",
        [
            {**own, "span_id": one, "name": "GET", **attributes},
            {**own, "span_id": other, "parent_id": one, "name": "find", "kind": "CLIENT", "attributes": statement},
        ],
    )

    assert read_folder(tmp_path).spans == by_door


def test_odd_spans_are_told_or_read_as_far_as_they_go_and_never_stop_the_others(tmp_path: Path) -> None:
    fine = {"trace_id": "t", "span_id": "a", "service": "web", "start": "2026-05-04T10:39:00Z"}
    write(
        tmp_path,
        "traces.json",
        [
            fine,
            {**fine, "span_id": None},
            {**fine, "span_id": "b", "start": "yesterday"},
            {**fine, "span_id": "c", "start": None},
            "no span",
            {**fine, "span_id": "d", "duration_ms": "soon", "name": ["no", "name"], "attributes": "none"},
            {
                **fine,
                "span_id": "e",
                "duration_ms": -5,
                "parent_id": 3.5,
                "status": 2,
                "attributes": {"a\ud800": "\ud800"},
            },
            {**fine, "span_id": "f" * 900, "parent_id": "", "kind": "SPAN_KIND_INTERNAL", "version": "v" * 900},
        ],
    )

    found = read_folder(tmp_path)

    assert [(span.span_id[:1], span.name, span.duration_ms, span.is_error) for span in found.spans] == [
        ("a", "unnamed", 0.0, False),
        ("d", "unnamed", 0.0, False),
        ("e", "unnamed", 0.0, True),
        ("f", "unnamed", 0.0, False),
    ]
    assert len(found.problems.told()) == 4


def _otlp(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": _otlp_value(value)} for key, value in attributes.items()]


def _otlp_value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value)}


def test_a_diff_of_several_files_is_split_by_file(tmp_path: Path) -> None:
    diff = "@@ app/cart.py @@\n-a = 1\n+a = 2\n@@ app/web.py @@\n+b = 1\n"
    commit = {"sha": "a" * 40, "timestamp": "2026-05-04T09:00:00Z", "message": "m", "diff": diff}
    write(tmp_path, "context/commits.json", [{**commit, "files_changed": ["app/cart.py", "app/web.py"]}])

    (read,) = read_folder(tmp_path).commits

    assert [(file.path, file.additions, file.deletions) for file in read.files] == [
        ("app/cart.py", 1, 1),
        ("app/web.py", 1, 0),
    ]


@pytest.mark.parametrize("git", ["", "diff --git a/{0} b/{0}\nindex 1a2b3c..4d5e6f 100644\n"])
def test_the_names_above_a_hunk_are_no_changed_lines(tmp_path: Path, git: str) -> None:
    diff = "".join(
        f"{git.format(path)}--- a/{path}\n+++ b/{path}\n@@ -1,2 +1,2 @@\n-{before}\n+{after}\n"
        for path, before, after in (("app/cart.py", "a = 1", "a = 2"), ("app/web.py", "b = 1", "b = 2"))
    )
    commit = {"sha": "a" * 40, "timestamp": "2026-05-04T09:00:00Z", "message": "m", "diff": diff}
    write(tmp_path, "context/commits.json", [commit])

    (found,) = read_folder(tmp_path).commits

    assert [(file.path, file.additions, file.deletions) for file in found.files] == [
        ("app/cart.py", 1, 1),
        ("app/web.py", 1, 1),
    ]
    blocks = blocks_of(found.files)
    assert [(block.path, block.removed, block.added) for block in blocks] == [
        ("app/cart.py", ("a = 1",), ("a = 2",)),
        ("app/web.py", ("b = 1",), ("b = 2",)),
    ]


def test_a_file_that_is_new_or_gone_has_the_name_that_it_has_or_had(tmp_path: Path) -> None:
    new = "--- /dev/null\n+++ b/app/new.py\n@@ -0,0 +1 @@\n+a = 1\n"
    diff = new + "--- a/app/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-b = 1\n"
    commit = {"sha": "a" * 40, "timestamp": "2026-05-04T09:00:00Z", "message": "m", "diff": diff}
    write(tmp_path, "context/commits.json", [commit])

    (found,) = read_folder(tmp_path).commits

    assert [file.path for file in found.files] == ["app/new.py", "app/old.py"]


def test_a_hunk_above_the_first_named_file_is_kept(tmp_path: Path) -> None:
    diff = "@@ app/cart.py: def add(item):\n-a = 1\n+a = 2\n@@ app/web.py @@\n+b = 1\n"
    commit = {"sha": "a" * 40, "timestamp": "2026-05-04T09:00:00Z", "message": "m", "diff": diff}
    write(tmp_path, "context/commits.json", [{**commit, "files_changed": ["app/cart.py", "app/web.py"]}])

    (found,) = read_folder(tmp_path).commits

    assert [block.added for block in blocks_of(found.files)] == [("a = 2",), ("b = 1",)]


def test_a_flag_change_is_read_from_an_arrow_and_from_two_fields(tmp_path: Path) -> None:
    at = "2026-05-04T10:00:00Z"
    write(
        tmp_path,
        "context/flags.json",
        {
            "changes": [
                {"timestamp": at, "flag": "a", "change": "off->on"},
                {"timestamp": at, "flag": "b", "from": 1, "to": 2},
            ]
        },
    )

    first, second = read_folder(tmp_path).flags

    assert (first.before, first.after) == ("off", "on")
    assert (second.before, second.after) == ("1", "2")


def test_the_service_map_gives_calls_datastores_and_nodes(tmp_path: Path) -> None:
    write(
        tmp_path,
        "service_map.json",
        {
            "services": [{"name": "cart", "datastores": ["cart-db"], "node": "node-1"}, "web"],
            "edges": [{"from": "web", "to": "cart"}, {"from": "cart", "to": "cart-db"}],
        },
    )

    found = read_folder(tmp_path)

    assert {(edge.caller, edge.callee, edge.kind) for edge in found.edges} == {
        ("web", "cart", EdgeKind.CALLS),
        ("cart", "cart-db", EdgeKind.STORES),
    }
    assert [(place.service, place.node) for place in found.places] == [("cart", "node-1")]


def test_who_consumes_messages_depends_on_who_publishes_them(tmp_path: Path) -> None:
    edges = [
        {"from": "clicks", "to": "enricher", "protocol": "kafka", "note": "publishes raw; enricher consumes"},
        {"from": "orders-queue", "to": "packing", "mode": "async"},
        {"from": "mailer", "to": "orders", "mode": "async", "note": "consumes order events"},
        {"from": "orders", "to": "orders-queue", "mode": "async"},
        {"from": "web", "to": "orders", "protocol": "grpc"},
    ]
    write(tmp_path, "service_map.json", {"edges": edges})

    found = read_folder(tmp_path)

    assert {(edge.caller, edge.callee) for edge in found.edges} == {
        ("enricher", "clicks"),
        ("packing", "orders-queue"),
        ("mailer", "orders"),
        ("orders", "orders-queue"),
        ("web", "orders"),
    }


def test_what_runs_in_a_zone_and_the_node_it_runs_on_are_both_there(tmp_path: Path) -> None:
    services = [{"name": "cart", "node": "node-1", "zone": "eu-1b"}, {"name": "web", "availability_zone": "eu-1a"}]
    write(tmp_path, "service_map.json", {"services": services, "edges": []})

    found = read_folder(tmp_path)

    assert {(place.service, place.node) for place in found.places} == {
        ("cart", "node-1"),
        ("cart", "eu-1b"),
        ("node-1", "eu-1b"),
        ("web", "eu-1a"),
    }


def test_the_usual_count_of_a_signature_follows_from_its_change(tmp_path: Path) -> None:
    write(tmp_path, "alert.json", ALERT)
    write(
        tmp_path,
        "patterns.json",
        [
            {"signature": "a", "service": "cart", "count": 120, "delta_vs_baseline": "+100", "sentiment": "negative"},
            {"signature": "b", "service": "cart", "count": 30, "delta_vs_baseline_pct": 50},
        ],
    )

    first, second = read_folder(tmp_path).signatures

    assert (first.usual_count, first.is_bad) == (20, True)
    assert (second.usual_count, second.is_bad) == (20, None)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("alert.json", "{", "alert.json, line 1: is not JSON"),
        ("alert.json", {"service": "a"}, "alert.json, fired_at: is missing"),
        ("context/deploys.json", {"releases": []}, "deploys.json: must be a list, or an object with deploys"),
        ("context/deploys.json", [{"service": "a"}], "deploys.json, line 1, item[0]: timestamp is missing"),
        (
            "context/commits.json",
            [{"sha": "zzz", "timestamp": 1}],
            "commits.json, line 1, item[0]: sha 'zzz' is no commit",
        ),
        ("events.json", {"events": ["x"]}, "events.json, line 1, events[0]: must be an object"),
        ("service_map.json", {"edges": [{"from": "a"}]}, "service_map.json, edges[0]: needs from and to"),
    ],
)
def test_what_is_broken_is_told_with_its_place(tmp_path: Path, name: str, content: object, told: str) -> None:
    write(tmp_path, name, content)

    assert any(told in problem for problem in read_folder(tmp_path).problems.told()), told


def test_a_row_is_told_with_the_line_on_which_it_begins(tmp_path: Path) -> None:
    good = '{"service": "cart", "version": "v1", "timestamp": "2026-05-04T10:00:00Z"}'
    write(
        tmp_path,
        "deploys.json",
        f'{{\n "window": {{"deploys": 1}},\n "deploys": [\n  {good},\n  {{"service": "web"}}\n ]\n}}',
    )
    found = read_folder(tmp_path)
    assert [deploy.service for deploy in found.deploys] == ["cart"]
    assert found.problems.told() == ("deploys.json, line 5, deploys[1]: timestamp is missing",)


@pytest.mark.parametrize("rest", ['{"service": "web", "times', "", "{]", '{"service": "web"} {"service": "x"}]', "12,"])
def test_of_a_file_that_breaks_off_what_is_whole_is_read(tmp_path: Path, rest: str) -> None:
    good = '{"service": "cart", "version": "v1", "timestamp": "2026-05-04T10:00:00Z"}'
    write(tmp_path, "deploys.json", f"[{good},\n{rest}")
    found = read_folder(tmp_path)
    assert [deploy.service for deploy in found.deploys] == ["cart"]
    assert any("line 2" in problem for problem in found.problems.told())


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"deploys": []}',
        '{"deploys": {}}',
        '"deploys"',
        "7",
        "",
        " \n",
        "{",
        "[",
        '{"a": 1',
        '{"a"',
        '{"a":',
        "{7: []}",
        '{"deploys": [}',
        "nul",
    ],
)
def test_a_file_without_a_row_is_told_and_never_fatal(tmp_path: Path, text: str) -> None:
    write(tmp_path, "deploys.json", text)
    found = read_folder(tmp_path)
    assert found.deploys == []
    assert bool(found.problems.told()) == (text.strip() not in ("", "[]", '{"deploys": []}'))


def test_a_source_can_be_left_out(tmp_path: Path) -> None:
    write(tmp_path, "metrics.csv", "timestamp,service,metric,value\n2026-05-04T10:39:00Z,a,b,1\n")

    assert read_folder(tmp_path, without=frozenset({"metrics"})).points == []
