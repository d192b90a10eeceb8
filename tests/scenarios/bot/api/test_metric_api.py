"""Custom metrics over HTTP: sent by OTLP, listed with their state and forecast; limits set and removed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from detection.metrics.series import MetricOptions
from detection.types import MetricPoint
from storage import audit
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

AT = NOW.timestamp()
JSON = {"Content-Type": "application/json"}


def send_points(
    services: Services, name: str, values: Any, *, hours: float, step: float = 60.0, **attributes: str
) -> None:
    moments = np.arange(AT - hours * 3600, AT, step)
    services.telemetry.append_metric_points(
        [
            MetricPoint(f"{name}{at}", name, "shop", float(at), float(value), attributes=attributes)
            for at, value in zip(moments, values(moments), strict=True)
        ]
    )
    while services.telemetry.roll_up((), now=AT).points:
        pass


def noisy(level: float) -> Any:
    random = np.random.default_rng(1)
    return lambda moments: level + random.normal(0, level / 50, len(moments))


def test_a_new_metric_sent_by_otlp_is_listed_with_insufficient_data(
    client: TestClient, services: Services, operator: dict[str, str], sender: dict[str, str]
) -> None:
    point = {"timeUnixNano": str(int((AT - 30) * 1e9)), "asDouble": 12.5}
    body = {
        "resourceMetrics": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeMetrics": [{"metrics": [{"name": "queue.depth", "gauge": {"dataPoints": [point]}}]}],
            }
        ]
    }
    answer = client.post("/v1/metrics", content=json.dumps(body), headers={**sender, **JSON})
    assert answer.status_code == 200
    services.telemetry.roll_up((), now=AT)

    [metric] = client.get("/api/metrics", headers=operator).json()["metrics"]
    assert (metric["service"], metric["name"], metric["latest"]) == ("shop", "queue.depth", 12.5)
    assert metric["state"] == "insufficient_data"
    assert metric["expected"] is None
    assert metric["forecasts"] == []


def test_a_known_metric_is_ok_at_its_level_and_unusual_away_from_it(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    send_points(services, "calm", noisy(100), hours=48)
    send_points(services, "wild", lambda at: np.where(at < AT - 600, noisy(100)(at), 400.0), hours=48)
    services.metric_memory.departures(services.telemetry, now=AT, options=MetricOptions(), past=[])
    calm, wild = client.get("/api/metrics?service=shop", headers=operator).json()["metrics"]
    assert (calm["state"], wild["state"]) == ("ok", "unusual")
    assert calm["expected_low"] < calm["latest"] < calm["expected_high"] < wild["latest"]


def test_a_metric_approaching_a_limit_has_a_forecast_with_time_and_probability(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    send_points(services, "queue.depth", lambda at: 100 + (at - AT + 7200) / 60, hours=2)
    made = client.post("/api/metrics/limits", headers=operator, json={"name": "queue.depth", "limit": 400})
    assert made.status_code == 201
    [metric] = client.get("/api/metrics?name=queue.depth", headers=operator).json()["metrics"]
    [forecast] = metric["forecasts"]
    assert forecast["limit"] == 400
    assert forecast["probability"] > 0.9
    assert forecast["text"] == "in 3 h (99 % sure)"
    assert forecast["earliest"] <= forecast["crossing_at"] <= forecast["latest"]


def test_a_limit_is_set_listed_moved_and_removed_and_each_step_is_audited(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    body = {"name": "queue.depth", "service": "shop", "limit": 500, "horizon_hours": 12}
    first = client.post("/api/metrics/limits", headers=operator, json=body).json()
    moved = client.post("/api/metrics/limits", headers=operator, json={**body, "limit": 600}).json()
    assert first["id"] == moved["id"]
    [listed] = client.get("/api/metrics/limits", headers=operator).json()
    assert listed == moved
    assert (listed["limit"], listed["created_by"], listed["above"]) == (600, "ana", True)
    assert client.delete(f"/api/metrics/limits/{first['id']}", headers=operator).status_code == 204
    assert client.delete(f"/api/metrics/limits/{first['id']}", headers=operator).status_code == 404
    assert client.get("/api/metrics/limits", headers=operator).json() == []
    with services.readers() as session:
        assert audit.verify(session, key=services.audit_key).length == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"limit": "high"}, "limit"),
        ({"horizon_hours": 0}, "horizon_hours"),
        ({"horizon_hours": 999}, "horizon_hours"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_invalid_limit_is_refused_by_its_field(
    client: TestClient, operator: dict[str, str], change: dict[str, Any], field: str
) -> None:
    body = {"name": "queue.depth", "limit": 500, **change}
    answer = client.post("/api/metrics/limits", headers=operator, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_the_list_is_paged_and_an_ingest_key_may_not_read_it(
    client: TestClient, services: Services, operator: dict[str, str], sender: dict[str, str]
) -> None:
    for name in ("a", "b", "c"):
        send_points(services, name, noisy(10), hours=0.1)
    first = client.get("/api/metrics?limit=2", headers=operator).json()
    assert ([one["name"] for one in first["metrics"]], first["next_offset"]) == (["a", "b"], 2)
    second = client.get("/api/metrics?limit=2&offset=2", headers=operator).json()
    assert ([one["name"] for one in second["metrics"]], second["next_offset"]) == (["c"], None)
    assert client.get("/api/metrics", headers=sender).status_code == 403
