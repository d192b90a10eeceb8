"""The scenarios: which commits are pushed, and which of them breaks the shop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK, ORDER_TOTAL, Change


class ScenarioName(StrEnum):
    """The values of `--scenario`."""

    BAD_DEPLOY = "bad-deploy"
    NO_FAULT = "no-fault"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One push of several commits. `fault` is the commit that breaks the shop, or None when none does."""

    name: ScenarioName
    changes: tuple[Change, ...]
    fault: Change | None


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(ScenarioName.BAD_DEPLOY, (LIVE_STOCK, FREE_RETURNS), LIVE_STOCK),
        Scenario(ScenarioName.NO_FAULT, (ORDER_TOTAL, FREE_RETURNS), None),
    )
}
