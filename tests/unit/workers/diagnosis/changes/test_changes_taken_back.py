"""A change that puts back what another had changed: the system ran with that code before."""

from __future__ import annotations

import pytest

from detection.types import Commit
from tests.unit.workers.diagnosis.scenery import ONSET, commit
from workers.diagnosis.changes.reverts import taken_back

DAY = 86_400.0
THERE = "-    write(entry)\n+    buffer.append(entry)\n+    flush_when_full()"
BACK = "-    buffer.append(entry)\n-    flush_when_full()\n+    write(entry)"


def first(message: str = "Write in batches", path: str = "ledger/entries.py", diff: str = THERE) -> Commit:
    return commit(path, diff, message=message, sha="aaaaaaaa", at=ONSET - DAY)


def second(message: str = 'Revert "Write in batches"', path: str = "ledger/entries.py", diff: str = BACK) -> Commit:
    return commit(path, diff, message=message, sha="bbbbbbbb", at=ONSET - 600)


def test_a_commit_that_undoes_an_earlier_one_line_by_line_takes_it_back() -> None:
    assert taken_back(second(), [first(), second()]) == first()


def test_the_diff_tells_and_not_the_message() -> None:
    assert taken_back(second("back to plain writes"), [first()]) == first()
    assert taken_back(second(diff="-    write(entry)\n+    write(entry, sync=True)"), [first()]) is None


@pytest.mark.parametrize("message", ["fix: lost entries", "Hotfix for the pool", "mitigate incident 41"])
def test_who_takes_a_mend_back_brings_back_what_was_mended(message: str) -> None:
    assert taken_back(second(), [first(message)]) is None


def test_the_same_lines_in_another_file_or_only_some_of_them_take_nothing_back() -> None:
    assert taken_back(second(path="payouts/entries.py"), [first()]) is None
    assert taken_back(second(diff="-    flush_when_full()\n+    write(entry)"), [first()]) is None


def test_what_comes_later_was_not_there_to_be_taken_back() -> None:
    assert taken_back(first(), [second()]) is None


def test_commits_without_a_diff_take_nothing_back() -> None:
    assert taken_back(second(diff=""), [first(diff="")]) is None
