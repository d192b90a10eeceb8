"""Argux and the local workspace as the demo sees them: two programs to start, and an HTTP API with a key."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.demo.behaviour import EVENTS
from bot.demo.configuration import PERSON, Places, Secrets, argux_environment, write_workspace_config
from bot.demo.errors import DemoError, StageError
from bot.demo.processes import Child, output_of, start

START_LIMIT_SECONDS = 90.0
STOP_SECONDS = 20.0
FUNNEL_WINDOW_MINUTES = 30
Json = dict[str, Any]


@asynccontextmanager
async def workspace_running(places: Places, keys: Secrets) -> AsyncIterator[Child]:
    """The local workspace: Slack, GitHub, Jira and Teams on one machine."""
    command = ["integrations.local", "--port", str(places.workspace_port)]
    command += ["--directory", str(places.workspace), "--config", str(write_workspace_config(places, keys))]
    async with _running("workspace", command, places, {}) as child:
        await _until_answering(child, f"{places.workspace_url}/page/state?user={PERSON}")
        yield child


@asynccontextmanager
async def argux_running(places: Places, keys: Secrets) -> AsyncIterator[Child]:
    """All of Argux: broker, web, worker and scheduler, as `argux up` runs them."""
    async with _running("argux", ["bot.cli", "up"], places, argux_environment(places, keys)) as child:
        await _until_answering(child, f"{places.argux_url}/health/db")
        yield child


async def create_key(places: Places, keys: Secrets) -> str:
    """An API key, made as an operator makes one."""
    command = [sys.executable, "-m", "bot.cli", "keys", "create", "demo"]
    printed = await output_of(command, environment=argux_environment(places, keys), directory=places.root)
    return printed.split()[0]


class ArguxApi:
    """The parts of Argux's API that the demo uses; every method raises DemoError on an unexpected answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def create_funnel(self) -> int:
        """Watch the shop's funnel; its id."""
        steps = [{"name": step.strip("/"), "event_filter": {"event": event}} for step, event in EVENTS.items()]
        body = {
            "name": "Checkout",
            "steps": steps,
            "baseline_days": 7,
            "window_minutes": FUNNEL_WINDOW_MINUTES,
        }
        return int((await self._ask("POST", "/api/funnels", body))["id"])

    async def funnel_entries(self, funnel_id: int) -> int:
        """How many people Argux has counted into the funnel over the last eight days."""
        metrics = await self._ask("GET", f"/api/funnels/{funnel_id}/metrics?days=8")
        return int(metrics["overall"]["entries"])

    async def record_deploy(self, record: Mapping[str, str]) -> None:
        """Tell of a deploy."""
        await self._ask("POST", "/api/deploys", record)

    async def incidents(self) -> list[Json]:
        """All incidents, newest first."""
        found: list[Json] = await self._ask("GET", "/api/incidents")
        return found

    async def incident(self, incident_id: int) -> Json:
        """One incident with its diagnosis, proposal, verification and timeline."""
        found: Json = await self._ask("GET", f"/api/incidents/{incident_id}")
        return found

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            response = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise DemoError(f"Argux does not answer {method} {path}: {error}") from error
        if response.is_error:
            raise DemoError(f"Argux answered {response.status_code} to {method} {path}: {response.text[:300]}")
        return response.json()


@asynccontextmanager
async def _running(
    name: str, module: Sequence[str], places: Places, environment: Mapping[str, str]
) -> AsyncIterator[Child]:
    child = await start(
        name,
        [sys.executable, "-m", *module],
        log=places.logs / f"{name}.log",
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        directory=places.root,
    )
    try:
        yield child
    finally:
        await child.stop(STOP_SECONDS)


async def _until_answering(child: Child, url: str) -> None:
    """Ask until it answers well; raises StageError when the program ends or stays silent."""
    stage = f"starting {child.name}"
    try:
        async with asyncio.timeout(START_LIMIT_SECONDS), httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while not await _answers(client, url):
                if child.exit_code is not None:
                    raise StageError(stage, f"it ended with exit code {child.exit_code}\n{child.last_lines()}")
                await asyncio.sleep(0.1)
    except TimeoutError:
        message = f"no answer within {START_LIMIT_SECONDS:.0f} s, see {child.log}\n{child.last_lines()}"
        raise StageError(stage, message) from None


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
