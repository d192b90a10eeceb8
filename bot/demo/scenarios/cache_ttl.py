"""A shared setting lets the catalogue's cache forget at once; a harmless version goes live just before it is noticed.

The lifetime goes from two and a half minutes to one second, which stands for fifteen minutes and fifteen seconds. What
the old version kept lives on, so the cache empties little by little, and the database is asked more some time after the
deploy.
"""

from __future__ import annotations

from bot.demo.repository.changes import CACHE_THE_CATALOGUE, FREE_RETURNS, FRESH_CATALOGUE, ORDER_TOTAL
from bot.demo.scenarios.model import Scenario, ScenarioName

CACHE_TTL = Scenario(
    ScenarioName.CACHE_TTL,
    changes=(FRESH_CATALOGUE, ORDER_TOTAL),
    fault=FRESH_CATALOGUE,
    base=(CACHE_THE_CATALOGUE,),
    later=(FREE_RETURNS,),
    later_after_seconds=10.0,
    loses_conversions=False,
    hit_ratio=0.985,
    invitation=(
        "Open the page. A version that lets a shared cache forget sooner goes live now, a harmless one right after.\n"
        "In about a minute and a half a thread appears in #incidents; see which of the two it blames, and press "
        "Approve fix."
    ),
)
