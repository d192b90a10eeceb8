"""Alertmanager's max_alerts: what was left out is said in the answer and in the incident."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from workers.services import Services
from workers.watching.alerts import findings
from workers.watching.watch import Tick
from workers.words.metrics import alert_sentence


def send(client: TestClient, sender: dict[str, str], left_out: Any) -> Any:
    alert = {
        "status": "firing", "labels": {"alertname": "DiskFull", "service": "shop"}, "fingerprint": "f1",
        "annotations": {"summary": "disk / is full " * 30}, "startsAt": "2026-02-07T12:00:00Z", "endsAt": None,
    }  # fmt: skip
    body = {"version": "4", "groupKey": "g", "alerts": [alert], "truncatedAlerts": left_out}
    answer = client.post("/alertmanager/webhook", json=body, headers=sender)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(services: Services) -> str:
    [finding] = findings(services, Tick(services.clock(), (), ()))
    return alert_sentence(finding)


def test_the_answer_and_the_incident_say_how_many_alerts_were_left_out(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    answer = send(client, sender, 58)
    said = "58 more alerts of this group were left out by the sender (max_alerts)"
    assert (answer["left_out"], answer["note"]) == (58, f"{said}.")
    assert told(services).startswith(f"DiskFull is firing: {said}; disk / is full")


@pytest.mark.parametrize("left_out", [0, None, "x"])
def test_without_alerts_left_out_nothing_is_said(
    client: TestClient, services: Services, sender: dict[str, str], left_out: Any
) -> None:
    assert send(client, sender, left_out) == {"accepted": 1, "duplicates": 0}
    assert told(services).startswith("DiskFull is firing: disk / is full")
