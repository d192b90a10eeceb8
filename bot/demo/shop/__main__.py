"""Serve the shop: python -m shop --database FILE (--port N | --fd N)."""

from __future__ import annotations

import argparse
import logging
import socket
from pathlib import Path

import uvicorn

from .app import create_app
from .telemetry import Telemetry


def main() -> None:
    """Serve on a port, or on a socket from the parent process so that a deploy refuses no request."""
    parser = argparse.ArgumentParser(prog="shop")
    parser.add_argument("--database", type=Path, required=True)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int)
    where.add_argument("--fd", type=int)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    telemetry = Telemetry()
    app = create_app(arguments.database, telemetry)
    telemetry.watch(app)
    if arguments.fd is None:
        listener = socket.create_server(("127.0.0.1", arguments.port))
    else:
        listener = socket.socket(fileno=arguments.fd)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
