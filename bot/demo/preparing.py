"""Everything before the deploy that matters: a shop with customers, and Argux with a week of its past."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random

from bot.demo.argux import ArguxApi
from bot.demo.behaviour import Step
from bot.demo.configuration import Places
from bot.demo.deployer import deploy_record
from bot.demo.history.deploys import DeployLog
from bot.demo.history.importing import Batch, Imported, import_history, make_batches
from bot.demo.history.visits import DAY_SECONDS, HistoryPlan, make_visits
from bot.demo.narration import Narrator
from bot.demo.shoppers import SHOPPERS_PER_SECOND, Shoppers
from bot.demo.waiting import until_true

CALIBRATION_SECONDS = 10.0
CALIBRATION_LIMIT_SECONDS = 60.0
ANSWERS_A_STEP = 15
ROLL_UP_LIMIT_SECONDS = 120.0
LATELY_SECONDS = 1800.0
WEEK = HistoryPlan(visits=14_000, days=7.0, quiet_seconds=LATELY_SECONDS, traced_share=0.5)
"""The week is a sample of the shop's visits; the last half hour before the live shop is as busy as the live shop."""

HEALTHY_SECONDS = 45.0
"""Live traffic before the deploy, the calibration included."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What the stages before the deploy work with."""

    places: Places
    api_key: str
    api: ArguxApi
    shoppers: Shoppers
    log: DeployLog
    random: Random
    narrator: Narrator


async def prepare(work: Preparation) -> None:
    """Teach Argux the shop's normal week while people shop; returns when the last of it can be seen in the funnel.

    Raises DemoError when Argux refuses something, StageError when it does not come to an end.
    """
    opened = time.monotonic()
    funnel_id = await work.api.create_funnel()
    for deploy in work.log.deploys:
        await work.api.record_deploy(deploy_record(deploy.commit_sha, deploy.at, deploy.by))
    with work.narrator.stage("Timing the shop under its first customers"):
        await _calibrate(work.shoppers)
    live_entries = work.shoppers.tally[Step.SIGN_UP]
    imported = await _bring_history(work, live_seconds=time.monotonic() - opened)
    with work.narrator.stage("Waiting for Argux to digest it"):

        async def digested() -> bool:
            return await work.api.funnel_entries(funnel_id) >= imported.visits + live_entries

        await until_true(digested, "digesting the history", ROLL_UP_LIMIT_SECONDS, every=1.0)
    remaining = HEALTHY_SECONDS - (time.monotonic() - opened)
    if remaining > 0:
        with work.narrator.stage("Letting people shop in peace"):
            await asyncio.sleep(remaining)


async def _calibrate(shoppers: Shoppers) -> None:
    """Collect answers until every step has enough of them."""
    await asyncio.sleep(CALIBRATION_SECONDS)

    async def enough() -> bool:
        return all(len(seconds) >= ANSWERS_A_STEP for seconds in shoppers.response_seconds.values())

    await until_true(enough, "timing the shop", CALIBRATION_LIMIT_SECONDS)


async def _bring_history(work: Preparation, *, live_seconds: float) -> Imported:
    """Make the past up from what was measured, and send it; the live shop has been open for `live_seconds`."""
    lately = HistoryPlan(
        visits=int(SHOPPERS_PER_SECOND * (LATELY_SECONDS - live_seconds)),
        days=LATELY_SECONDS / DAY_SECONDS,
        quiet_seconds=live_seconds,
    )
    with work.narrator.stage(f"Bringing {WEEK.days:.0f} days of history, a sample of the shop's visits") as report:

        def tell(so_far: Imported) -> None:
            report(f"{so_far.visits:,} visits, {so_far.events:,} events, {so_far.spans:,} spans")

        batches = chain(_batches(work, WEEK), _batches(work, lately))
        return await import_history(work.places.argux_url, work.api_key, batches, tell)


def _batches(work: Preparation, plan: HistoryPlan) -> Iterator[Batch]:
    visits = make_visits(plan, work.shoppers.response_seconds, time.time(), work.random)
    return make_batches(visits, work.api_key, work.log.version_at, work.random, traced_share=plan.traced_share)


def history_begins(plan: HistoryPlan, now: datetime) -> datetime:
    """The moment of the first visit."""
    return now.astimezone(UTC) - timedelta(days=plan.days)
