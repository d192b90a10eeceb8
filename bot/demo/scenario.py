"""The scenarios: what is pushed, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK, ORDER_TOTAL, Change


class ScenarioName(StrEnum):
    """What `--scenario` takes."""

    BAD_DEPLOY = "bad-deploy"
    NO_FAULT = "no-fault"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One push of several commits. `fault` is the one that breaks the shop; None where none does."""

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
