"""Run the web process with uvicorn."""

from __future__ import annotations

import gc

import uvicorn

from bot.web.app import create_app
from workers.services import Services

STOP_SECONDS = 5
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle. Longer than senders pause, so that no request arrives while it is being closed."""


def serve(services: Services) -> None:
    """Serve until SIGTERM or SIGINT; running requests get STOP_SECONDS to finish. The caller has configured logging."""
    settings = services.settings
    app = create_app(services)
    # Objects loaded so far live for ever. Freezing them keeps full collections short: scanning them takes up to
    # 100 ms, in which no click is answered.
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
