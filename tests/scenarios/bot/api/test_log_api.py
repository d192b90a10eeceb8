"""Log lines over HTTP: sent through a door, counted by a roll-up, and read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.conftest import NOW
from workers.services import Services

NOON = int(NOW.timestamp()) - 1800
HOUR = 3600

SendLines = Callable[..., None]


@pytest.fixture
def send_lines(client: TestClient, services: Services, operator: dict[str, str]) -> SendLines:
    """Return a function that sends (seconds after noon, severity, text) through the Loki door and rolls them up."""

    def send(*lines: tuple[float, str, str], service: str = "shop") -> None:
        streams = [
            {"stream": {"service": service, "level": severity}, "values": [[str(int((NOON + at) * 1e9)), text]]}
            for at, severity, text in lines
        ]
        answer = client.post("/loki/api/v1/push", json={"streams": streams}, headers=operator)
        assert answer.status_code == 204
        services.telemetry.roll_up([], now=NOW.timestamp())

    return send


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOON + seconds, UTC).isoformat().replace("+00:00", "Z")


def test_recent_lines_of_a_minimum_severity_are_listed_newest_first(
    client: TestClient, operator: dict[str, str], send_lines: SendLines
) -> None:
    send_lines((0, "info", "order 1 was paid"), (60, "warn", "slow"), (120, "error", "it broke"))
    send_lines((90, "error", "elsewhere"), service="billing")
    answer = client.get("/api/logs/recent?severity=warn&service=shop", headers=operator).json()
    assert [record["body"] for record in answer["records"]] == ["it broke", "slow"]
    assert answer["records"][0]["timestamp"] == at(120)
    assert len(client.get("/api/logs/recent?limit=1", headers=operator).json()["records"]) == 1
    refused = client.get("/api/logs/recent?severity=loud", headers=operator)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "severity")


def test_lines_are_counted_by_service_severity_template_and_pattern(
    client: TestClient, operator: dict[str, str], send_lines: SendLines
) -> None:
    send_lines(*((60 * n, "info", f"order {n} was paid") for n in range(5)), (10, "error", "Connection refused"))
    send_lines((20, "info", "hello"), service="billing")
    answer = client.get(f"/api/logs/statistics?since={at(0)}&until={at(240)}", headers=operator).json()
    assert (answer["since"], answer["until"], answer["bucket_seconds"]) == (at(0), at(240), 60)
    assert answer["lines"] == 6
    assert answer["services"] == [{"service": "shop", "lines": 5}, {"service": "billing", "lines": 1}]
    assert answer["severities"] == [{"severity": "info", "lines": 5}, {"severity": "error", "lines": 1}]
    assert answer["templates"][0] | {"template_id": ""} == {
        "service": "shop", "template_id": "", "text": "order <*> was paid", "severity": "info", "lines": 4,
        "sample": answer["templates"][0]["sample"],
    }  # fmt: skip
    assert [(one["name"], one["lines"]) for one in answer["patterns"]] == [("connection", 1)]
    default = client.get("/api/logs/statistics?service=billing", headers=operator).json()
    assert (default["lines"], default["until"]) == (1, at(1800))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"since={at(60)}&until={at(0)}", "until"),
        (f"since={at(-40 * 86_400)}&until={at(0)}", "since"),
        ("since=yesterday", "since"),
        ("since=2026-02-07T12:00:00", "since"),
        ("limit=0", "limit"),
        ("until=0001-01-01T00:00:00Z", "until"),
        ("since=9999-12-31T00:00:00Z&until=9999-12-31T23:59:59Z", "since"),
        ("service=%00", "service"),
    ],
)
def test_an_invalid_time_range_is_refused_by_its_field(
    client: TestClient, operator: dict[str, str], query: str, field: str | None
) -> None:
    refused = client.get(f"/api/logs/statistics?{query}", headers=operator)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)


def test_given_lines_are_analysed_against_the_templates_of_their_service(
    client: TestClient, operator: dict[str, str], send_lines: SendLines
) -> None:
    send_lines(
        *((n, "info", f"order {n} of {person} was paid") for n, person in enumerate(["ana", "bo", "chen", "dora"]))
    )
    lines = ["order 77 of zoe was paid", "java.lang.OutOfMemoryError: heap", "order 78 of eve was paid"]
    answer = client.post("/api/logs/analyze", json={"lines": lines, "service": "shop"}, headers=operator).json()
    assert answer["lines"] == 3
    assert [(one["text"], one["lines"], one["is_new"]) for one in answer["templates"]] == [
        ("order <*> of <*> was paid", 2, False),
        ("java.lang.OutOfMemoryError: heap", 1, True),
    ]
    assert [(one["name"], one["severity"], one["example"]) for one in answer["patterns"]] == [
        ("memory", "sev2", "java.lang.OutOfMemoryError: heap")
    ]
    assert [one["kind"] for one in answer["anomalies"]] == ["pattern", "new_template"]
    message = client.post("/api/logs/analyze", json={"lines": ["out of memory"]}, headers=operator).json()
    assert message["anomalies"][0]["sentence"] == "1 line matches “memory”, such as “out of memory”"
    stranger = client.post("/api/logs/analyze", json={"lines": lines}, headers=operator).json()
    assert {one["is_new"] for one in stranger["templates"]} == {None}


def test_the_words_of_a_message_tell_structured_lines_apart_and_its_values_do_not(
    client: TestClient, operator: dict[str, str]
) -> None:
    lines = [
        '{"level":"info","message":"oven 7 is hot","oven":"o-7"}',
        '{"level":"info","message":"oven 9 is hot","oven":"o-9"}',
        'level=info msg="oven 8 is hot" oven=o-8',
        '{"level":"error","event":"door jammed","door":"left"}',
        '"GET /cakes/7" 200 in 12 ms',
        '"DELETE /cakes/7" 200 in 9 ms',
        "蛋糕7已售出",
        "蛋糕88已售出",
        "蛋糕7已退货",
    ]
    answer = client.post("/api/logs/analyze", json={"lines": lines}, headers=operator).json()
    assert {one["text"]: one["lines"] for one in answer["templates"]} == {
        "oven <*> is hot": 3,
        "door jammed": 1,
        '"GET <*>" <*> in <*>': 1,
        '"DELETE <*>" <*> in <*>': 1,
        "蛋糕<*>已售出": 2,
        "蛋糕<*>已退货": 1,
    }


def test_given_lines_are_analysed_as_they_would_be_stored(client: TestClient, operator: dict[str, str]) -> None:
    lines = [
        '{"level": "error", "msg": "lamp out"}',
        "\x1b[31mERROR\x1b[0m lamp out again",
        "java.lang.IllegalStateException: no wick",
        "\tat com.example.Lamp.light(Lamp.java:12)",
    ]
    answer = client.post("/api/logs/analyze", json={"lines": lines}, headers=operator).json()
    assert {one["example"] for one in answer["templates"]} == {
        "lamp out",
        "ERROR lamp out again",
        "java.lang.IllegalStateException: no wick\n\tat com.example.Lamp.light(Lamp.java:12)",
    }


def test_stored_lines_are_analysed_against_the_days_before(
    client: TestClient, operator: dict[str, str], send_lines: SendLines
) -> None:
    send_lines(*((-HOUR * n, "info", f"order {n} was paid") for n in range(60)))
    send_lines(*((600 + n, "error", f"charge {n} failed") for n in range(12)), (700, "info", "order 9 was paid"))
    asked = {"since": at(600), "until": at(1200), "service": "shop"}
    answer = client.post("/api/logs/analyze", json=asked, headers=operator).json()
    assert answer["lines"] == 13
    assert {one["text"]: one["is_new"] for one in answer["templates"]} == {
        "charge <*> failed": True,
        "order <*> was paid": False,
    }
    (anomaly,) = answer["anomalies"]
    assert anomaly["sentence"] == "“charge … failed” is new in shop: 12 lines in 10 min, none in 2 days"
    assert (anomaly["kind"], anomaly["severity"], anomaly["lines"]) == ("new_template", "sev3", 12)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"lines": ["a"], "since": at(0), "until": at(60)}, None),
        ({"since": at(0)}, None),
        ({"lines": []}, "lines"),
        ({"lines": ["a", 7]}, "lines[1]"),
        ({"lines": ["x" * 9000]}, "lines[0]"),
        ({"since": at(0), "until": at(3 * 86_400)}, "since"),
        ({"lines": ["a"], "colour": "blue"}, "colour"),
        ({"lines": ["a"], "service": "a\0b"}, "service"),
    ],
)
def test_an_invalid_analysis_request_is_refused(
    client: TestClient, operator: dict[str, str], body: dict[str, object], field: str | None
) -> None:
    refused = client.post("/api/logs/analyze", json=body, headers=operator)
    assert (refused.status_code, refused.json()["error"].get("field")) == (422, field)


def test_two_windows_are_compared(client: TestClient, operator: dict[str, str], send_lines: SendLines) -> None:
    before = [(n, "info", f"order {n} was paid") for n in range(0, 600, 20)]
    after = [(600 + n, "info", f"order {n} was paid") for n in range(0, 600, 20)]
    send_lines(*before, *after, *((900 + n, "error", f"charge {n} failed") for n in range(9)), (5, "info", "warmed up"))
    query = {"before": f"{at(0)}/{at(600)}", "after": f"{at(600)}/{at(1200)}"}
    answer = client.get("/api/logs/diff", params=query, headers=operator).json()
    assert (answer["before_since"], answer["after_until"], answer["unchanged"]) == (at(0), at(1200), 1)
    assert [(one["change"], one["text"], one["lines_before"], one["lines_after"]) for one in answer["changes"]] == [
        ("new", "charge <*> failed", 0, 9),
        ("gone", "warmed up", 1, 0),
    ]
    assert answer["changes"][0]["ratio"] is None
    assert client.get("/api/logs/diff", params={**query, "service": "other"}, headers=operator).json()["changes"] == []


@pytest.mark.parametrize(
    "wrong", ["now", "a/b", f"{at(60)}/{at(0)}", f"{at(-40 * 86_400)}/{at(0)}", "1/2/3", "0001-01-01/0001-01-02"]
)
def test_an_invalid_window_is_refused(client: TestClient, operator: dict[str, str], wrong: str) -> None:
    query = {"before": wrong, "after": f"{at(600)}/{at(1200)}"}
    refused = client.get("/api/logs/diff", params=query, headers=operator)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "before")


PATTERN = {"name": "declined", "expression": r"(?i)card \w+ declined", "severity": "sev2", "description": "No money."}


def test_a_pattern_is_added_listed_switched_and_removed(client: TestClient, operator: dict[str, str]) -> None:
    made = client.post("/api/logs/patterns", json=PATTERN, headers=operator)
    assert (made.status_code, made.json()) == (201, {**PATTERN, "enabled": True, "built_in": False})
    again = client.post("/api/logs/patterns", json=PATTERN, headers=operator)
    assert (again.status_code, again.json()["error"]["field"]) == (409, "name")
    off = client.patch("/api/logs/patterns/memory", json={"enabled": False}, headers=operator).json()
    assert (off["name"], off["enabled"], off["built_in"]) == ("memory", False, True)
    listed = client.get("/api/logs/patterns", headers=operator).json()
    assert [one["name"] for one in listed][-1] == "declined"
    assert [one["name"] for one in listed if not one["enabled"]] == ["memory"]
    client.patch("/api/logs/patterns/memory", json={"enabled": True}, headers=operator)
    assert client.delete("/api/logs/patterns/memory", headers=operator).status_code == 409
    assert client.delete("/api/logs/patterns/declined", headers=operator).status_code == 204
    assert client.delete("/api/logs/patterns/declined", headers=operator).status_code == 404
    assert client.patch("/api/logs/patterns/declined", json={"enabled": True}, headers=operator).status_code == 404


def test_a_built_in_pattern_that_is_off_can_be_replaced(client: TestClient, operator: dict[str, str]) -> None:
    own = {**PATTERN, "name": "disk"}
    assert client.post("/api/logs/patterns", json=own, headers=operator).status_code == 409
    client.patch("/api/logs/patterns/disk", json={"enabled": False}, headers=operator)
    assert client.post("/api/logs/patterns", json=own, headers=operator).json()["built_in"] is False
    client.delete("/api/logs/patterns/disk", headers=operator)
    listed = {one["name"]: one for one in client.get("/api/logs/patterns", headers=operator).json()}
    assert (listed["disk"]["built_in"], listed["disk"]["enabled"]) == (True, True)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(unclosed", "missing )"),
        (r"(?<=a)b", "look-around"),
        (r"(a)\1", "back-references"),
        ("a*", "every line"),
        ("((a{1,900}){1,900}){1,900}", "not valid here"),
        ("x" * 3000, "2000 characters"),
        ("", "at least 1 character"),
    ],
)
def test_an_invalid_expression_is_refused_with_a_reason(
    client: TestClient, operator: dict[str, str], expression: str, message: str
) -> None:
    refused = client.post("/api/logs/patterns", json={**PATTERN, "expression": expression}, headers=operator)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "expression")
    assert message in refused.json()["error"]["message"]


def test_an_expression_prone_to_backtracking_is_matched_quickly(client: TestClient, operator: dict[str, str]) -> None:
    client.post("/api/logs/patterns", json={**PATTERN, "expression": "(a+)+$b"}, headers=operator)
    client.post("/api/logs/patterns", json={**PATTERN, "name": "slow", "expression": "(a|aa)+c"}, headers=operator)
    lines = {"lines": ["a" * 8000] * 20}
    answer = client.post("/api/logs/analyze", json=lines, headers=operator)
    assert (answer.status_code, answer.json()["patterns"]) == (200, [])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "a:b"}, "name"),
        ({"name": " "}, "name"),
        ({"severity": "bad"}, "severity"),
        ({"more": 1}, "more"),
        ({"description": "a\0b"}, "description"),
    ],
)
def test_a_pattern_with_an_invalid_field_is_refused_by_its_name(
    client: TestClient, operator: dict[str, str], changed: dict[str, object], field: str | None
) -> None:
    refused = client.post("/api/logs/patterns", json={**PATTERN, **changed}, headers=operator)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)


def test_a_new_pattern_counts_only_later_lines(
    client: TestClient, operator: dict[str, str], send_lines: SendLines
) -> None:
    send_lines((0, "info", "card visa declined"))
    client.post("/api/logs/patterns", json=PATTERN, headers=operator)
    send_lines((60, "info", "Card Visa declined"))
    answer = client.get(f"/api/logs/statistics?since={at(0)}", headers=operator).json()
    assert [(one["name"], one["lines"], one["description"]) for one in answer["patterns"]] == [
        ("declined", 1, "No money.")
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "recent"), ("GET", "statistics"), ("POST", "analyze"), ("GET", "diff"), ("POST", "patterns")],
)
def test_an_ingest_key_may_not_read_logs(client: TestClient, sender: dict[str, str], method: str, path: str) -> None:
    assert client.request(method, f"/api/logs/{path}", headers=sender).status_code == 403
