"""The `argux` command in an empty directory with a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli
from workers.services import Services
from workers.settings import Settings

Type = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a database of its own; this process's logging stays as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'argux.db'}")
    monkeypatch.setenv("AUDIT_KEY", "an audit key")
    monkeypatch.setattr("bot.logs.configure_logging", lambda level: None)
    return tmp_path


@pytest.fixture
def type_(home: Path) -> Type:
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, words)


@pytest.fixture
def services(home: Path, type_: Type) -> Services:
    assert type_("migrate").exit_code == 0
    return Services(Settings(_env_file=None))
