"""The inventory gets slow by its own deploy; the checkout in front of it gives up waiting, and pages."""

from __future__ import annotations

from bot.demo.repository.changes import ASK_THE_INVENTORY, COUNT_EVERY_WAREHOUSE, FREE_RETURNS
from bot.demo.scenarios.model import Scenario, ScenarioName

SLOW_DOWNSTREAM = Scenario(
    ScenarioName.SLOW_DOWNSTREAM,
    changes=(FREE_RETURNS, COUNT_EVERY_WAREHOUSE),
    fault=COUNT_EVERY_WAREHOUSE,
    base=(ASK_THE_INVENTORY,),
    has_inventory=True,
    invitation=(
        "Open the page. New versions of the shop and of the inventory behind it are going live now.\n"
        "In about a minute a thread appears in #incidents about the shop; see where it began, and press Approve fix."
    ),
)
