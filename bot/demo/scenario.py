"""The scenarios by name: which commits are pushed, and which of them breaks the shop."""

from __future__ import annotations

from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK, ORDER_TOTAL
from bot.demo.scenarios.cache_ttl import CACHE_TTL
from bot.demo.scenarios.model import Scenario, ScenarioName
from bot.demo.scenarios.provider_outage import PROVIDER_OUTAGE
from bot.demo.scenarios.slow_downstream import SLOW_DOWNSTREAM

__all__ = ["SCENARIOS", "Scenario", "ScenarioName"]

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(ScenarioName.BAD_DEPLOY, (LIVE_STOCK, FREE_RETURNS), LIVE_STOCK),
        Scenario(ScenarioName.NO_FAULT, (ORDER_TOTAL, FREE_RETURNS), None),
        CACHE_TTL,
        PROVIDER_OUTAGE,
        SLOW_DOWNSTREAM,
    )
}
