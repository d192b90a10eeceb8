"""Start Argux and the local workspace as child processes, and call Argux's HTTP API."""

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
    """Run the local workspace (Slack, GitHub, Jira and Teams on one machine) while the block runs."""
    command = ["integrations.local", "--port", str(places.workspace_port)]
    command += ["--directory", str(places.workspace), "--config", str(write_workspace_config(places, keys))]
    async with _running("workspace", command, places, {}) as child:
        await _wait_until_answering(child, f"{places.workspace_url}/page/state?user={PERSON}")
        yield child


@asynccontextmanager
async def argux_running(places: Places, keys: Secrets) -> AsyncIterator[Child]:
    """Run all of Argux (broker, web, worker and scheduler) with `argux up` while the block runs."""
    async with _running("argux", ["bot.cli", "up"], places, argux_environment(places, keys)) as child:
        await _wait_until_answering(child, f"{places.argux_url}/health/db")
        yield child


async def create_key(places: Places, keys: Secrets) -> str:
    """Create an operator's API key with `argux keys create`, as an operator does, and return it."""
    command = [sys.executable, "-m", "bot.cli", "keys", "create", "demo", "--role", "operator"]
    printed = await output_of(command, environment=argux_environment(places, keys), directory=places.root)
    return printed.split()[0]


class ArguxApi:
    """Client for the parts of the API that the demo uses. Every method raises DemoError on an error or no response."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def create_funnel(self) -> int:
        """Create the shop's checkout funnel and return its id."""
        steps = [{"name": step.strip("/"), "event_filter": {"event": event}} for step, event in EVENTS.items()]
        body = {
            "name": "Checkout",
            "steps": steps,
            "baseline_days": 7,
            "window_minutes": FUNNEL_WINDOW_MINUTES,
        }
        return int((await self._request("POST", "/api/funnels", body))["id"])

    async def funnel_entries(self, funnel_id: int) -> int:
        """Return how many people entered the funnel in the last eight days."""
        metrics = await self._request("GET", f"/api/funnels/{funnel_id}/metrics?days=8")
        return int(metrics["overall"]["entries"])

    async def record_deploy(self, record: Mapping[str, str]) -> None:
        """Record a deploy."""
        await self._request("POST", "/api/deploys", record)

    async def incidents(self) -> list[Json]:
        """Return all incidents, newest first."""
        found: list[Json] = await self._request("GET", "/api/incidents")
        return found

    async def incident(self, incident_id: int) -> Json:
        """Return one incident with its diagnosis, proposal, verification and timeline."""
        found: Json = await self._request("GET", f"/api/incidents/{incident_id}")
        return found

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
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


async def _wait_until_answering(child: Child, url: str) -> None:
    """Poll `url` until it responds with success. Raises StageError when the program ends or the time limit passes."""
    stage = f"starting {child.name}"
    try:
        async with asyncio.timeout(START_LIMIT_SECONDS), httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while not await _is_answering(client, url):
                if child.exit_code is not None:
                    raise StageError(stage, f"it ended with exit code {child.exit_code}\n{child.last_lines()}")
                await asyncio.sleep(0.1)
    except TimeoutError:
        message = f"no answer within {START_LIMIT_SECONDS:.0f} s, see {child.log}\n{child.last_lines()}"
        raise StageError(stage, message) from None


async def _is_answering(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
