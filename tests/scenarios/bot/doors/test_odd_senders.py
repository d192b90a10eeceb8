"""What libraries and people send in odd ways is taken, or the answer says what to do instead."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from fastapi.testclient import TestClient

from workers.services import Services

AT = "2026-02-07T12:00:00Z"
EVENT = {"event": "Paid", "properties": {"user_id": "u1", "timestamp": AT, "plan": "größer"}}
TEXT = json.dumps(EVENT, ensure_ascii=False)


def bare_deflate(text: str) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text.encode()) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"\xef\xbb\xbf" + TEXT.encode(), ""),
        (TEXT.encode("utf-16"), ""),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ""),
        (bare_deflate(TEXT), "deflate"),
        (zlib.compress(TEXT.encode()), "deflate"),
    ],
)
def test_marks_and_formats_of_one_machine_are_read(
    client: TestClient, services: Services, sender: dict[str, str], body: bytes, encoding: str
) -> None:
    headers = {**sender, "Content-Type": "application/json", **({"Content-Encoding": encoding} if encoding else {})}
    answer = client.post("/api/events", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    [event] = services.telemetry.recent_events()
    assert event.properties["plan"] == "größer"


def test_text_in_another_encoding_is_refused_in_plain_words(client: TestClient, sender: dict[str, str]) -> None:
    answer = client.post(
        "/api/events", content=TEXT.encode("latin-1"), headers={**sender, "Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert "is not UTF-8" in answer.json()["error"]["message"]
    assert "0xf6; send it in UTF-8" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/services/collector/event", "Fluent Bit"),
        ("/api/v1/write", "OpenTelemetry collector"),
        ("/api/v2/alerts", "/alertmanager/webhook"),
        ("/api/v2/series", "/v1/metrics"),
        ("/gelf", "SYSLOG_PORT"),
        ("/v2/enqueue", "/alertmanager/webhook"),
        ("/api/7/store/", "update the SDK"),
        ("/logs/_doc", "/_bulk"),
        ("/v1/trace", "Is /v1/traces meant?"),
        ("/", "such as /v1/logs"),
    ],
)
def test_another_systems_address_says_what_to_do_and_is_counted(
    client: TestClient, sender: dict[str, str], operator: dict[str, str], path: str, words: str
) -> None:
    answer = client.post(path, json={}, headers=sender)
    assert answer.status_code in (404, 405)
    assert words in answer.json()["error"]["message"]
    [report] = client.get("/api/doors", headers=operator).json()["senders"]
    assert report["refused"] == {"no_door": 1}
    assert words in report["refusals"][0]["message"]


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/array/KEY/config", "supportedCompression"),
        ("/api/surveys/?token=KEY", "surveys"),
        ("/api/early_access_features/?token=KEY", "earlyAccessFeatures"),
        ("/api/web_experiments/?token=KEY", "experiments"),
        ("/api/feature_flag/local_evaluation?token=KEY", "flags"),
        ("/flags?token=KEY", "featureFlags"),
        ("/decide/?token=KEY", "featureFlags"),
    ],
)
def test_what_product_libraries_ask_beside_events_is_answered(
    client: TestClient, sender: dict[str, str], path: str, shape: str
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    site = {"Origin": "https://shop.example"}
    answer = client.get(path.replace("KEY", key), headers=site)
    assert answer.status_code == 200
    assert shape in answer.json()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert client.get(path.replace("KEY", "argux_nobody"), headers=site).status_code == 401


def test_mixpanels_recordings_are_left_aside(client: TestClient, sender: dict[str, str]) -> None:
    headers = {**sender, "Content-Type": "application/octet-stream"}
    assert client.post("/record/?seq=0", content=b"\x1f\x8bwhatever", headers=headers).json()["status"] == "OK"


def legacy(state: str, **more: Any) -> dict[str, Any]:
    return {"ruleName": "Churn is hot", "ruleId": 7, "orgId": 1, "state": state, "tags": {"service": "churn"}, **more}


def test_grafanas_older_webhook_opens_and_closes_an_alert(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    matches = [{"metric": "degrees", "value": 71.5, "tags": None}, {"metric": "none", "value": None}]
    firing = client.post("/alertmanager/webhook", json=legacy("alerting", evalMatches=matches), headers=sender)
    assert firing.json()["accepted"] == 1, firing.text
    empty = client.post("/alertmanager/webhook", json=legacy("no_data", evalMatches=None, tags=None), headers=sender)
    assert empty.json()["accepted"] == 1, empty.text
    assert client.post("/alertmanager/webhook", json=legacy("ok"), headers=sender).json()["accepted"] == 1
    assert client.post("/alertmanager/webhook", json={"alerts": None}, headers=sender).status_code == 200
    odd = client.post("/alertmanager/webhook", json={"event": {"event_type": "incident.triggered"}}, headers=sender)
    assert "webhooks of Prometheus Alertmanager and of Grafana" in odd.json()["error"]["message"]


def test_a_variable_that_datadog_did_not_fill_in_counts_as_missing(client: TestClient, sender: dict[str, str]) -> None:
    body = {"id": "$ID", "title": "[Triggered] Churn", "date": "$DATE", "tags": "$TAGS", "link": "$LINK"}
    assert client.post("/datadog/webhook", json=body, headers=sender).json()["accepted"] == 1
    missing = client.post("/datadog/webhook", json={"title": "$EVENT_TITLE"}, headers=sender)
    assert "docs/connecting.md" in missing.json()["error"]["message"]
    form = client.post("/datadog/webhook", data={"title": "x"}, headers=sender)
    assert "untick Encode as form" in form.json()["error"]["message"]
