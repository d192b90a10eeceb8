"""How far a confidence can be believed, through the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

from detection.types import JudgedAnswer
from storage.outcomes import Source, record_outcome
from workers.services import Services


def test_without_outcomes_the_stated_table_is_in_use(client: TestClient, operator: dict[str, str]) -> None:
    (everything,) = client.get("/api/calibration", headers=operator).json()
    assert (everything["cause"], everything["outcomes"], everything["method"]) == (None, 0, "prior")
    assert everything["raw"] == {"expected_calibration_error": None, "brier": None}
    assert everything["bins"] == []


def test_outcomes_are_counted_over_all_and_by_kind_of_cause(
    client: TestClient, operator: dict[str, str], services: Services
) -> None:
    with services.sessions.begin() as session:
        for number in range(55):
            cause = "node" if number < 5 else "deploy"
            answer = JudgedAnswer(cause, 0.9, is_right=number % 5 != 0, stated=0.83)
            record_outcome(
                session, source=Source.EXPORT, answer=answer, export=str(number), said_by="Ana", now=services.clock()
            )
    everything, deploys, nodes = client.get("/api/calibration", headers=operator).json()
    assert [(one["cause"], one["outcomes"], one["right"]) for one in (everything, deploys, nodes)] == [
        (None, 55, 44), ("deploy", 50, 40), ("node", 5, 4),
    ]  # fmt: skip
    assert [one["method"] for one in (everything, deploys, nodes)] == ["platt", "platt", "platt"]
    assert [one["is_own_curve"] for one in (everything, deploys, nodes)] == [True, True, False]
    assert deploys["low"] < 0.8 < deploys["high"]
    assert round(deploys["raw"]["expected_calibration_error"], 6) == 0.1
    assert round(deploys["told"]["expected_calibration_error"], 6) == 0.03
