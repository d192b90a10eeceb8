from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias, cast

import pytest

from detection.types import FunnelDropDetails, Metric, Where
from storage.telemetry.protocol import TelemetryStore
from tests.unit.workers.diagnosis.conftest import NOW, ONSET, Answered, Entry, MakeCommit, MakeFinding, Shop
from workers.diagnosis.model import DiagnosisOutcome, Ranked
from workers.diagnosis.pipeline import run
from workers.watching.attribution_query import AttributionQuery, locate_loss

BROKEN = (("country", "DE"), ("provider", "paypal"))
MakeIncident: TypeAlias = Callable[[float, float], int]

COUNTRIES = {"DE": 2, "FR": 2, "IN": 1}


def enter(
    shop: Shop,
    since: datetime,
    until: datetime,
    every: float,
    *,
    broken: Where = (),
    countries: Mapping[str, int] = COUNTRIES,
) -> None:
    """Add users who convert at 60 %, in India at 10 %, and not at all in the `broken` place."""
    drawn, at = random.Random(2), since.timestamp()
    while at < until.timestamp():
        kind = {
            "country": drawn.choices(list(countries), list(countries.values()))[0],
            "provider": drawn.choice(["stripe", "paypal"]),
        }
        rate = 0.1 if kind["country"] == "IN" else 0.6
        if broken and all(kind[name] == value for name, value in broken):
            rate = 0.0
        shop.telemetry.entries.append(Entry(at, drawn.random() < rate, kind))
        at += every


@pytest.fixture
def found(shop: Shop, find: MakeFinding) -> MakeIncident:
    """Open an incident about a drop, with the attribution that the detectors add."""

    def make(observed: float, expected: float) -> int:
        finding = find(Metric.CONVERSION_RATE, observed, expected, where=(), step="paid")
        assert isinstance(finding.details, FunnelDropDetails)
        query = AttributionQuery(
            1, ONSET.timestamp(), NOW.timestamp(), (NOW - timedelta(days=7)).timestamp(), 30.0, expected=expected
        )
        attribution = locate_loss(cast(TelemetryStore, shop.telemetry), query, now=NOW.timestamp())
        assert attribution is not None
        return shop.incident(replace(finding, details=replace(finding.details, attribution=attribution)))

    return make


def origins(outcome: DiagnosisOutcome) -> dict[str, Ranked]:
    return {item.key: item for item in outcome.hypotheses}


def test_a_drop_for_one_provider_in_one_country_is_blamed_on_an_outage_there(
    shop: Shop, found: MakeIncident, answered: Answered
) -> None:
    enter(shop, NOW - timedelta(hours=6), ONSET, 1.0)
    enter(shop, ONSET, NOW, 0.4, broken=BROKEN)

    outcome = run(found(0.38, 0.5), shop.sources())

    diagnosis = answered(shop, outcome)
    place = origins(outcome)["segment:1:country=DE&provider=paypal"]
    assert place.status == "confirmed"
    assert place.statement.startswith("An outage at paypal, or something else outside: only country = DE and")
    assert "country = DE and provider = paypal carries" in (outcome.root_cause or "")
    assert outcome.fix.action is None
    [kept] = [item for item in diagnosis.hypotheses if item.key == place.key]
    assert kept.parameters["where"] == [
        {"dimension": "country", "value": "DE"}, {"dimension": "provider", "value": "paypal"}
    ]  # fmt: skip


def test_a_changed_mix_of_users_is_confirmed_and_rejects_the_deploy_at_the_same_time(
    shop: Shop, found: MakeIncident, answered: Answered
) -> None:
    shop.deploy("d" * 40, ONSET - timedelta(seconds=20))
    enter(shop, NOW - timedelta(hours=6), ONSET, 1.0)
    enter(shop, ONSET, NOW, 0.4, countries={"DE": 1, "FR": 1, "IN": 8})

    outcome = run(found(0.2, 0.5), shop.sources())

    diagnosis = answered(shop, outcome)
    assert origins(outcome)["mix:1"].status == "confirmed"
    assert next(item for item in outcome.hypotheses if item.cause == "deploy").status == "rejected"
    assert "country = IN is 8" in (outcome.root_cause or "")
    assert any("Each kind of user converts as before, so Deploy ddddddd" in item.result for item in diagnosis.evidence)
    assert outcome.fix.action is None


def test_a_drop_for_all_users_confirms_the_deploy_and_rejects_the_segment_hypothesis(
    shop: Shop, found: MakeIncident, answered: Answered, commit: MakeCommit
) -> None:
    shop.code_host.commits = [commit("d" * 40, "Hide the pay button", "pay.py", "@@ -1 +1 @@\n+button.hide()\n")]
    shop.deploy("d" * 40, ONSET - timedelta(seconds=20), service="payments")
    enter(shop, NOW - timedelta(hours=6), ONSET, 1.0)
    shop.telemetry.entries += [
        Entry(
            at, index % 5 == 0, {"country": ("DE", "FR")[index // 5 % 2], "provider": ("stripe", "paypal")[index % 2]}
        )
        for index, at in enumerate(ONSET.timestamp() + 0.4 * step for step in range(1200))
    ]

    outcome = run(found(0.2, 0.5), shop.sources())

    answered(shop, outcome)
    assert next(item for item in outcome.hypotheses if item.cause == "deploy").status == "confirmed"
    assert origins(outcome)["segment:1"].status == "rejected"
