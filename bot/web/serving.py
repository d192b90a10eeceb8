"""The web process under uvicorn."""

from __future__ import annotations

import gc

import uvicorn

from bot.web.app import create_app
from workers.services import Services

STOP_SECONDS = 5
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle: longer than senders pause, or what they send could meet its closing."""


def serve(services: Services) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get STOP_SECONDS. Logging is configured by the caller."""
    settings = services.settings
    app = create_app(services)
    # What was loaded by now stays for ever; a full collection that looks through it can hold up a click for 100 ms.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.argux_host,
        port=settings.argux_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
