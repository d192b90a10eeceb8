"""Create the FastAPI application of the web process: doors, API, health and Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App

from bot.api import routes
from bot.auth import KeyRing
from bot.doors import monitoring, otlp, own, product, syslog
from bot.doors.amazon_pages import AmazonPages
from bot.doors.browsers import BrowserDoors
from bot.reception import error_responses
from bot.reception.gate import Limits
from bot.reception.prometheus import Metrics
from bot.reception.receive import Reception
from bot.slack.app import create_slack_app
from bot.slack.http import slack_route
from bot.slack.socket import SocketListener
from bot.web import docs, health
from workers.services import Services

if TYPE_CHECKING:
    from bot.doors.otlp_grpc import GrpcDoor

SLACK_THREADS = 8
GRPC_STOP_SECONDS = 3.0

DESCRIPTION = """
Argux watches product funnels and API endpoints, works out why one broke, proposes a fix, waits for a person's click,
and checks that it worked.

Every route but the health checks wants a key, as `Authorization: Bearer argux_…` or
`X-API-Key: argux_…`. `argux keys create NAME` makes one that may only send data, with `--role operator` one for
all routes.

Errors look like `{"error": {"message": "…", "field": "steps[0].name"}}`, the field only where there is one.
"""


def create_app(services: Services, *, limits: Limits | None = None) -> FastAPI:
    """Create the application. It contacts no other system until it is started.

    Slack over HTTP is served if SLACK_SIGNING_SECRET is set, Socket Mode is opened if SLACK_APP_TOKEN is set; both may
    be. A click that arrives both ways counts once.
    """
    slack = create_slack_app(services) if _wants_slack(services) else None
    threads = ThreadPoolExecutor(max_workers=SLACK_THREADS, thread_name_prefix="slack")
    app = FastAPI(
        title="Argux",
        version=version("argux"),
        description=DESCRIPTION,
        lifespan=partial(_lifespan, services, slack, threads),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    _set_state(app, services, limits)
    error_responses.install(app)
    signing_secret = services.settings.slack_signing_secret
    if slack is not None and signing_secret is not None:
        app.router.routes.append(slack_route(slack, threads, signing_secret.get_secret_value()))
    app.router.routes.extend(_every_route().routes)
    app.add_middleware(BrowserDoors)
    return app


@cache
def _every_route() -> APIRouter:
    """The routes of doors, API, health and documentation: FastAPI prepares them at the first request, once a process.

    They find the services in the application's state, so that several applications may share them.
    """
    every = APIRouter()
    doors = (own.router, product.router, otlp.router)
    for router in (*doors, routes.router, health.router, docs.router, monitoring.router):
        every.include_router(router)
    return every


def _wants_slack(services: Services) -> bool:
    settings = services.settings
    return settings.slack_signing_secret is not None or settings.slack_app_token is not None


def _set_state(app: FastAPI, services: Services, limits: Limits | None) -> None:
    """Store the objects that the routes share in the application's state."""
    metrics = Metrics()
    ring = KeyRing(services.readers)
    app.state.services = services
    app.state.metrics = metrics
    app.state.key_ring = ring
    app.state.reception = Reception(services, ring, metrics, limits)
    app.state.amazon_pages = AmazonPages()
    app.state.integration_health = health.IntegrationHealth(services)


@asynccontextmanager
async def _lifespan(
    services: Services, slack: App | None, threads: ThreadPoolExecutor, app: FastAPI
) -> AsyncIterator[None]:
    """Run the gRPC and syslog doors and Socket Mode, where configured, while the application runs; then stop them."""
    socket = None
    grpc_door = await _start_grpc_door(services, app.state.reception)
    token = services.settings.slack_app_token
    if slack is not None and token is not None:
        socket = SocketListener(slack, token.get_secret_value())
        socket.start()
    try:
        async with app.state.reception.arrivals.kept(), syslog.listening(app.state.reception):
            yield
    finally:
        if grpc_door is not None:
            await grpc_door.stop(GRPC_STOP_SECONDS)
        if socket is not None:
            await run_in_threadpool(socket.close)
        threads.shutdown(wait=False, cancel_futures=True)
        services.engine.dispose()


async def _start_grpc_door(services: Services, reception: Reception) -> GrpcDoor | None:
    """Start the door for OTLP over gRPC if OTLP_GRPC_PORT is set, and return it. gRPC is imported only then."""
    settings = services.settings
    if settings.otlp_grpc_port is None:
        return None
    from bot.doors.otlp_grpc import GrpcDoor

    door = GrpcDoor(reception, f"{settings.argux_host}:{settings.otlp_grpc_port}")
    await door.start()
    return door
