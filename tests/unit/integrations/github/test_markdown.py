"""What begins a line of GitHub's Markdown comes out as the characters it is."""

from __future__ import annotations

import pytest

from integrations.github.markdown import to_github, uncalled
from integrations.text import lines, ours, theirs


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("===", r"\==="),
        ("= not a line of them =", "= not a line of them ="),
        ("---", r"\-\-\-"),
        ("# heading", r"\# heading"),
        ("> quote", r"\> quote"),
        ("1. item", r"1\. item"),
        ("2) item", r"2\) item"),
        ("+ item", r"\+ item"),
        ("* item", r"\* item"),
        ("- [ ] task", r"\- \[ \] task"),
        ("| a | b |", r"\| a \| b \|"),
        ("[!WARNING]", r"\[\!WARNING\]"),
        ("<details>", r"\<details\>"),
        ("~~~", r"\~\~\~"),
        ("[x]: https://evil.example", r"\[x\]: https:<!-- -->//evil.example"),
    ],
)
def test_no_line_of_theirs_begins_anything(text: str, written: str) -> None:
    assert to_github(lines([ours("It said"), theirs(text)])) == f"It said\n{written}"


@pytest.mark.parametrize(
    "text",
    [
        "fixes #12", "Closes GH-3", "resolves acme/shop#4", "fixes https://github.com/acme/shop/issues/5",
        "see /pull/6", "@mia", "@acme/team", "SHOP-1 #resolve #time 2h",
    ],
)  # fmt: skip
def test_a_title_or_commit_message_calls_nobody_and_reads_the_same(text: str) -> None:
    written = uncalled(text)
    assert written != text
    assert written.replace("\u2060", "") == text
    for call in ("#1", "GH-3", "#4", "issues/5", "pull/6", "@mia", "@acme", "#resolve", "#time"):
        assert call not in written
