"""When a document happened, by the field that holds its time, whatever else the others hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.inbound.monitoring.datadog import read_datadog_logs
from integrations.inbound.monitoring.elasticsearch_bulk import read_bulk
from integrations.inbound.monitoring.loki import read_push_json

NOW = 1_770_465_600.0
HERE = NOW - 60
"""2026-02-07 11:59:00 UTC"""


def bulk(document: dict[str, Any]) -> list[float]:
    lines = [{"create": {}}, {"message": "jammed", **document}]
    parsed = read_bulk("".join(f"{json.dumps(line)}\n" for line in lines).encode(), now=NOW).parsed
    return [record.happened_at for record in parsed.records]


@pytest.mark.parametrize(
    "document",
    [
        {"time": "07/Feb/2026:11:59:00 +0000"}, {"time_local": "07/Feb/2026:12:59:00 +0100"},
        {"timestamp": "2026-02-07 11:59:00 UTC"}, {"@timestamp": "Sat, 07 Feb 2026 11:59:00 GMT"},
        {"timestamp": "Feb  7 11:59:00"}, {"@timestamp": str(HERE * 1000)}, {"date": "Sat Feb  7 11:59:00 2026"},
        {"t": {"$date": "2026-02-07T12:59:00.000+01:00"}}, {"instant": {"epochSecond": int(HERE), "nanoOfSecond": 0}},
        {"timeMillis": HERE * 1000}, {"asctime": "2026-02-07 11:59:00,000"}, {"@t": "2026-02-07T11:59:00.0000000Z"},
        {"__REALTIME_TIMESTAMP": str(int(HERE * 1e6))}, {"Timestamp": "2026-02-07T06:59:00-05:00"},
        {"timestamp": [2026, 2, 7, 11, 59]}, {"eventTime": "2026-02-07T11:59:00Z"},
        {"time": "35ms", "ts": HERE}, {"time": 0.25, "timestamp": HERE}, {"@timestamp": "-", "time": HERE},
        {"date": "tomorrow", "@timestamp": HERE},
    ],
)  # fmt: skip
def test_the_time_is_found_in_the_form_and_field_of_the_logger(document: dict[str, Any]) -> None:
    assert bulk(document) == [HERE]


@pytest.mark.parametrize(
    "document",
    [{"time": "35ms"}, {"time": 0.25}, {"ts": 12345}, {"date": "tomorrow"}, {"timestamp": "n/a"}, {"time": {"took": 3}},
     {"t": "warm"}, {"instant": True}, {"Time": None}, {}],
)  # fmt: skip
def test_a_field_that_is_called_time_and_holds_none_loses_no_record(document: dict[str, Any]) -> None:
    assert bulk(document) == [NOW]


@pytest.mark.parametrize("document", [{"@timestamp": "-"}, {"@timestamp": 17}, {"ts": NOW + 9 * 3600}])
def test_a_timestamp_that_is_none_and_a_time_hours_ahead_are_refused(document: dict[str, Any]) -> None:
    assert bulk(document) == []


def test_a_datadog_log_keeps_its_other_field_that_is_called_date() -> None:
    sent = [{"message": "a", "date": "next week"}, {"message": "b", "date": "Sat, 07 Feb 2026 11:59:00 GMT"}]
    records = read_datadog_logs(json.dumps(sent).encode(), now=NOW).records
    assert [record.happened_at for record in records] == [NOW, HERE]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_a_loki_time_in_another_unit_is_the_same_moment(unit: int) -> None:
    values = [[str(int(HERE) * unit), "jammed"]]
    body = {"streams": [{"stream": {"app": "press"}, "values": values}]}
    assert [record.happened_at for record in read_push_json(json.dumps(body).encode(), now=NOW).records] == [HERE]
