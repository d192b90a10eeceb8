"""Run git on one bare repository, without a shell, without the machine's git configuration, and with a time limit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT_SECONDS = 120.0
"""For a hang only: on a busy machine or a slow disk a call may take half a minute."""

DEFAULT_BRANCH = "main"


class GitError(Exception):
    """git could not be run, timed out, or failed; the text is git's own message when there is one."""


@dataclass(frozen=True, slots=True)
class Git:
    """One bare repository."""

    path: Path

    def run(self, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Run one command and return its output. Raises GitError."""
        code, output, error = self.try_run(*arguments, stdin=stdin, environment=environment)
        if code:
            raise GitError(error.strip() or f"git {arguments[0]} exited with {code}")
        return output

    def try_run(
        self, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Run one command that may fail, and return (exit code, stdout, stderr).

        Raises GitError if git cannot be run or times out.
        """
        # Bytes that are not UTF-8 survive the round trip through str.
        code, output, error = self.run_bytes(*arguments, stdin=_encode(stdin), environment=environment)
        return code, _decode(output), _decode(error)

    def run_bytes(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Like try_run, with bytes instead of text."""
        command = ["git", "--git-dir", str(self.path), "--literal-pathspecs", "-c", "core.quotePath=false", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program and a list of arguments, never a shell
                command,
                input=stdin,
                capture_output=True,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
                env={**_base_environment(), **(environment or {})},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitError(f"git {arguments[0]} could not be run: {error}") from error
        return done.returncode, done.stdout, done.stderr


def ensure_repository(path: Path) -> Git:
    """Return the bare repository at `path`; create it if it is missing. Raises GitError."""
    git = Git(path)
    if not (path / "HEAD").exists():
        path.mkdir(parents=True, exist_ok=True)
        git.run("init", "--quiet", "--bare", f"--initial-branch={DEFAULT_BRANCH}")
    return git


def _base_environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
