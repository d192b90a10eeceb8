"""Run the demo from start to end: start every process, run the scenario, stop every process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from bot.demo.argux import ArguxApi, argux_running, create_key, workspace_running
from bot.demo.configuration import PERSON, Places, make_secrets
from bot.demo.deployer import INVENTORY, SERVICE, Deploy, Deployer, deploy_record, shop_environment
from bot.demo.errors import DemoError, StageError
from bot.demo.history.deploys import DeployLog
from bot.demo.narration import Narrator
from bot.demo.page_progress import show_progress
from bot.demo.person import Person
from bot.demo.preparing import WEEK, Preparation, history_start, prepare
from bot.demo.processes import Child
from bot.demo.repository.repository import NAME, Commit, ShopRepository
from bot.demo.scenario import Scenario
from bot.demo.scenarios.outage import watch_outage
from bot.demo.scenarios.provider import Provider
from bot.demo.shop.catalogue import products
from bot.demo.shoppers import Shoppers
from bot.demo.waiting import until_true
from bot.demo.watching import Result, Watch

GUARD_SECONDS = 0.5
DEPLOY_LIMIT_SECONDS = 60.0
NO_FAULT_SECONDS = 75.0
TELL_LIMIT_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run: the JSON object for the last output line, and the failure, if any."""

    summary: dict[str, Any]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The running parts of the demo. inventory: the deployer of the service behind the shop, if there is one."""

    repository: ShopRepository
    deployer: Deployer
    inventory: Deployer | None
    provider: Provider
    work: Preparation
    children: tuple[Child, ...]
    page: httpx.AsyncClient
    progress: asyncio.Task[None]


async def run_demo(places: Places, scenario: Scenario, narrator: Narrator, random: Random, *, auto: bool) -> Outcome:
    """Run a scenario and return its outcome.

    With `auto` the run ends by itself. Without it, a scenario with a fault keeps running until cancelled.
    Raises DemoError when the preparation fails or a process ends by itself; a failure after the deploy is reported in
    the outcome.
    """
    async with _running_demo(places, scenario, narrator, random) as demo:
        deployers = [demo.deployer, *([demo.inventory] if demo.inventory else [])]
        background = [demo.work.shoppers.run(), _watch_processes(demo.children), *(one.run() for one in deployers)]
        return await _with_background(background, _run_scenario(demo, scenario, auto=auto))


@asynccontextmanager
async def _running_demo(
    places: Places, scenario: Scenario, narrator: Narrator, random: Random
) -> AsyncIterator[RunningDemo]:
    """Start the workspace, Argux and the shop; stop them in reverse order when the block ends."""
    keys = make_secrets()
    now = datetime.now(UTC)
    repository = ShopRepository(places.workspace / "repositories" / f"{NAME}.git", places.root / "developer")
    async with AsyncExitStack() as running:
        with narrator.stage("Writing the shop's git repository"):
            commits = await asyncio.to_thread(repository.create, now, scenario.base)
        with narrator.stage("Starting the local workspace: Slack, GitHub, Jira and Teams in one small server"):
            workspace = await running.enter_async_context(workspace_running(places, keys))
        page = await running.enter_async_context(
            httpx.AsyncClient(base_url=places.workspace_url, timeout=30, trust_env=False)
        )
        progress = asyncio.create_task(show_progress(narrator, page))
        running.push_async_callback(_end, progress)
        narrator.milestone(f"Watch the rest at {places.workspace_url}")
        with narrator.stage("Starting Argux: broker, web, worker and scheduler"):
            argux = await running.enter_async_context(argux_running(places, keys))
            api_key = await create_key(places, keys)
        client = httpx.AsyncClient(
            base_url=places.argux_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=30, trust_env=False
        )
        await running.enter_async_context(client)
        provider = await running.enter_async_context(Provider().running())
        environment = {**shop_environment(places.argux_url, api_key), "PAYGATE_URL": provider.url}
        inventory = None
        if scenario.has_inventory:
            inventory = Deployer(
                repository, places.root / INVENTORY, places.logs, client, environment, service=INVENTORY, path=INVENTORY
            )
            running.push_async_callback(inventory.stop)
            environment = {**environment, "INVENTORY_URL": inventory.base_url}
            with narrator.stage("Opening the inventory"):
                await inventory.swap(commits[-1].sha)
        path = SERVICE if scenario.has_inventory else None
        deployer = Deployer(repository, places.root / SERVICE, places.logs, client, environment, path=path)
        running.push_async_callback(deployer.stop)
        with narrator.stage("Opening the shop"):
            await deployer.swap(commits[-1].sha)
        shoppers = Shoppers(deployer.base_url, [product.sku for product in products()], random)
        log = DeployLog(commits, history_start(WEEK, now))
        # The history is generated in a thread while the shoppers draw from `random`.
        own_random = Random(random.getrandbits(64))
        api = ArguxApi(client)
        newest = commits[-1]
        live = deploy_record(newest.sha, newest.committed_at, "acme-deployer", INVENTORY) if inventory else None
        work = Preparation(places, api_key, api, shoppers, log, own_random, narrator, scenario.hit_ratio, live)
        running.callback(narrator.milestone, "Stopping everything")
        yield RunningDemo(repository, deployer, inventory, provider, work, (workspace, argux), page, progress)


async def _run_scenario(demo: RunningDemo, scenario: Scenario, *, auto: bool) -> Outcome:
    """Prepare, push the changes, and watch until the scenario has ended."""
    work = demo.work
    await prepare(work)
    await _expect_incidents(work.api, at_most=0, when="before the deploy")
    if not auto:
        work.narrator.invitation(work.places.argux_url, scenario.invitation)
    pushed = await asyncio.to_thread(demo.repository.push, scenario.changes, datetime.now(UTC))
    broken = demo.inventory or demo.deployer
    deploy = await _wait_until_live(broken, pushed)
    work.narrator.milestone(f"Live: version {deploy.version} with {len(pushed)} commits", 0.0)
    if scenario.fault is None and not scenario.has_outage:
        return await _watch_harmless_deploy(demo, scenario, deploy)
    await asyncio.sleep(scenario.later_after_seconds)
    if scenario.fault is None:
        outcome = await _watch_outage(demo)
    else:
        true_commit = pushed[scenario.changes.index(scenario.fault)].sha
        deploy = await _push_later(demo, scenario, deploy)
        outcome = await _watch_fault(demo, scenario, deploy, true_commit, auto=auto)
    if not auto:
        work.narrator.milestone(outcome.failure or "The shop is healthy again.")
        work.narrator.milestone("Everything still runs: look around. Ctrl-C stops it.")
        await asyncio.Event().wait()
    return outcome


async def _push_later(demo: RunningDemo, scenario: Scenario, first: Deploy) -> Deploy:
    """Push what comes later and does no harm; return what is live then, with the time of the first deploy."""
    if not scenario.later:
        return first
    pushed = await asyncio.to_thread(demo.repository.push, scenario.later, datetime.now(UTC))
    newest = await _wait_until_live(demo.deployer, pushed)
    seconds = (newest.at - first.at).total_seconds()
    demo.work.narrator.milestone(f"Live: version {newest.version}, which is harmless", seconds)
    return replace(newest, at=first.at)


async def _wait_until_live(deployer: Deployer, pushed: Sequence[Commit]) -> Deploy:
    """Wait until the pushed head is deployed. Raises StageError."""

    async def is_live() -> bool:
        return deployer.deploys[-1].commit_sha == pushed[-1].sha

    await until_true(is_live, "deploying the push", DEPLOY_LIMIT_SECONDS, every=0.1)
    return deployer.deploys[-1]


async def _watch_outage(demo: RunningDemo) -> Outcome:
    """Let the payment provider fail, and watch what Argux says of it. A suspected commit is a failure."""
    work = demo.work
    result = Result(true_commit=None)
    person = Person(demo.page, PERSON)

    async def told() -> None:
        await until_true(person.has_messages, "telling of the incident", TELL_LIMIT_SECONDS)
        await _end(demo.progress)

    try:
        await watch_outage(work.api, demo.provider, work.narrator, result, told)
    except DemoError as error:
        return Outcome(result.as_json(), f"{error} (logs: {work.places.logs})")
    if result.suspect_commit is not None:
        return Outcome(result.as_json(), f"Argux suspects {result.suspect_commit}, but no commit did it")
    return Outcome(result.as_json())


async def _watch_fault(
    demo: RunningDemo, scenario: Scenario, deploy: Deploy, true_commit: str, *, auto: bool
) -> Outcome:
    """Follow the incident until it is closed, then compare the suspect commit with the true one."""
    work = demo.work
    result = Result(true_commit)
    person = Person(demo.page, PERSON)
    watch = Watch(
        work.api,
        demo.repository,
        demo.inventory or demo.deployer,
        work.narrator,
        deploy,
        result,
        person if auto else None,
        awaits_conversion=scenario.loses_conversions,
    )
    try:
        with work.narrator.stage("Waiting for Argux to notice what the new version broke"):
            incident_id = await watch.incident()
            await until_true(person.has_messages, "telling of the incident", TELL_LIMIT_SECONDS)
        await _end(demo.progress)
        await watch.follow(incident_id)
        await _expect_incidents(work.api, at_most=2 if demo.inventory else 1, when="for one bad deploy")
    except DemoError as error:
        return Outcome(result.as_json(), f"{error} (logs: {work.places.logs})")
    if result.suspect_commit != true_commit:
        return Outcome(result.as_json(), f"Argux suspects {result.suspect_commit}, but it was {true_commit}")
    return Outcome(result.as_json())


async def _watch_harmless_deploy(demo: RunningDemo, scenario: Scenario, deploy: Deploy) -> Outcome:
    """Watch a harmless deploy for NO_FAULT_SECONDS. Any incident is a failure."""
    work = demo.work
    began = time.monotonic()
    with work.narrator.stage(f"Watching a harmless deploy for {NO_FAULT_SECONDS:.0f} s"):
        while (datetime.now(UTC) - deploy.at).total_seconds() < NO_FAULT_SECONDS:
            await asyncio.sleep(1.0)
            if await work.api.incidents():
                break
    opened = await work.api.incidents()
    summary = {
        "scenario": str(scenario.name),
        "incidents": len(opened),
        "watched_seconds": round(time.monotonic() - began, 1),
    }
    return Outcome(summary, f"an incident was opened: {opened[0]['title']}" if opened else None)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _expect_incidents(api: ArguxApi, *, at_most: int, when: str) -> None:
    """Raise StageError when there are more than `at_most` incidents."""
    opened = await api.incidents()
    if len(opened) > at_most:
        titles = "; ".join(f"#{incident['id']} {incident['title']}" for incident in opened)
        raise StageError("counting incidents", f"{len(opened)} {when}, expected {at_most}: {titles}")


async def _watch_processes(children: Sequence[Child]) -> None:
    """Raise StageError as soon as one of the processes exits by itself."""
    while True:
        for child in children:
            if child.exit_code is not None:
                message = f"it ended with exit code {child.exit_code}, see {child.log}\n{child.last_lines()}"
                raise StageError(f"running {child.name}", message)
        await asyncio.sleep(GUARD_SECONDS)


async def _with_background(
    background: Sequence[Coroutine[Any, Any, None]], main: Coroutine[Any, Any, Outcome]
) -> Outcome:
    """Run `main` while the background coroutines run, and return its result.

    Raises the first error of any of them. All of them are cancelled before it returns.
    """
    main_task = asyncio.create_task(main)
    others = [asyncio.create_task(coroutine) for coroutine in background]
    try:
        done, _ = await asyncio.wait([main_task, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {main_task}:
            task.result()
        return await main_task
    finally:
        for task in (main_task, *others):
            task.cancel()
        await asyncio.gather(main_task, *others, return_exceptions=True)
