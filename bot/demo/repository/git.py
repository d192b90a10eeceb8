"""Run git independently of the user's and the machine's git configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bot.demo.errors import DemoError, GitSlowError

TIME_LIMIT_SECONDS = 300.0
"""For a hang only: on a busy machine or a slow disk a call may well take half a minute, and the demo goes on."""


def git(
    directory: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    limit_seconds: float = TIME_LIMIT_SECONDS,
) -> str:
    """Run one git command in `directory` and return its output.

    Raises DemoError with git's message, or GitSlowError.
    """
    program = shutil.which("git")
    if program is None:
        raise DemoError("git is not on the PATH; install it and start the demo again")
    unconfigured = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        finished = subprocess.run(  # noqa: S603 - a fixed program, arguments of our own, no shell
            [program, "-C", str(directory), *arguments],
            env={**inherited, **unconfigured, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise GitSlowError(f"git {arguments[0]} did not finish within {limit_seconds:.0f} s") from expired
    if finished.returncode != 0:
        raise DemoError(f"git {arguments[0]} failed: {finished.stderr.strip() or finished.stdout.strip()}")
    return finished.stdout.strip()
