"""The Node libraries, and what all of these libraries leave open."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.functional.web import Web

NODE = Path(__file__).parent / "node"


@pytest.fixture(autouse=True)
def libraries_leave_their_sockets() -> Iterator[None]:
    """Most of these libraries never close their connections; that is not ours to fail for."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def run_node(web: Web) -> Callable[..., str]:
    """Run one of node/*.cjs against the web process; install its libraries once into the virtual environment."""
    with (Path(sys.prefix) / "node-senders.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        modules = _node_modules()

    def run(script: str, **variables: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_PATH": str(modules),
            "ARGUX_URL": web.url,
            "ARGUX_KEY": web.key,
            **variables,
        }
        command = ["node", str(NODE / f"{script}.cjs")]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


def _node_modules() -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        _unavailable("Node and npm are not on this machine")
    wanted = (NODE / "package.json").read_text()
    directory = Path(sys.prefix) / "node-senders"
    installed = directory / "package.json"
    if not installed.exists() or installed.read_text() != wanted:
        directory.mkdir(exist_ok=True)
        fresh = directory / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        (fresh / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        finished = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=300, check=False)
        if finished.returncode != 0:
            _unavailable(f"npm could not install the libraries: {finished.stderr[-500:]}")
        shutil.rmtree(directory / "node_modules", ignore_errors=True)
        (fresh / "node_modules").rename(directory / "node_modules")
        installed.write_text(wanted)
        shutil.rmtree(fresh)
    return directory / "node_modules"


def _unavailable(reason: str) -> NoReturn:
    """In CI nothing may be left out in silence."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
