"""Deploy the shop: put every new head of main live and report the deploy to Argux."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bot.demo.errors import StageError
from bot.demo.posting import post
from bot.demo.processes import Child, start
from bot.demo.repository.repository import NAME, ShopRepository

POLL_SECONDS = 1.0
START_LIMIT_SECONDS = 45.0
DRAIN_SECONDS = 8.0
SERVICE = "shop"
INVENTORY = "inventory"
"""The service that the shop asks in one of the scenarios."""

VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Deploy:
    """A commit that went live; `at` is the last moment before it answered."""

    commit_sha: str
    version: str
    at: datetime


def version_of(commit_sha: str) -> str:
    """Return the version that the shop reports for a commit."""
    return commit_sha[:VERSION_LENGTH]


def deploy_record(commit_sha: str, deployed_at: datetime, deployed_by: str, service: str = SERVICE) -> dict[str, str]:
    """Return the body of POST /api/deploys."""
    return {
        "service": service,
        "version": version_of(commit_sha),
        "commit_sha": commit_sha,
        "repository": NAME,
        "deployed_at": deployed_at.isoformat(),
        "deployed_by": deployed_by,
    }


class Deployer:
    """Deploy the head of main whenever it changes.

    The deployer owns the listening socket and passes it to every version. The new version accepts connections before
    the old one stops, so no shopper is refused. `argux` is an HTTP client for Argux's API with an API key. service: the
    service, and the package that is run. path: only commits that change something there are deployed; None for all.
    """

    def __init__(
        self,
        repository: ShopRepository,
        directory: Path,
        logs: Path,
        argux: httpx.AsyncClient,
        environment: Mapping[str, str],
        *,
        service: str = SERVICE,
        path: str | None = None,
    ) -> None:
        self._repository = repository
        self._directory = directory
        self._logs = logs
        self._argux = argux
        self._environment = environment
        self._path = path
        self.service = service
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._shop: Child | None = None
        self._retired: list[Child] = []
        self.deploys: list[Deploy] = []

    @property
    def base_url(self) -> str:
        """The shop's base URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    async def run(self) -> None:
        """Deploy every new head until cancelled. Raises StageError when a deploy fails or the shop exits by itself."""
        while True:
            if self._shop is not None and self._shop.exit_code is not None:
                raise StageError("running the shop", f"{self._shop.name} ended\n{self._shop.last_lines()}")
            head = await asyncio.to_thread(self._repository.head_now, self._path)
            if head is not None and (not self.deploys or self.deploys[-1].commit_sha != head):
                await self.deploy(head)
            await asyncio.sleep(POLL_SECONDS)

    async def deploy(self, commit_sha: str) -> Deploy:
        """Put a commit live and report the deploy to Argux. Raises StageError."""
        deploy = await self.swap(commit_sha)
        record = deploy_record(commit_sha, deploy.at, "acme-deployer", self.service)
        response = await post(self._argux, "/api/deploys", json=record)
        if response.is_error:
            raise StageError("deploying the shop", f"POST /api/deploys answered {response.status_code}")
        return deploy

    async def swap(self, commit_sha: str) -> Deploy:
        """Start a commit, wait until it answers, then stop the previous version. Raises StageError."""
        version = version_of(commit_sha)
        source = self._directory / "versions" / f"{len(self.deploys):02d}-{version}"
        await asyncio.to_thread(self._repository.check_out, commit_sha, source)
        previous = self._shop
        self._shop = await self._start(version, source)
        if previous is not None:
            self._retired.append(previous)
        deploy = Deploy(commit_sha, version, await self._wait_for_version(version))
        if previous is not None:
            await previous.stop(DRAIN_SECONDS)
        self.deploys.append(deploy)
        return deploy

    async def stop(self) -> None:
        """Stop every version that still runs and close the listening socket."""
        for child in [self._shop, *self._retired]:
            if child is not None:
                await child.stop(DRAIN_SECONDS)
        self._listener.close()

    async def _start(self, version: str, source: Path) -> Child:
        descriptor = self._listener.fileno()
        database = (self._directory / f"{self.service}.db").resolve()
        return await start(
            f"{self.service} {version}",
            [sys.executable, "-m", self.service, "--fd", str(descriptor), "--database", str(database)],
            log=self._logs / f"{self.service}-{version}.log",
            environment={
                **self._environment,
                "SHOP_VERSION": version,
                "OTEL_SERVICE_NAME": self.service,
                "OTEL_RESOURCE_ATTRIBUTES": f"service.version={version}",
            },
            directory=source,
            sockets=[descriptor],
        )

    async def _wait_for_version(self, version: str) -> datetime:
        """Wait until the new version answers on the socket that it shares with the old one.

        Returns the last moment before it answered. Raises StageError.
        """
        assert self._shop is not None
        try:
            async with asyncio.timeout(START_LIMIT_SECONDS):
                last_without = datetime.now(UTC)
                while await self._answering_version() != version:
                    if self._shop.exit_code is not None:
                        raise StageError("deploying the shop", f"version {version} ended\n{self._shop.last_lines()}")
                    await asyncio.sleep(0.05)
                    last_without = datetime.now(UTC)
                return last_without
        except TimeoutError:
            message = f"version {version} did not answer within {START_LIMIT_SECONDS:.0f} s, see {self._shop.log}"
            raise StageError("deploying the shop", message) from None

    async def _answering_version(self) -> str | None:
        """Return the version that answers a new connection, or None. Old and new version may both accept it."""
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
                response = await client.get(f"{self.base_url}/healthz")
        except httpx.TransportError:
            return None
        answer: dict[str, str] = response.json()
        return answer["version"]


def shop_environment(argux_url: str, api_key: str) -> dict[str, str]:
    """Return the environment variables that point the shop's stock clients at Argux."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": argux_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={api_key}",
        "POSTHOG_HOST": argux_url,
        "POSTHOG_API_KEY": api_key,
    }
