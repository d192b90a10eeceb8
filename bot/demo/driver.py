"""The demo from its first process to its last: everything is started here, and everything is stopped here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from bot.demo.argux import ArguxApi, argux_running, create_key, workspace_running
from bot.demo.configuration import PERSON, Places, make_secrets
from bot.demo.deployer import Deployer, Live, shop_environment
from bot.demo.errors import DemoError, StageError
from bot.demo.history.deploys import DeployLog
from bot.demo.narration import Narrator
from bot.demo.person import Person
from bot.demo.preparing import WEEK, Preparation, history_begins, prepare
from bot.demo.processes import Child
from bot.demo.repository.repository import NAME, Commit, ShopRepository
from bot.demo.scenario import Scenario
from bot.demo.shop.catalogue import products
from bot.demo.shoppers import Shoppers
from bot.demo.waiting import until_true
from bot.demo.watching import Result, Watch

GUARD_SECONDS = 0.5
DEPLOY_LIMIT_SECONDS = 60.0
NO_FAULT_SECONDS = 75.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: the object of its last line, and what went wrong, if anything."""

    summary: dict[str, Any]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """Everything that runs while the demo runs."""

    repository: ShopRepository
    deployer: Deployer
    work: Preparation
    children: tuple[Child, ...]


async def perform(places: Places, scenario: Scenario, narrator: Narrator, random: Random, *, auto: bool) -> Ending:
    """Run a scenario. With `auto` it ends by itself; without, a broken and mended shop goes on until cancelled.

    Raises DemoError when the preparation fails; after the deploy a failure is part of the ending.
    """
    async with _everything_running(places, narrator, random) as cast:
        background = [cast.work.shoppers.run(), cast.deployer.run(), _guard(cast.children)]
        return await _beside(background, _play(cast, scenario, auto=auto))


@asynccontextmanager
async def _everything_running(places: Places, narrator: Narrator, random: Random) -> AsyncIterator[Cast]:
    """Start the workspace, Argux and the shop; stop them in the opposite order."""
    keys = make_secrets()
    now = datetime.now(UTC)
    repository = ShopRepository(places.workspace / "repositories" / f"{NAME}.git", places.root / "developer")
    async with AsyncExitStack() as running:
        with narrator.stage("Writing the shop's git repository"):
            commits = await asyncio.to_thread(repository.create, now)
        with narrator.stage("Starting the local workspace: Slack, GitHub, Jira and Teams in one small server"):
            workspace = await running.enter_async_context(workspace_running(places, keys))
        with narrator.stage("Starting Argux: broker, web, worker and scheduler"):
            argux = await running.enter_async_context(argux_running(places, keys))
            api_key = await create_key(places, keys)
        client = httpx.AsyncClient(
            base_url=places.argux_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=30, trust_env=False
        )
        await running.enter_async_context(client)
        deployer = Deployer(
            repository, places.root / "shop", places.logs, client, shop_environment(places.argux_url, api_key)
        )
        running.push_async_callback(deployer.stop)
        with narrator.stage("Opening the shop"):
            await deployer.swap(commits[-1].sha)
        shoppers = Shoppers(deployer.base_url, [product.sku for product in products()], random)
        log = DeployLog(commits, history_begins(WEEK, now))
        own_random = Random(random.getrandbits(64))  # history is made in a thread beside the shoppers
        work = Preparation(places, api_key, ArguxApi(client), shoppers, log, own_random, narrator)
        running.callback(narrator.milestone, "Stopping everything")
        yield Cast(repository, deployer, work, (workspace, argux))


