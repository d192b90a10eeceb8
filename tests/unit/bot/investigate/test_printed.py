"""What `argux investigate` prints."""

from __future__ import annotations

import io
from pathlib import Path

from bot.investigate.answer import Investigation
from bot.investigate.command import run
from bot.investigate.words import cause_of, decision_of
from bot.terminal import PlainConsole
from tests.unit.bot.investigate.exports import ALERT, write


def _printed(*folders: Path) -> tuple[int, str, str]:
    output, problems = PlainConsole(), PlainConsole()
    output.file, problems.file = io.StringIO(), io.StringIO()
    code = run(folders, as_json=False, console=output, problems=problems)
    return code, output.file.getvalue(), problems.file.getvalue()


def test_a_folder_that_is_not_there_is_named_and_the_others_are_answered(tmp_path: Path) -> None:
    write(tmp_path / "night", "alert.json", ALERT)
    code, printed, problems = _printed(tmp_path / "nowhere", tmp_path / "night")
    assert code == 1
    assert "nowhere does not exist. Give the folder of an exported incident" in problems
    assert "Cause: " in printed


def test_several_incidents_are_a_table_that_cuts_no_name_short(tmp_path: Path) -> None:
    names = ["the-night-on-which-the-checkout-failed", "another-night"]
    for name in names:
        write(tmp_path / name, "alert.json", ALERT)
    code, printed, _ = _printed(*(tmp_path / name for name in names))
    assert code == 0
    assert "…" not in printed
    first = "".join(line.split()[0] for line in printed.splitlines() if line.strip() and "─" not in line)
    assert names[0] in first


def test_a_guilty_commit_is_named_by_its_first_eight_characters() -> None:
    answer = Investigation("night", root_cause_commit="559e94ce11aa22bb", cause="deploy")
    assert cause_of(answer) == "deploy of 559e94ce"


def test_an_alert_is_woken_for_or_waits() -> None:
    answer = Investigation("night", decisions={"a": "page", "b": "suppress"})
    assert [decision_of(answer, page_id) for page_id in answer.decisions] == ["wake", "wait"]
