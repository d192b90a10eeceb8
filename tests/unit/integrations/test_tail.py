"""A followed file, and everything that may happen to it between two reads."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from integrations.tail import LONGEST_LINE, Tail
from integrations.tail_files import rotated_files

Follow = Callable[..., Tail]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def follow(path: Path, tmp_path: Path) -> Iterator[Follow]:
    """Return a factory for tails, as after a (re)start. By default a renamed file counts as finished at once."""
    made: list[Tail] = []
    began = time.time()

    def make(*, from_start: bool = True, patience: float = 3600.0) -> Tail:
        tail = Tail(
            path, tmp_path / "state" / "app.json", host="web-1", from_start=from_start,
            clock=lambda: began + patience,
        )  # fmt: skip
        made.append(tail)
        return tail

    yield make
    for tail in made:
        tail.close()


def said(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def texts(tail: Tail) -> list[str]:
    """Read and commit all lines that are available now, as the command does."""
    found: list[str] = []
    for _ in range(20):
        found += [line.text for line in tail.read()]
        tail.commit()
    return found


def copied_and_cut(path: Path, *, compressed: bool = False) -> None:
    copy = path.with_name("app.log.1")
    shutil.copy2(path, copy)
    path.write_text("")
    if compressed:
        compress(copy)


def compress(path: Path) -> None:
    """Compress a file as logrotate does. Do nothing if that is already done."""
    if path.exists():
        with gzip.open(f"{path}.gz", "wb") as file:
            file.write(path.read_bytes())
        path.unlink()


def renamed(path: Path, to: str = "app.log.1") -> Path:
    return path.rename(path.with_name(to))


def test_a_line_is_read_when_it_is_complete(path: Path, follow: Follow) -> None:
    tail = follow()
    path.write_text("first\nsec")
    assert texts(tail) == ["first"]
    with path.open("a") as file:
        file.write("ond\r\n\n")
    assert texts(tail) == ["second"]


def test_without_from_start_only_new_lines_are_read(path: Path, follow: Follow) -> None:
    said(path, "old")
    with path.open("a") as file:
        file.write("half ")
    tail = follow(from_start=False)
    assert texts(tail) == []
    said(path, "a line")
    assert texts(tail) == ["half a line"]


def test_a_file_that_appears_later_is_read_from_its_first_line(path: Path, follow: Follow) -> None:
    tail = follow(from_start=False)
    assert texts(tail) == []
    said(path, "first")
    assert texts(tail) == ["first"]


def test_a_restart_continues_after_the_last_committed_line(path: Path, follow: Follow) -> None:
    said(path, "a", "b")
    assert texts(follow()) == ["a", "b"]
    said(path, "c")
    assert texts(follow()) == ["c"]


def test_uncommitted_lines_are_read_again_with_the_same_ids(path: Path, follow: Follow) -> None:
    said(path, "a", "a")
    first = follow().read()
    again = follow().read()
    assert [line.line_id for line in again] == [line.line_id for line in first]
    assert len({line.line_id for line in first}) == 2


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(path: Path, follow: Follow) -> None:
    said(path, "a")
    tail = follow()
    assert texts(tail) == ["a"]
    with path.open("a") as still_open:
        renamed(path)
        still_open.write("b\nc without newline")
    said(path, "d")
    assert texts(tail) == ["b", "c without newline", "d"]


def test_a_renamed_file_is_followed_until_its_writer_writes_to_the_new_file(path: Path, follow: Follow) -> None:
    said(path, "a")
    tail = follow()
    assert texts(tail) == ["a"]
    with path.open("a") as still_open:
        renamed(path)
        path.touch()
        assert texts(tail) == []
        still_open.write("b\n")
    assert texts(tail) == ["b"]
    said(path, "c")
    assert texts(tail) == ["c"]


def test_a_renamed_file_is_followed_while_it_is_still_written_to(path: Path, follow: Follow) -> None:
    said(path, "a")
    tail = follow(patience=0.0)
    assert texts(tail) == ["a"]
    said(renamed(path), "b")
    said(path, "c")
    assert texts(tail) == ["b"]


@pytest.mark.parametrize("compressed", [False, True])
def test_unread_lines_of_a_truncated_file_are_read_from_its_copy(path: Path, follow: Follow, compressed: bool) -> None:
    said(path, *(f"line {number}" for number in range(100)))
    tail = follow()
    assert len(texts(tail)) == 100
    said(path, "missed")
    copied_and_cut(path, compressed=compressed)
    said(path, "new")
    assert texts(tail) == ["missed", "new"]


def follow_a_cut(path: Path, follow: Follow) -> Tail:
    """Return a tail that has read "a". Its "b" is only in the copy, and its "c" is in the truncated file."""
    said(path, "a")
    tail = follow()
    assert texts(tail) == ["a"]
    said(path, "b")
    copied_and_cut(path)
    said(path, "c")
    return tail


@pytest.mark.parametrize("at_look", [1, 2, 3])
def test_a_copy_that_is_compressed_during_the_search_is_found_afterwards(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch, at_look: int
) -> None:
    tail = follow_a_cut(path, follow)

    looks = count(1)

    def listed(of: Path) -> Sequence[Path]:
        found = rotated_files(of)
        if next(looks) == at_look:
            compress(path.with_name("app.log.1"))
        return found

    monkeypatch.setattr("integrations.tail.rotated_files", listed)
    assert texts(tail) == ["b", "c"]


def test_a_copy_is_read_uncompressed_while_its_compression_is_running(path: Path, follow: Follow) -> None:
    tail = follow_a_cut(path, follow)
    with gzip.open(path.with_name("app.log.1.gz"), "wb") as half:
        half.write(b"a\n")
        half.flush()
        assert texts(tail) == ["b", "c"]


def test_a_file_that_was_truncated_and_grew_beyond_the_old_offset_is_detected(path: Path, follow: Follow) -> None:
    said(path, "short")
    tail = follow()
    assert texts(tail) == ["short"]
    path.write_text("a different and much longer line\n")
    assert texts(tail) == ["a different and much longer line"]


def test_a_file_emptied_without_a_copy_is_read_from_its_beginning(path: Path, follow: Follow) -> None:
    said(path, "a", "b")
    tail = follow()
    assert texts(tail) == ["a", "b"]
    path.write_text("c\n")
    assert texts(tail) == ["c"]


def test_equal_lines_before_and_after_a_truncation_have_different_ids(path: Path, follow: Follow) -> None:
    tail = follow()
    said(path, "same")
    [before] = tail.read()
    path.write_text("")
    assert texts(tail) == []
    said(path, "same")
    [after] = tail.read()
    assert before.line_id != after.line_id


@pytest.mark.parametrize("compressed", [False, True])
def test_files_rotated_while_the_tail_was_stopped_are_read_in_order(
    path: Path, follow: Follow, compressed: bool
) -> None:
    said(path, "a")
    assert texts(follow()) == ["a"]
    said(path, "b")
    oldest = renamed(path)
    said(path, "c")
    oldest = oldest.rename(oldest.with_name("app.log.2"))
    middle = renamed(path)
    if compressed:
        zipped = Path(f"{middle}.gz")
        with gzip.open(zipped, "wb") as file:
            file.write(middle.read_bytes())
        middle.unlink()
        middle = zipped
    said(path, "d")
    # Files are read by their age, which the file system's clock may be too coarse to tell here.
    newest = path.stat().st_mtime
    os.utime(oldest, (newest - 20, newest - 20))
    os.utime(middle, (newest - 10, newest - 10))
    assert texts(follow()) == ["b", "c", "d"]


def test_a_deleted_file_is_replaced_by_the_new_file_with_its_name(path: Path, follow: Follow) -> None:
    said(path, "a")
    assert texts(follow()) == ["a"]
    path.unlink()
    said(path, "something new")
    assert texts(follow()) == ["something new"]


def test_other_files_in_the_directory_are_not_treated_as_rotated_files(path: Path, follow: Follow) -> None:
    said(path, "a")
    said(path.with_name("app.log.lock"), "no log")
    tail = follow()
    assert texts(tail) == ["a"]
    said(path.with_name("app.log.lock"), "no log")
    renamed(path)
    said(path, "b")
    assert texts(tail) == ["b"]


def test_a_very_long_line_is_split_into_pieces(path: Path, follow: Follow) -> None:
    path.write_text("x" * (LONGEST_LINE + 10) + "\n")
    assert [len(text) for text in texts(follow())] == [LONGEST_LINE, 10]


def test_bytes_in_another_encoding_are_replaced_and_the_rest_is_kept(path: Path, follow: Follow) -> None:
    path.write_bytes(b"Gr\xf6\xdfe\nfine\n")
    assert texts(follow()) == ["Gr\ufffd\ufffde", "fine"]


def test_a_corrupt_state_file_restarts_from_the_beginning(path: Path, follow: Follow, tmp_path: Path) -> None:
    said(path, "a")
    texts(follow())
    (tmp_path / "state" / "app.json").write_text("{")
    assert texts(follow()) == ["a"]


def test_a_line_after_very_many_blank_lines_is_read(path: Path, follow: Follow) -> None:
    path.write_text("\n" * (2 * LONGEST_LINE) + "a\n")
    assert texts(follow()) == ["a"]
