"""RFC 5424, and what senders leave out of it."""

from __future__ import annotations

import pytest

from detection.types import LogRecord
from integrations.inbound.syslog.message import read_syslog

NOW = 1_770_465_600.0


def read(text: str) -> LogRecord:
    return read_syslog(text.encode(), "syslog:1", now=NOW)


def test_every_part_of_the_header_is_read() -> None:
    record = read('<165>1 2026-02-07T11:59:00.5Z h vat 7 ID47 [a@1 x="1" y="q\\"]\\\\"][b] \ufeffbody\nmore')
    assert (record.service, record.severity, record.body) == ("vat", "INFO", "body\nmore")
    assert record.happened_at == NOW - 59.5
    data = {"a@1": {"x": "1", "y": 'q"]\\'}, "b": {}}
    expected = {"facility": 20, "host": "h", "process": "7", "message_id": "ID47", "structured_data": data}
    assert record.attributes == expected


@pytest.mark.parametrize(
    ("text", "service", "body"),
    [
        ("<34>1 - - - - - -", "unknown_service", ""),
        ("<34>1 - - - - - - hello", "unknown_service", "hello"),
        ("<40>1 2026-02-07T11:59:00+00:00 h heroku web.3 - State changed", "heroku", "State changed"),
        ('<40>1 2026-02-07T11:59:00Z h vat - - [a b="c]d"] x', "vat", "x"),
        ("<40>1 2026-02-07T11:59:00Z h vat - - [broken x", "vat", "[broken x"),
        ("<40>1 2026-02-07T11:59:00Z h 5790672ab6a0 7 - - x", "unknown_service", "x"),
        ("<40>1 2026-02-07T11:59:00Z h - - - - %ASA-6-302013: Built", "ASA", "%ASA-6-302013: Built"),
        ("<40>1 2026-02-07T11:59:00Z h vat - - -  from rsyslog", "vat", "from rsyslog"),
        ("<40>1 2026-02-07T11:59:00Z h vat - - -   indented", "vat", "  indented"),
        ("<40>1 2026-02-07T11:59:00Z h ValueError - - -  y", "unknown_service", "ValueError: y"),
        ("<40>1 2026-02-07T11:59:00Z h 404 - - -  not found", "unknown_service", "404 not found"),
        ("<187>1 2026-02-07T11:59:00Z - - - - - BOM%SYS-3-LOG: x", "SYS", "%SYS-3-LOG: x"),
        ('<13>1 2026-02-07T11:59:00Z h Gate 7 - [action:"Accept"; a:"b"]', "Gate", '[action:"Accept"; a:"b"]'),
        ("1 2026-02-07T11:59:00Z h vat - - - without a priority", "vat", "without a priority"),
    ],
)
def test_nil_values_and_missing_parts_lose_no_message(text: str, service: str, body: str) -> None:
    record = read(text)
    assert (record.service, record.body) == (service, body)


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-02-07Tnoon"])
def test_a_time_that_cannot_be_right_is_kept_beside_the_time_of_arrival(time: str) -> None:
    record = read(f"<40>1 {time} h vat - - - x")
    assert (record.service, record.happened_at, record.attributes["sent_time"]) == ("vat", NOW, time)
