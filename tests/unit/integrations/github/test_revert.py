from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import pytest

from integrations.errors import ConflictError
from integrations.github.objects import Change, Entry
from integrations.github.revert import commit_message, three_way_merge, undo_commits

Files = dict[str, bytes | tuple[bytes, str]]


class MemoryObjects:
    """Git objects in memory, with each tree as a flat listing. It fulfils the same protocol as GitObjects."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}

    def write(self, content: bytes) -> str:
        sha = hashlib.sha1(content).hexdigest()
        self.blobs[sha] = content
        return sha

    def read(self, blob_sha: str) -> bytes:
        return self.blobs[blob_sha]

    def tree(self, files: Files) -> str:
        entries = {}
        for path, given in files.items():
            content, mode = given if isinstance(given, tuple) else (given, "100644")
            entries[path] = Entry(mode, "blob", self.write(content))
        sha = hashlib.sha1(repr(sorted(entries.items())).encode()).hexdigest()
        self.trees[sha] = entries
        return sha

    def at(self, tree_sha: str, path: str) -> Entry | None:
        return self.trees[tree_sha].get(path)

    def changes(self, before_sha: str | None, after_sha: str | None) -> Iterator[Change]:
        before = self.trees[before_sha] if before_sha else {}
        after = self.trees[after_sha] if after_sha else {}
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                yield Change(path, before.get(path), after.get(path))


def reverted(head: Files, *commits: tuple[Files, Files]) -> Files:
    """Return the files of `head` after reverting these commits, given newest first as (before, after)."""
    objects = MemoryObjects()
    head_tree = objects.tree(head)
    trees: Iterable[tuple[str, str]] = [(objects.tree(before), objects.tree(after)) for before, after in commits]
    changed = undo_commits(objects, head_tree, trees)
    entries = {**objects.trees[head_tree], **changed}
    return {
        path: (objects.read(entry.sha), entry.mode) if entry.mode != "100644" else objects.read(entry.sha)
        for path, entry in entries.items()
        if entry is not None
    }


GOOD = b"def checkout(cart):\n    items = load_all(cart)\n    return pay(items)\n"
BAD = b"def checkout(cart):\n    items = [load(i) for i in cart]\n    return pay(items)\n"


def test_a_file_without_later_changes_is_restored() -> None:
    assert reverted({"a.py": BAD, "b.py": b"b"}, ({"a.py": GOOD, "b.py": b"b"}, {"a.py": BAD, "b.py": b"b"})) == {
        "a.py": GOOD,
        "b.py": b"b",
    }


def test_an_added_file_is_removed_and_a_deleted_file_is_restored() -> None:
    before: Files = {"old.py": b"old"}
    after: Files = {"new.py": b"new"}
    assert reverted(after, (before, after)) == before


def test_a_later_change_elsewhere_in_the_file_is_kept() -> None:
    head = BAD + b"\n\ndef refund(order):\n    return order\n"
    assert reverted({"a.py": head}, ({"a.py": GOOD}, {"a.py": BAD})) == {
        "a.py": GOOD + b"\n\ndef refund(order):\n    return order\n"
    }


def test_a_later_change_to_the_same_lines_is_a_conflict_that_names_every_file() -> None:
    later = BAD.replace(b"load(i)", b"load(i, cache=True)")
    with pytest.raises(ConflictError) as caught:
        reverted(
            {"a.py": later, "b.py": later, "c.py": BAD},
            ({"a.py": GOOD, "b.py": GOOD, "c.py": GOOD}, {"a.py": BAD, "b.py": BAD, "c.py": BAD}),
        )
    assert caught.value.paths == ("a.py", "b.py")


def test_a_file_that_was_deleted_since_is_a_conflict() -> None:
    with pytest.raises(ConflictError):
        reverted({"b.py": b"b"}, ({"a.py": GOOD}, {"a.py": BAD}))


def test_two_commits_are_reverted_newest_first() -> None:
    first: Files = {"a.py": b"1\n"}
    second: Files = {"a.py": b"2\n"}
    third: Files = {"a.py": b"3\n"}
    assert reverted(third, (second, third), (first, second)) == first


def test_a_commit_that_was_already_reverted_gives_no_changes() -> None:
    objects = MemoryObjects()
    good, bad = objects.tree({"a.py": GOOD}), objects.tree({"a.py": BAD})
    assert undo_commits(objects, good, [(good, bad)]) == {}


def test_a_mode_change_is_reverted_and_a_later_mode_change_is_kept() -> None:
    script: Files = {"run.sh": (b"x", "100755")}
    plain: Files = {"run.sh": b"x"}
    assert reverted(plain, (script, plain)) == script
    assert reverted({"run.sh": (b"y\n", "100755")}, ({"run.sh": b"x\n"}, {"run.sh": b"y\n"})) == {
        "run.sh": (b"x\n", "100755")
    }


def test_a_binary_file_with_later_changes_is_a_conflict() -> None:
    assert three_way_merge(b"\0a\n", b"\0a\nb\n", b"\0c\n") is None


def test_a_frequent_line_in_a_long_file_causes_no_conflict() -> None:
    base = b"".join(b"}\n" if number % 2 else b"line %d\n" % number for number in range(1000))
    ours = base.replace(b"line 10\n", b"line ten\n")
    theirs = base.replace(b"line 900\n", b"line nine hundred\n")
    assert three_way_merge(base, ours, theirs) == ours.replace(b"line 900\n", b"line nine hundred\n")


def test_a_file_without_a_final_newline_is_merged_correctly() -> None:
    assert three_way_merge(b"a\nb\nc\nd", b"A\nb\nc\nd", b"a\nb\nc\nD") == b"A\nb\nc\nD"


def test_the_commit_message_is_gits_own_followed_by_the_reason() -> None:
    assert commit_message([("abc123", "Load items one by one\n\nbecause")], "p95 rose.") == (
        'Revert "Load items one by one"\n\nThis reverts commit abc123.\n\np95 rose.\n'
    )
    assert commit_message([("b", "two"), ("a", "one")], "").startswith("Revert 2 commits\n\nThis reverts commit b")


def test_a_subject_in_the_commit_message_calls_nobody_and_closes_nothing() -> None:
    subject = "Fixes #12, closes GH-3, shop#4, https://github.com/acme/shop/issues/5 for @acme/team: SHOP-1 #resolve"
    written = commit_message([("abc123", f"{subject}\u202e\n\nbody")], "")
    assert subject in written.replace("\u2060", "")
    assert "\u202e" not in written
    for call in ("#12", "GH-3", "#4", "issues/5", "@acme", "#resolve"):
        assert call not in written
    assert "This reverts commit abc123." in written
