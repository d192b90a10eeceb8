from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

from bot.cli import app
from bot.logs import spell_hidden
from bot.terminal import PlainConsole, shown

HOSTILE = "[error] [link=https://evil.example]pay[/link] :bomb: \x1b[31mred\x07 \x9b5m \u202egnp.exe \\["
PLAIN = r"[error] [link=https://evil.example]pay[/link] :bomb: \x1b[31mred\x07 \x9b5m \u202egnp.exe \["


def printed(*things: object) -> str:
    console = PlainConsole()
    console.file = io.StringIO()
    console.width = 200
    console.print(*things)
    return console.file.getvalue()


def test_a_console_prints_text_from_outside_as_the_plain_characters_it_is() -> None:
    assert printed(HOSTILE).strip() == PLAIN


def test_a_cell_a_header_and_a_title_of_a_table_are_plain_characters() -> None:
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(shown(HOSTILE))
    assert printed(table).count(PLAIN) == 4
    assert "\x1b[31m" not in printed(table)


@pytest.mark.parametrize("column", ["col", "[bold]"])
def test_a_query_shows_brackets_and_escape_characters_as_text(
    column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    outcome = CliRunner().invoke(app, ["query", f"SELECT '[error] ' || chr(27) || '[31mred' AS \"{column}\""])
    assert outcome.exit_code == 0, outcome.output
    assert r"[error] \x1b[31mred" in outcome.output
    assert column in outcome.output
    assert "\x1b" not in outcome.output


def test_a_log_line_on_a_terminal_holds_no_control_character() -> None:
    assert spell_hidden(None, "info", {"event": "x", "answer": "a\x1b[2Jb", "count": 3}) == {
        "event": "x",
        "answer": r"a\x1b[2Jb",
        "count": 3,
    }


def test_every_command_prints_through_the_plain_console() -> None:
    others = []
    for path in Path("bot").rglob("*.py"):
        if path == Path("bot/terminal.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Console", "rich.print", "typer.secho"):
                others.append(f"{path}:{node.lineno}")
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "typer.echo"
                and path != Path("bot/commands/frame.py")
            ):
                others.append(f"{path}:{node.lineno}")
    assert others == []
