"""Run the web process with uvicorn."""

from __future__ import annotations

import gc
import socket

import uvicorn

from bot.setup.ports import require_usable, wanted_ports
from bot.setup.warnings import warn_of_settings
from bot.web.app import create_app
from workers.services import Services

STOP_SECONDS = 5
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle. Longer than senders pause, so that no request arrives while it is being closed."""


def serve(services: Services, *, is_warned: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; running requests get STOP_SECONDS to finish. The caller has configured logging.

    is_warned: what is not set has been told already. Raises PortUnusableError before anything is started.
    """
    settings = services.settings
    require_usable(wanted_ports(settings))
    if not is_warned:
        warn_of_settings(settings)
    app = create_app(services)
    # Objects loaded so far live for ever. Freezing them keeps full collections short: scanning them takes up to
    # 100 ms, in which no click is answered.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        host=settings.argux_host,
        port=settings.argux_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    _AnnouncedServer(config).run()


class _AnnouncedServer(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets=sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            print(f"Argux listens on http://{host}:{self.config.port}", flush=True)
