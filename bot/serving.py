"""The web process under uvicorn."""

from __future__ import annotations

import uvicorn

from bot.web import create_app
from workers.services import Services

STOP_SECONDS = 5


def serve(services: Services) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get STOP_SECONDS. Logging is configured by the caller."""
    settings = services.settings
    uvicorn.run(
        create_app(services),
        host=settings.argux_host,
        port=settings.argux_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
