"""What is shown above Approve and merge is a whole unified diff, or it is not shown."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from integrations.unified_diff import digest, fault_of

ONE = "diff --git a/shop.py b/shop.py\nindex 1234567..89abcde 100644\n--- a/shop.py\n+++ b/shop.py\n@@ -1,2 +1,2 @@\n"
WHOLE = f"{ONE}-bad\n+good\n same\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ('{"id": 7, "title": "Revert"}', "JSON"),
        ('[{"id": 7}]', "JSON"),
        ("<!DOCTYPE html><html><body>Unicorn!</body></html>", "web page"),
        ("\n<html>", "web page"),
        ("Sign in to your proxy", "does not begin"),
        (f"{ONE}-bad\n+good\n", "end is missing"),
        (f"{ONE}-bad\n", "end is missing"),
        (f"{ONE}-bad\n+good\n+more\n same\n", "does not belong"),
        (f"{WHOLE}<html>the proxy gave up</html>\n", "does not belong"),
        (f"{WHOLE}@@ -9 +9 @@\n-old\n", "end is missing"),
        ("diff --git a/x b/x\nsomething else\n", "does not belong"),
    ],
)
def test_what_is_no_whole_diff_is_told_from_one(text: str, why: str) -> None:
    fault = fault_of(text)
    assert fault is not None
    assert why in fault


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"{ONE}-bad\n+good\n same\n\\ No newline at end of file\n",
        "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n",
        "diff --git a/a.png b/a.png\nindex 1..2 100644\nBinary files a/a.png and b/a.png differ\n",
        "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
        f"{WHOLE}{WHOLE}",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- a comment of SQL\n+++ c\n",
    ],
)
def test_whole_diffs_of_every_kind_are_accepted(text: str) -> None:
    assert fault_of(text) is None


def test_what_git_writes_is_a_diff(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        names = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
        done = subprocess.run(["git", *names, *arguments], cwd=tmp_path, capture_output=True, check=True)
        return done.stdout.decode()

    git("init", "--quiet")
    (tmp_path / "a.txt").write_text("one\n\n\ntwo\r\nthree")
    (tmp_path / "gone.py").write_text("gone\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    git("add", "--all")
    git("commit", "--quiet", "--message", "one")
    (tmp_path / "a.txt").write_text("one\n\n\x0ctwo\r\nfour\n")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "new file.py").write_text("")
    (tmp_path / "b.bin").write_bytes(bytes(range(255)))
    git("add", "--all")
    assert fault_of(git("diff", "--cached")) is None
    assert fault_of(git("diff", "--cached", "--binary")) is None


def test_the_digest_changes_with_every_line_and_not_with_the_length_of_blob_ids() -> None:
    assert digest(WHOLE) == digest(WHOLE.replace("1234567..89abcde", "12345678..89abcdef"))
    assert digest(WHOLE) != digest(WHOLE.replace("good", "evil"))
    assert digest(WHOLE) != digest(WHOLE.replace("shop.py", "shop2.py"))