async def _play(cast: Cast, scenario: Scenario, *, auto: bool) -> Ending:
    """Prepare, push, and see what comes of it."""
    work = cast.work
    await prepare(work)
    await _expect_incidents(work.api, at_most=0, when="before the deploy")
    if not auto:
        work.narrator.invitation(
            work.places.argux_url,
            "Open the page. A new version of the shop is going live now.\n"
            "In about a minute a thread appears in #incidents; press Approve fix.",
        )
    pushed = await asyncio.to_thread(cast.repository.push, scenario.changes, datetime.now(UTC))
    live = await _until_live(cast.deployer, pushed)
    work.narrator.milestone(f"Live: version {live.version} with {len(pushed)} commits", 0.0)
    if scenario.fault is None:
        return await _watch_peace(cast, scenario, live)
    true_commit = pushed[scenario.changes.index(scenario.fault)].sha
    ending = await _watch_fault(cast, live, true_commit, auto=auto)
    if not auto:
        work.narrator.milestone(ending.failure or "The shop is healthy again.")
        work.narrator.milestone("Everything still runs: look around. Ctrl-C stops it.")
        await asyncio.Event().wait()
    return ending


async def _until_live(deployer: Deployer, pushed: Sequence[Commit]) -> Live:
    """The moment when the pushed head answered first."""

    async def is_live() -> bool:
        return deployer.lives[-1].commit_sha == pushed[-1].sha

    await until_true(is_live, "deploying the push", DEPLOY_LIMIT_SECONDS, every=0.1)
    return deployer.lives[-1]


async def _watch_fault(cast: Cast, live: Live, true_commit: str, *, auto: bool) -> Ending:
    """Follow the incident to its end and compare what Argux found with what was done."""
    work = cast.work
    result = Result(true_commit)
    address = httpx.AsyncClient(base_url=work.places.workspace_url, timeout=30, trust_env=False)
    async with address as page:
        person = Person(page, PERSON) if auto else None
        watch = Watch(work.api, cast.repository, cast.deployer, work.narrator, live, result, person)
        try:
            await watch.follow()
            await _expect_incidents(work.api, at_most=1, when="for one bad deploy")
        except DemoError as error:
            return Ending(result.as_json(), f"{error} (logs: {work.places.logs})")
    if result.suspect_commit != true_commit:
        return Ending(result.as_json(), f"Argux suspects {result.suspect_commit}, but it was {true_commit}")
    return Ending(result.as_json())


async def _watch_peace(cast: Cast, scenario: Scenario, live: Live) -> Ending:
    """Watch a harmless deploy for a while; any incident is one too many."""
    work = cast.work
    began = time.monotonic()
    with work.narrator.stage(f"Watching a harmless deploy for {NO_FAULT_SECONDS:.0f} s"):
        while (datetime.now(UTC) - live.at).total_seconds() < NO_FAULT_SECONDS:
            await asyncio.sleep(1.0)
            if await work.api.incidents():
                break
    opened = await work.api.incidents()
    summary = {
        "scenario": str(scenario.name),
        "incidents": len(opened),
        "watched_seconds": round(time.monotonic() - began, 1),
    }
    return Ending(summary, f"an incident was opened: {opened[0]['title']}" if opened else None)


async def _expect_incidents(api: ArguxApi, *, at_most: int, when: str) -> None:
    opened = await api.incidents()
    if len(opened) > at_most:
        titles = "; ".join(f"#{incident['id']} {incident['title']}" for incident in opened)
        raise StageError("counting incidents", f"{len(opened)} {when}, expected {at_most}: {titles}")


async def _guard(children: Sequence[Child]) -> None:
    """Raise StageError as soon as one of the programs has ended by itself."""
    while True:
        for child in children:
            if child.exit_code is not None:
                message = f"it ended with exit code {child.exit_code}, see {child.log}\n{child.last_lines()}"
                raise StageError(f"running {child.name}", message)
        await asyncio.sleep(GUARD_SECONDS)


async def _beside(background: Sequence[Coroutine[Any, Any, None]], play: Coroutine[Any, Any, Ending]) -> Ending:
    """Run the play with the others beside it: its result, or the first error of any; none runs on afterwards."""
    main = asyncio.create_task(play)
    others = [asyncio.create_task(coroutine) for coroutine in background]
    try:
        done, _ = await asyncio.wait([main, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {main}:
            task.result()
        return await main
    finally:
        for task in (main, *others):
            task.cancel()
        await asyncio.gather(main, *others, return_exceptions=True)
