"""Create the workspace's application: all emulated systems and the page on one store."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from integrations.local import teams
from integrations.local.changes import Changes
from integrations.local.config import WorkspaceConfig
from integrations.local.faults import Faults
from integrations.local.github import pages as github_pages
from integrations.local.github import routes as github_routes
from integrations.local.github.host import open_host
from integrations.local.jira import routes as jira_routes
from integrations.local.jira.tracker import Tracker
from integrations.local.loopback_only import LoopbackOnly
from integrations.local.page import routes as page_routes
from integrations.local.slack import response_urls, sockets, web_api
from integrations.local.slack.delivery import Delivery
from integrations.local.slack.interactivity import Interactivity
from integrations.local.slack.workspace import open_workspace
from integrations.local.store import Store
from integrations.local.traffic import Traffic


def create_app(
    config: WorkspaceConfig,
    directory: Path,
    *,
    clock: Callable[[], float] = time.time,
    random_id: Callable[[], str] = lambda: secrets.token_hex(16),
) -> FastAPI:
    """Create the application. Its data is in `directory`, which is created if it is missing.

    `app.state.changes` holds its Changes; the server closes it when it stops. Raises GitError if git cannot be run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    store = Store(directory / "workspace.db")
    changes = Changes()
    faults = Faults()
    # The app runs on the same machine, so requests to it must not go through a proxy.
    client = httpx.AsyncClient(trust_env=False)
    slack = open_workspace(config, directory, store, changes, clock=clock, random_id=random_id)
    interactivity = Interactivity(slack, Delivery(slack, client, clock))
    host = open_host(config, directory / "repositories", store, clock)
    tracker = Tracker(config, store, clock)
    posts = teams.Posts(store, changes, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()
        store.close()

    app = FastAPI(title="Argux local workspace", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.changes = changes
    app.include_router(web_api.routes(slack))
    app.include_router(response_urls.routes(slack))
    app.include_router(sockets.routes(slack.sockets))
    github_routes.install(app, host, config)
    app.include_router(github_pages.routes(host))
    jira_routes.install(app, tracker, config)
    app.include_router(teams.routes(posts, config))
    app.include_router(page_routes.routes(slack, interactivity, posts, faults, changes))
    app.mount("/static", StaticFiles(directory=page_routes.STATIC))
    app.add_middleware(Traffic, faults=faults, changes=changes, clock=clock)
    app.add_middleware(LoopbackOnly)
    return app
