"""Structured lines: which level they name, which field is the message, and that nothing else is taken for a level."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.inbound.lines.understanding import Told, understand, understand_document

NAMED: list[tuple[dict[str, Any], str]] = [
    ({"level": "err", "msg": "lamp out"}, "ERROR"),
    ({"level": "eror", "msg": "lamp out"}, "ERROR"),
    ({"lvl": "crit", "msg": "lamp out"}, "FATAL"),
    ({"severity": "EMERGENCY", "message": "lamp out"}, "FATAL"),
    ({"severity": "NOTICE", "message": "lamp out"}, "INFO"),
    ({"loglevel": "Warning", "message": "lamp out"}, "WARN"),
    ({"log": {"level": "error"}, "message": "lamp out"}, "ERROR"),
    ({"log.level": "fatal", "message": "lamp out"}, "FATAL"),
    ({"levelname": "CRITICAL", "message": "lamp out"}, "FATAL"),
    ({"level": "ERROR+2", "msg": "lamp out"}, "ERROR"),
    ({"severity_text": "ERROR3", "body": "lamp out"}, "ERROR"),
    ({"@t": "2026-02-07T12:00:00Z", "@mt": "lamp out", "@l": "Error"}, "ERROR"),
    ({"@level": "warn", "@message": "lamp out"}, "WARN"),
    ({"level": {"name": "error"}, "message": "lamp out"}, "ERROR"),
    ({"level": {"level": 40000, "levelStr": "ERROR"}, "msg": "lamp out"}, "ERROR"),
    ({"record": {"level": {"name": "ERROR", "no": 40}, "message": "lamp out"}}, "ERROR"),
    ({"Level": "Error", "Message": "lamp out"}, "ERROR"),
    ({"LEVEL": "WARNING", "MESSAGE": "lamp out"}, "WARN"),
    ({"LogLevel": "Critical", "Category": "Lamps", "Message": "lamp out"}, "FATAL"),
    ({"level": "\x1b[31merror\x1b[39m", "message": "lamp out"}, "ERROR"),
    ({"s": "E", "c": "NETWORK", "ctx": "conn1", "msg": "lamp out"}, "ERROR"),
    ({"level": "ERROR", "fields": {"message": "lamp out"}, "target": "lamps"}, "ERROR"),
    ({"rule": "Lamp moved", "priority": "Error", "message": "lamp out"}, "ERROR"),
    ({"level": 60, "msg": "lamp out"}, "FATAL"),
    ({"level": "40", "msg": "lamp out"}, "WARN"),
    ({"level": 35, "msg": "lamp out"}, "INFO"),
    ({"context": {"logLevel": 50}, "message": "lamp out"}, "ERROR"),
    ({"version": "1.1", "host": "tower", "short_message": "lamp out", "level": 2}, "FATAL"),
    ({"PRIORITY": "3", "MESSAGE": "lamp out"}, "ERROR"),
    ({"syslog": {"severity": {"code": 4}}, "message": "lamp out"}, "WARN"),
    ({"severity": 3, "message": "lamp out"}, "ERROR"),
    ({"severity_number": 17, "body": "lamp out"}, "ERROR"),
    ({"level": 400, "level_name": "ERROR", "message": "lamp out"}, "ERROR"),
    ({"level_value": 30000, "message": "lamp out"}, "WARN"),
    ({"levelno": 40, "message": "lamp out"}, "ERROR"),
    ({"severityLevel": 4, "message": "lamp out"}, "FATAL"),
    ({"status": "error", "message": "lamp out"}, "ERROR"),
    ({"log-level": "error", "message": "lamp out"}, "ERROR"),
    ({"Log_Level": "warn", "Msg": "lamp out"}, "WARN"),
    ({"body": {"message": "lamp out", "level": "warn"}}, "WARN"),
    ({"data": {"msg": "lamp out", "level": "error"}, "id": 7}, "ERROR"),
    ({"message": {"severity": "ERROR", "message": "lamp out"}, "level": "info"}, "ERROR"),
    ({"Channel": "System", "EventID": 7034, "Level": 2, "Message": "lamp out"}, "ERROR"),
    ({"System": {"EventID": 41, "Channel": "System", "Level": 1}, "Message": "lamp out"}, "FATAL"),
    ({"channel": "Application", "event_id": 1, "level": 3, "message": "lamp out"}, "WARN"),
    ({"LevelDisplayName": "Error", "Message": "lamp out"}, "ERROR"),
    ({"SeverityValue": 5, "Message": "lamp out"}, "FATAL"),
    ({"level": "DEBUG-4", "msg": "lamp out"}, "TRACE"),
    ({"level": "INFO+2", "msg": "lamp out"}, "INFO"),
    ({"level": "ERROR+4", "msg": "lamp out"}, "FATAL"),
    ({"msg": "lamp out", "exc_info": "Traceback (most recent call last):\nKeyError: 3"}, "ERROR"),
]

NAMES_NONE: list[dict[str, Any]] = [
    {"error": None, "message": "lamp lit"},
    {"error": "", "errors": 0, "message": "lamp lit"},
    {"error": {"count": 0}, "message": "lamp lit"},
    {"status": 500, "message": "lamp lit"},
    {"level": 3, "message": "lamp lit"},
    {"level": "high", "message": "lamp lit"},
    {"channel": "lamps", "level": 2, "message": "lamp lit"},
    {"status": "failed", "message": "lamp lit"},
    {"level": "A", "message": "lamp lit"},
    {"level": True, "message": "lamp lit"},
    {"priority": 1, "message": "lamp lit"},
    {"priority": "critical", "message": "lamp lit"},
    {"type": "error", "message": "lamp lit"},
    {"message": "lamp lit", "path": "/error", "url": "https://lamps.example/?level=error"},
    {"message": "lamp lit", "next": {"level": "error"}},
    {"message": "the level is error", "level": "info"},
    {"message": "ERROR pages rendered", "level": "info"},
    {"message": 'set level=error user="x"', "level": "info"},
    {"@t": "2026-02-07T12:00:00Z", "@mt": "ERROR is only a word here"},
]


@pytest.mark.parametrize(("document", "severity"), NAMED)
def test_a_structured_record_names_its_level_as_a_line_and_as_a_document(
    document: dict[str, Any], severity: str
) -> None:
    for found in (understand(json.dumps(document)), understand_document(document)):
        assert (found.severity, found.body) == (severity, "lamp out")


@pytest.mark.parametrize("document", NAMES_NONE)
def test_a_field_that_is_no_level_is_not_taken_for_one(document: dict[str, Any]) -> None:
    assert understand(json.dumps(document)).severity == "INFO"
    assert understand_document(document).severity == "INFO"


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ('ts=2026-02-07T12:00:00Z msg="no error yet" level=warn', "WARN"),
        ('time="12:00" lvl=eror msg="lamp out"', "ERROR"),
        ("level=ERROR+1 msg=out", "ERROR"),
        ("level=50 msg=out", "ERROR"),
        ('at=error code=H12 desc="Request timeout"', "ERROR"),
        ('{:level=>"error", :msg=>"out"}', "ERROR"),
        ('[2026-02-07 12:00:00] lamps.INFO: lit {"level":"error"} []', "INFO"),
        ('TS="12:00" LL="ERROR" TR="ab" msg', "ERROR"),
        ('user=7 msg="set level=error" level=info', "INFO"),
        ("method=GET path=/x?level=error status=500", "INFO"),
        ('error="" errors=0 msg="all lamps lit"', "INFO"),
        ('<log4j:event logger="Lamps" level="ERROR">', "ERROR"),
        ("{'event': 'lamp out', 'level': 'error'}", "ERROR"),
        ('{:level :warn, :msg "lamp out"}', "WARN"),
        ('{"level":"error","msg":"lamp out, and then the line was cut sho', "ERROR"),
        ("{till 7 ERROR no paper}", "ERROR"),
    ],
)
def test_a_line_of_pairs_or_of_a_cut_record_names_its_level(line: str, severity: str) -> None:
    found = understand(line)
    assert (found.severity, found.body) == (severity, line)


@pytest.mark.parametrize(
    "before",
    [
        "2026-02-07T12:00:00.000000000Z stderr F ",
        "2026-02-07T12:00:00.000Z\ta1b2c3d4-1111-2222-3333-444455556666\tINFO\t",
        "@cee: ",
        "lamps-1  | ",
    ],
)
def test_json_after_what_a_runtime_writes_before_it_is_read(before: str) -> None:
    found = understand(before + '{"level":"error","msg":"lamp out"}')
    assert (found.severity, found.body) == ("ERROR", "lamp out")


@pytest.mark.parametrize(
    ("document", "severity"),
    [
        ({"PRIORITY": "6", "MESSAGE": "ERROR lamp out"}, "ERROR"),
        ({"PRIORITY": "6", "MESSAGE": "lamp lit"}, "INFO"),
        ({"PRIORITY": "3", "MESSAGE": "INFO lamp lit"}, "INFO"),
        ({"PRIORITY": "4", "MESSAGE": "ERROR lamp out"}, "WARN"),
        ({"status": "error", "message": "INFO lamp lit"}, "INFO"),
        ({"status": "info", "message": "[error] lamp out"}, "ERROR"),
        ({"severity": "ERROR", "textPayload": "INFO lamp lit"}, "INFO"),
        ({"severity": "INFO", "textPayload": "ERROR lamp out"}, "ERROR"),
        ({"severity": "INFO", "jsonPayload": {"message": "ERROR lamp out"}}, "ERROR"),
        ({"log": {"syslog": {"severity": {"code": 6}}}, "message": "ERROR lamp out"}, "ERROR"),
        ({"severity": "INFO", "jsonPayload": {"severity": "error", "msg": "lamp out"}}, "ERROR"),
        ({"severity": "ERROR", "jsonPayload": {"level": 30, "msg": "lamp lit"}}, "INFO"),
        ({"severity": "ERROR", "jsonPayload": {"lamp": 3}}, "ERROR"),
        ({"short_message": "ERROR lamp out", "level": 6, "_container_name": "lamps"}, "ERROR"),
        ({"short_message": "level=info msg=lit", "level": 3, "container_id": "a1"}, "INFO"),
        ({"short_message": "lamp out", "level": 3, "_container_name": "lamps"}, "ERROR"),
        ({"short_message": "ERROR is only a word here", "level": 6, "host": "tower"}, "INFO"),
        ({"log": "[error] lamp out", "stream": "stdout", "level": "info"}, "ERROR"),
        ({"message": "ERROR is only a word here", "stream": "stderr", "level": "info", "log": "x"}, "INFO"),
        ({"line": "ERROR lamp out", "source": "stdout", "tag": "a1"}, "ERROR"),
        ({"message": "lamp out", "detected_level": "error"}, "ERROR"),
        ({"message": "WARN lamp flickers", "detected_level": "error"}, "WARN"),
        ({"level": "info", "MESSAGE": "ERROR is only a word here", "PRIORITY": "3"}, "INFO"),
    ],
)
def test_the_level_of_what_carried_a_message_gives_way_to_the_message(document: dict[str, Any], severity: str) -> None:
    assert understand_document(document).severity == severity


def test_what_a_container_runtime_writes_before_each_line_is_no_part_of_it() -> None:
    found = understand("2026-02-07T12:00:00.123456789Z stderr F ERROR lamp out")
    assert (found.severity, found.body, found.fields) == ("ERROR", "ERROR lamp out", {"stream": "stderr"})


def test_the_message_inside_a_message_is_read() -> None:
    inner = json.dumps({"level": "error", "msg": "lamp out", "lamp": 3})
    found = understand(json.dumps({"log": inner + "\n", "stream": "stdout"}))
    assert (found.severity, found.body) == ("ERROR", "lamp out")
    assert found.fields == {"stream": "stdout", "level": "error", "lamp": 3}


def test_json_without_a_message_stays_as_it_was_written() -> None:
    line = '{"referer": "https://lamps.example/?kind=error", "status": 200}'
    found = understand(line)
    assert (found.severity, found.body, found.fields) == ("INFO", line, {})


@pytest.mark.parametrize(
    ("line", "told", "severity"),
    [
        ('{"level":"info","msg":"lamp lit"}', Told("ERROR", by_stream=True), "INFO"),
        ('{"level":"debug","msg":"lamp lit"}', Told("FATAL"), "DEBUG"),
        ("INFO lamp lit", Told("ERROR", by_stream=True), "INFO"),
        ("INFO lamp lit", Told("ERROR"), "ERROR"),
        ("lamp lit", Told("ERROR", by_stream=True), "ERROR"),
        ("ERROR lamp out", Told("INFO"), "ERROR"),
        ("ERROR lamp out", Told("WARN", by_stream=True), "WARN"),
        ("LampError: out", Told("INFO", by_stream=True), "ERROR"),
        ("LampError: out", Told("DEBUG"), "DEBUG"),
        ("lamp lit", Told(), "INFO"),
    ],
)
def test_the_ladder_of_evidence_is_climbed_in_its_order(line: str, told: Told, severity: str) -> None:
    assert understand(line, told).severity == severity
