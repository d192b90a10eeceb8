"""The stages before the watched deploy: create the funnel, measure the shop, import its past week into Argux."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random

from bot.demo.argux import ArguxApi
from bot.demo.behaviour import Step
from bot.demo.configuration import Places
from bot.demo.deployer import deploy_record
from bot.demo.history.deploys import DeployLog
from bot.demo.history.gauges import past_hit_ratio
from bot.demo.history.importing import Batch, ImportCounts, import_history, make_batches
from bot.demo.history.visits import DAY_SECONDS, HistoryPlan, make_visits
from bot.demo.narration import Narrator
from bot.demo.shoppers import SHOPPERS_PER_SECOND, Shoppers
from bot.demo.waiting import until_true

CALIBRATION_SECONDS = 10.0
CALIBRATION_LIMIT_SECONDS = 60.0
MIN_RESPONSES_PER_STEP = 15
ROLL_UP_LIMIT_SECONDS = 120.0
RECENT_SECONDS = 1800.0
WEEK = HistoryPlan(visits=14_000, days=7.0, quiet_seconds=RECENT_SECONDS, traced_share=0.5)
"""The week is a sample of the shop's visits and ends RECENT_SECONDS before now.

The rest of the history, up to the opening of the live shop, has the live shop's rate of visits.
"""

UNTRACED_SECONDS = 5 * 3600.0
"""The sample has no traces this long before now: beside the live rate, it would look like a crowd that came at once."""

HEALTHY_SECONDS = 45.0
"""How long live traffic runs before the deploy, including the calibration."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The inputs of the stages before the deploy.

    hit_ratio: that of the shop's cache, if it has one. inventory: the deploy of the inventory, if there is one.
    """

    places: Places
    api_key: str
    api: ArguxApi
    shoppers: Shoppers
    log: DeployLog
    random: Random
    narrator: Narrator
    hit_ratio: float | None = None
    inventory: Mapping[str, str] | None = None


async def prepare(work: Preparation) -> None:
    """Import the shop's past week into Argux while people shop. Return when the funnel counts all of it.

    Raises DemoError when Argux refuses a request, StageError when a stage times out.
    """
    opened = time.monotonic()
    funnel_id = await work.api.create_funnel()
    for deploy in work.log.deploys:
        await work.api.record_deploy(deploy_record(deploy.commit_sha, deploy.at, deploy.by))
    if work.inventory is not None:
        await work.api.record_deploy(work.inventory)
    with work.narrator.stage("Timing the shop under its first customers"):
        await _calibrate(work.shoppers)
    live_entries = work.shoppers.tally[Step.SIGN_UP]
    imported = await _import_past(work, live_seconds=time.monotonic() - opened)
    with work.narrator.stage("Waiting for Argux to digest it"):

        async def digested() -> bool:
            return await work.api.funnel_entries(funnel_id) >= imported.visits + live_entries

        await until_true(digested, "digesting the history", ROLL_UP_LIMIT_SECONDS, every=1.0)
    remaining = HEALTHY_SECONDS - (time.monotonic() - opened)
    if remaining > 0:
        with work.narrator.stage("Letting people shop in peace"):
            await asyncio.sleep(remaining)


async def _calibrate(shoppers: Shoppers) -> None:
    """Wait until enough response times have been measured for every step. Raises StageError."""
    await asyncio.sleep(CALIBRATION_SECONDS)

    async def enough() -> bool:
        return all(len(seconds) >= MIN_RESPONSES_PER_STEP for seconds in shoppers.response_seconds.values())

    await until_true(enough, "timing the shop", CALIBRATION_LIMIT_SECONDS)


async def _import_past(work: Preparation, *, live_seconds: float) -> ImportCounts:
    """Generate the history from the measured response times and import it.

    live_seconds: how long the live shop has been open; the history ends before that.
    """
    recent = HistoryPlan(
        visits=int(SHOPPERS_PER_SECOND * (RECENT_SECONDS - live_seconds)),
        days=RECENT_SECONDS / DAY_SECONDS,
        quiet_seconds=live_seconds,
    )
    with work.narrator.stage(f"Bringing {WEEK.days:.0f} days of history, a sample of the shop's visits") as report:

        def show_counts(so_far: ImportCounts) -> None:
            report(f"{so_far.visits:,} visits, {so_far.events:,} events, {so_far.spans:,} spans")

        sampled = _batches(work, WEEK, traced_until=time.time() - UNTRACED_SECONDS)
        batches = chain(sampled, _batches(work, recent), _past_gauges(work, live_seconds))
        return await import_history(work.places.argux_url, work.api_key, batches, show_counts)


def _batches(work: Preparation, plan: HistoryPlan, *, traced_until: float = math.inf) -> Iterator[Batch]:
    visits = make_visits(plan, work.shoppers.response_seconds, time.time(), work.random)
    return make_batches(
        visits,
        work.api_key,
        work.log.version_at,
        work.random,
        traced_share=plan.traced_share,
        traced_until=traced_until,
        inventory_version=work.inventory["version"] if work.inventory is not None else None,
    )


def _past_gauges(work: Preparation, live_seconds: float) -> Iterator[Batch]:
    if work.hit_ratio is not None:
        body = past_hit_ratio(work.hit_ratio, time.time() - live_seconds, work.random)
        yield Batch("/v1/metrics", "application/x-protobuf", body, ImportCounts())


def history_start(plan: HistoryPlan, now: datetime) -> datetime:
    """Return the time at which the generated history starts."""
    return now.astimezone(UTC) - timedelta(days=plan.days)
