"""The examples with times in the documentation work whenever somebody copies them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli

DOCS = Path(__file__).parents[3] / "docs"
A_DAY = re.compile(r"20\d\d-\d\d-\d\d")


def examples() -> list[tuple[str, str]]:
    """Return each command of the documentation that starts with curl or argux, with its further lines."""
    found = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text().replace("\\\n", " ")
        found += [(page.name, line.strip()) for line in text.splitlines() if re.match(r" *(curl|argux) ", line)]
    return found


def test_no_example_that_sends_or_asks_for_a_time_names_a_day_that_is_over() -> None:
    assert examples()
    # A query of the archive, which keeps days, and a file of somebody's own history may name one.
    dated = [(page, line) for page, line in examples() if A_DAY.search(line) and "argux query" not in line]
    assert dated == []


def test_the_commands_of_quiet_times_work_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'argux.db'}")
    monkeypatch.setattr("bot.logs.configure_logging", lambda level: None)
    runner = CliRunner()
    assert runner.invoke(cli.app, ["migrate"]).exit_code == 0
    commands = [line for page, line in examples() if page == "quiet-times.md" and line.startswith("argux maintenance")]
    assert len(commands) == 4
    for line in commands:
        printed = f"printf '%s\\0' {line}"
        words = subprocess.run(["bash", "-c", printed], capture_output=True, text=True, check=True).stdout
        result = runner.invoke(cli.app, words.rstrip("\0").split("\0")[1:])
        assert result.exit_code == 0, (line, result.output)
