"""What `GET /api/doors` shows of what senders sent: taken, refused and why, late, again, unnamed, and understood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from bot.doctor import Health, checks, examine
from bot.reception.arrivals.door_words import DOORS
from bot.web.app import create_app
from storage import arrivals
from tests.scenarios.bot.conftest import NOW, headers_of
from tests.scenarios.bot.doors.test_odd_shapes import DOORS as ADDRESSES
from tests.scenarios.bot.doors.test_odd_shapes import SIGNED
from workers.services import Services

Headers = dict[str, str]


def shown(client: TestClient, operator: Headers) -> list[dict[str, Any]]:
    answer = client.get("/api/doors", headers=operator).raise_for_status().json()
    return list(answer["senders"])


def push(client: TestClient, key: Headers, *lines: tuple[timedelta, str], labels: dict[str, str]) -> int:
    """Push lines to the door of Loki, each with how long ago it was logged; return the status."""
    values = [[str(int((NOW - ago).timestamp() * 1e9)), line] for ago, line in lines]
    body = {"streams": [{"stream": labels, "values": values}]}
    return client.post("/loki/api/v1/push", json=body, headers=key).status_code


def paid(**properties: object) -> dict[str, object]:
    return {"event": "paid", "properties": {"timestamp": NOW.isoformat(), **properties}}


SECOND = timedelta(seconds=1)


def test_before_anything_came_in_the_list_is_empty(client: TestClient, operator: Headers) -> None:
    assert shown(client, operator) == []


def test_a_sender_sees_at_once_what_was_understood_of_its_lines(
    client: TestClient, operator: Headers, sender: Headers
) -> None:
    labels = {"service_name": "checkout", "level": "error"}
    assert push(client, sender, (3 * SECOND, "card refused"), (2 * SECOND, "card lost"), labels=labels) == 204

    [report] = shown(client, operator)
    assert (report["sender"], report["door"], report["path"]) == ("shop", "loki", "/loki/api/v1/push")
    assert (report["records"], report["duplicates"], report["refused"], report["late"]) == (2, 0, {}, 0)
    assert (report["services"], report["unknown_service"]) == ({"checkout": 2}, 0)
    assert report["clock_offset_seconds"] == pytest.approx(2.0)
    assert report["latest"][-1] == {
        "kind": "log", "happened_at": "2026-02-07T12:29:58Z", "service": "checkout", "severity": "ERROR",
        "words": "card lost",
    }  # fmt: skip
    assert report["hints"] == []


def test_what_is_refused_is_named_beside_what_was_taken(client: TestClient, operator: Headers, sender: Headers) -> None:
    body = [paid(user_id="u1"), paid()]
    assert client.post("/api/events", json=body, headers=sender).status_code == 422
    client.post("/api/events", content=b"{", headers={**sender, "Content-Type": "application/json"})
    client.post("/api/events", content=b"a,b", headers={**sender, "Content-Type": "text/csv", "User-Agent": "cat/1 x"})

    [report] = shown(client, operator)
    assert report["records"] == 1
    assert report["refused"] == {"malformed": 2, "wrong_type": 1}
    reasons = [(one["reason"], one["message"]) for one in report["refusals"]]
    assert reasons[0][0] == "malformed"
    assert "user_id" in reasons[0][1]
    assert reasons[2][1].startswith("Content-Type must be")
    assert reasons[2][1].endswith(" Sent by cat/1.")


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path in ADDRESSES if path not in SIGNED and method == "POST"]
)
def test_a_request_without_our_key_is_counted_at_every_door(
    client: TestClient, operator: Headers, method: str, path: str
) -> None:
    address = path.replace("{project}", "1").replace("{index}", "logs")
    headers = {"X-API-Key": "argux_" + "x" * 40, "Content-Type": "application/json"}
    assert client.request(method, address, content=b"{}", headers=headers).status_code == 401

    [report] = shown(client, operator)
    assert (report["sender"], report["refused"]) == (None, {"unauthorized": 1})
    assert report["door"] in DOORS
    assert "argux keys create" in report["refusals"][0]["message"]


def test_two_keys_at_one_door_and_one_key_at_two_doors_are_told_apart(
    client: TestClient, services: Services, operator: Headers, sender: Headers
) -> None:
    other = headers_of(services, "cart", "ingest")
    for key in (sender, other):
        push(client, key, (SECOND, "hello"), labels={"app": key["Authorization"][-4:]})
    client.post("/api/events", json=paid(user_id="u1"), headers=sender)

    found = [(report["sender"], report["door"], report["records"]) for report in shown(client, operator)]
    assert found == [("cart", "loki", 1), ("shop", "events", 1), ("shop", "loki", 1)]


def test_records_without_a_service_are_counted_with_how_to_name_it(
    client: TestClient, operator: Headers, sender: Headers
) -> None:
    push(client, sender, (SECOND, "who am I"), labels={"colour": "blue"})
    push(client, sender, (SECOND, "I am shop"), labels={"app": "shop"})

    [report] = shown(client, operator)
    assert (report["unknown_service"], report["records"]) == (1, 2)
    assert report["hints"] == ["1 record names no service: add the label `service_name`."]


def test_late_records_and_those_sent_again_are_counted(client: TestClient, operator: Headers, sender: Headers) -> None:
    line = (timedelta(minutes=20), "waited in a queue")
    push(client, sender, line, (SECOND, "fresh"), labels={"app": "shop"})
    push(client, sender, line, labels={"app": "shop"})

    [report] = shown(client, operator)
    assert (report["records"], report["duplicates"], report["late"]) == (2, 1, 2)
    assert "2 records came 5 min late or later: kept, but their time" in report["hints"][-1]


@pytest.mark.parametrize(
    ("offset", "hint"),
    [
        (timedelta(hours=5), "Its times are 5 h behind, as local times without their zone are"),
        (timedelta(hours=5, minutes=30, seconds=12), "Its times are 5 h 30 min behind"),
        (timedelta(minutes=-30), "Its times are 30 min ahead"),
        (timedelta(seconds=-20), "Its clock is 20 s ahead"),
        (timedelta(minutes=13), "Even the newest records are 13 min old"),
    ],
)
def test_a_clock_that_is_off_is_named(
    client: TestClient, operator: Headers, sender: Headers, offset: timedelta, hint: str
) -> None:
    push(client, sender, (offset, "tick"), labels={"app": "shop"})
    [report] = shown(client, operator)
    assert report["hints"][0].startswith(hint)
    assert report["clock_offset_seconds"] == pytest.approx(offset.total_seconds())


def test_neither_a_secret_nor_a_persons_words_nor_a_propertys_value_is_shown(
    client: TestClient, operator: Headers, sender: Headers
) -> None:
    key = "argux_" + "k" * 43
    push(client, sender, (SECOND, f"I was started with {key} and \x1b[31m"), labels={"app": "shop"})
    push(client, sender, (SECOND, "Ana Example forgot it"), labels={"app": "shop", "user_id": "ana"})
    client.post("/api/events", json=paid(user_id="ana", card="4111 1111", total=7), headers=sender)

    text = client.get("/api/doors", headers=operator).text
    assert "card, total}" in text
    assert "I was started with [redacted] and" in text
    for hidden in (key, "Ana Example", "4111", "\\u001b"):
        assert hidden not in text


def test_spans_metrics_alerts_and_deploys_are_understood_too(
    client: TestClient, operator: Headers, sender: Headers
) -> None:
    nano = int((NOW - SECOND).timestamp() * 1e9)
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]}
    code = {"key": "http.response.status_code", "value": {"intValue": "503"}}
    method = {"key": "http.request.method", "value": {"stringValue": "POST"}}
    route = {"key": "http.route", "value": {"stringValue": "/pay"}}
    span = {
        "traceId": "ab" * 16, "spanId": "cd" * 8, "name": "POST", "kind": 2, "startTimeUnixNano": str(nano),
        "endTimeUnixNano": str(nano + 12_000_000), "attributes": [code, method, route],
    }  # fmt: skip
    spans = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    point = {"timeUnixNano": str(nano), "asDouble": 2.5}
    metric = {"name": "queue", "gauge": {"dataPoints": [point]}}
    metrics = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    alert = {"status": "firing", "labels": {"alertname": "Slow"}, "startsAt": (NOW - timedelta(days=3)).isoformat()}
    deploy = {"service": "pay", "version": "v8", "commit_sha": "a" * 40, "repository": "acme/pay"}
    for path, body in (
        ("/v1/traces", spans),
        ("/v1/metrics", metrics),
        ("/alertmanager/webhook", {"version": "4", "alerts": [alert]}),
        ("/api/deploys", deploy),
    ):
        assert client.post(path, json=body, headers=sender).is_success, path

    reports = {report["door"]: report for report in shown(client, operator)}
    words = {door: report["latest"][0]["words"] for door, report in reports.items()}
    assert words == {
        "otlp_traces": "POST /pay 503, 12 ms",
        "otlp_metrics": "queue = 2.5 (gauge)",
        "alertmanager": "Slow is firing",
        "deploys": "version v8",
    }
    assert reports["otlp_traces"]["latest"][0]["severity"] == "ERROR"
    # An alert that began days ago says nothing of its sender's clock.
    assert (reports["alertmanager"]["late"], reports["alertmanager"]["clock_offset_seconds"]) == (0, None)
    assert reports["alertmanager"]["unknown_service"] == 1


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/v1/trace", "There is nothing at /v1/trace. Is /v1/traces meant? Sent by agent/1."),
        ("POST", "/loki/api/v1/push/loki/api/v1/push", "Is /loki/api/v1/push meant?"),
        ("POST", "/argux/api/events/", "Is /api/events meant?"),
        ("PUT", "/wholly/else", "There is nothing at /wholly/else. Sent by agent/1."),
        ("GET", "/v1/logs", "/v1/logs does not take GET."),
    ],
)
def test_what_is_sent_to_a_wrong_address_is_counted_with_the_address_that_is_meant(
    client: TestClient, operator: Headers, sender: Headers, method: str, path: str, said: str
) -> None:
    answer = client.request(method, path, content=b"{}", headers={**sender, "User-Agent": "agent/1 (linux)"})
    assert answer.status_code in (404, 405)
    [report] = shown(client, operator)
    assert (report["sender"], report["door"], report["refused"]) == ("shop", "nowhere", {"no_door": 1})
    assert said in report["refusals"][0]["message"]
    assert "docs/connecting.md" in report["refusals"][0]["mend"]


def test_who_looks_at_what_is_not_there_is_not_counted_and_who_sends_without_a_key_is(
    client: TestClient, operator: Headers
) -> None:
    assert client.get("/favicon.ico").status_code == 404
    assert client.post("/wp-login.php", headers={"X-API-Key": "argux_wrong"}).status_code == 404
    [report] = shown(client, operator)
    assert (report["sender"], report["refused"]) == (None, {"no_door": 1})


def test_several_web_processes_are_shown_together_and_what_is_over_an_hour_old_is_gone(
    services: Services, operator: Headers, sender: Headers
) -> None:
    for minutes in (0, 10, 65):
        services.clock = lambda minutes=minutes: NOW + timedelta(minutes=minutes)  # type: ignore[misc]
        with TestClient(create_app(services)) as client:
            # Ended: what it counted is kept.
            push(client, sender, (-timedelta(minutes=minutes), f"minute {minutes}"), labels={"app": "shop"})

    with TestClient(create_app(services)) as client:
        [report] = shown(client, operator)
    assert (report["records"], [one["words"] for one in report["latest"]]) == (2, ["minute 10", "minute 65"])
    with services.readers() as session:
        assert len(arrivals.since(session, NOW - timedelta(days=1))) == 2


async def test_while_the_database_is_locked_the_counts_wait_and_none_is_lost(services: Services) -> None:
    from bot.reception.arrivals.glance import NOTHING
    from bot.reception.arrivals.keeping import Arrivals

    counted = Arrivals(services)
    real = services.sessions

    class Locked:
        def begin(self) -> None:
            raise OperationalError("", {}, Exception("database is locked"))

    for minute in range(3):
        now = NOW.timestamp() + 60 * minute
        counted.tallies.came_in("shop", "loki", now=now, accepted=1, glance=NOTHING)
        services.sessions = Locked()  # type: ignore[assignment]
        await counted.keep()
    services.sessions = real
    await counted.keep()
    await counted.keep()

    with services.readers() as session:
        kept = arrivals.since(session, NOW - timedelta(hours=1))
    assert [row.tallies[0]["records"] for row in kept] == [1, 1, 1]


def test_a_row_that_cannot_be_read_hides_no_other(
    client: TestClient, services: Services, operator: Headers, sender: Headers
) -> None:
    push(client, sender, (SECOND, "hello"), labels={"app": "shop"})
    with services.sessions.begin() as session:
        arrivals.save(session, "broken", NOW, [{"sender": "x"}, 7, {"sender": "y", "door": "loki", "latest": 3}])
    [report] = [one for one in shown(client, operator) if one["sender"] == "shop"]
    assert report["records"] == 1


def test_the_doctor_names_a_door_at_which_all_that_a_key_sends_is_refused_but_not_the_key(
    client: TestClient, services: Services, operator: Headers, sender: Headers
) -> None:
    def doctor() -> tuple[Health, str]:
        client.get("/api/doors", headers=operator)
        [outcome] = [one for one in examine(checks(services)) if one.name == "doors"]
        return outcome.health, outcome.text

    assert doctor() == (Health.OK, "0 records came in during the last hour")
    client.post("/loki/api/v1/push", json={"streams": [{"stream": 7}]}, headers=sender)
    health, text = doctor()
    assert health is Health.NOTICE
    assert "a key's data for /loki/api/v1/push is all refused (1 malformed)" in text
    assert "argux doors" in text
    assert "shop" not in text
    push(client, sender, (SECOND, "hello"), labels={"app": "shop"})
    assert doctor() == (Health.OK, "1 record came in during the last hour")


def test_every_door_has_its_address_in_the_table() -> None:
    paths = {path for _, path in ADDRESSES}
    shown_paths = {words.path.replace("/1/", "/{project}/") for words in DOORS.values() if words.path.startswith("/")}
    assert shown_paths <= paths
