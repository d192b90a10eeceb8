"""The company that takes the payments is down, right after a harmless deploy: no change of the shop's did it."""

from __future__ import annotations

from bot.demo.repository.changes import FREE_RETURNS, ORDER_TOTAL, PAY_THROUGH_PAYGATE
from bot.demo.scenarios.model import Scenario, ScenarioName

PROVIDER_OUTAGE = Scenario(
    ScenarioName.PROVIDER_OUTAGE,
    changes=(ORDER_TOTAL, FREE_RETURNS),
    fault=None,
    base=(PAY_THROUGH_PAYGATE,),
    later_after_seconds=25.0,
    has_outage=True,
    invitation=(
        "Open the page. A harmless version is going live now; then Paygate, which takes the payments, fails.\n"
        "In about a minute a thread appears in #incidents. Nothing is to be approved: see whether it blames the deploy."
    ),
)
