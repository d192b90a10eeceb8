from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from detection.types import Metric
from tests.unit.workers.diagnosis.conftest import NOW, ONSET, Entry
from workers.diagnosis.pipeline import run
from workers.words.attribution_details import WhereQuestion, where

BROKEN = (("country", "DE"), ("provider", "paypal"))
COUNTRIES = {"DE": 2, "FR": 2, "IN": 1}


def enter(shop, since, until, every, *, broken=(), countries=COUNTRIES):
    """Users who convert at 60 %, in India at 10 %; where it is broken nobody does."""
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
def found(shop, find):
    """The incident of a drop as the detectors hand it over, with what they found of where."""

    def make(observed, expected):
        finding = find(Metric.CONVERSION_RATE, observed, expected, where=(), step="paid")
        question = WhereQuestion(
            1, ONSET.timestamp(), NOW.timestamp(), (NOW - timedelta(days=7)).timestamp(), 30.0, expected=expected
        )
        attribution = where(shop.telemetry, question, now=NOW.timestamp())
        return shop.incident(replace(finding, details=replace(finding.details, attribution=attribution)))

    return make


def origins(outcome):
    return {item.key: item for item in outcome.hypotheses}


def test_a_drop_of_one_provider_in_one_country_is_an_outage_there_with_its_evidence(shop, found, answered):
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


def test_other_users_than_usual_are_the_cause_and_speak_against_the_deploy_at_the_same_time(shop, found, answered):
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


def test_a_drop_everywhere_speaks_for_the_deploy_and_against_any_kind_of_user(shop, found, answered, commit):
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
