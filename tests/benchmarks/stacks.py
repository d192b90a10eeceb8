"""A whole Argux for a benchmark: web, worker, scheduler, broker and the local workspace, on either database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PostgresServer
from tests.functional.stack import Stack, running_stack

DATABASES = ("sqlite", "postgresql")


@contextmanager
def stack_on(database: str) -> Iterator[tuple[Stack, str]]:
    """Run Argux with detection every 10 s on one of DATABASES; yield it and the database's URL."""
    with (
        tempfile.TemporaryDirectory() as name,
        _url(database, Path(name)) as url,
        running_stack(Path(name), url, {"DETECTION_INTERVAL_SEC": "10"}) as stack,
    ):
        yield stack, url


@contextmanager
def _url(database: str, directory: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{directory / 'argux.db'}"
        return
    server_directory = Path(tempfile.mkdtemp(prefix="argux-pg-"))
    server = PostgresServer(server_directory)
    try:
        server.wait_until_ready()
        server.run("CREATE DATABASE load")
        yield server.url("load")
    finally:
        server.stop()
        shutil.rmtree(server_directory)
