"""The `argux` command in an empty directory with its own database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli
from workers.services import Services
from workers.settings import Settings

RunArgux = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty directory with its own database URL, without changing this process's logging."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'argux.db'}")
    monkeypatch.setenv("AUDIT_KEY", "an audit key")
    monkeypatch.setattr("bot.logs.configure_logging", lambda level: None)
    return tmp_path


@pytest.fixture
def run_argux(home: Path) -> RunArgux:
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, words)


@pytest.fixture
def services(home: Path, sqlite_template: Path) -> Services:
    shutil.copy(sqlite_template, home / "argux.db")
    return Services(Settings(_env_file=None))
