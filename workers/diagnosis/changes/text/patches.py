"""Split the text of a diff into blocks, whatever shape it has.

Shapes: the patch of one file as code hosts give it, a whole `git diff` over several files, and exports whose headings
hold a path or a function in place of line numbers ("@@ services/cart/handler.go: func (h *Handler) Add"). The text is
untrusted: it is split and searched, never run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from detection.types import ChangedFile
from workers.diagnosis.changes.text.comments import without_comments

_LONGEST_PATCH = 200_000
_LONGEST_LINE = 500
_LONGEST_BLOCK = 400
_MOST_LINES = 3000
_NUMBERED = re.compile(r"^@@+ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@+ ?(.*)$")
_NAMED = re.compile(r"^@@+ ?(.*?)(?: ?@@+ ?(.*))?$")
_PATH = re.compile(
    r"^((?:[\w.@+-]+/)*(?:[\w@+-]*\.[A-Za-z]\w{0,11}|Dockerfile|Makefile|Gemfile|Procfile|CODEOWNERS))(?::\s*|\s+|$)"
)
_HEADER = re.compile(r"^(?:index |new file|deleted file|old mode|new mode|similarity |rename |copy |Binary files )")


@dataclass(frozen=True, slots=True)
class Block:
    """One hunk. `heading` is the text after the second @@, usually a function's first line.

    lines: (sign, text) with sign "+", "-" or " ", comments taken out, empty lines left out.
    """

    path: str
    heading: str
    lines: tuple[tuple[str, str], ...]

    @property
    def added(self) -> tuple[str, ...]:
        """The added lines that hold code."""
        return tuple(text for sign, text in self.lines if sign == "+")

    @property
    def removed(self) -> tuple[str, ...]:
        """The removed lines that hold code."""
        return tuple(text for sign, text in self.lines if sign == "-")

    @property
    def old(self) -> tuple[str, ...]:
        """The lines as they were: context and removed."""
        return tuple(text for sign, text in self.lines if sign != "+")

    @property
    def new(self) -> tuple[str, ...]:
        """The lines as they are: context and added."""
        return tuple(text for sign, text in self.lines if sign != "-")


def blocks_of(files: Sequence[ChangedFile]) -> tuple[Block, ...]:
    """Return the blocks of a commit's files; a text that several files share is read once."""
    seen: set[str] = set()
    found: list[Block] = []
    left = _MOST_LINES
    for file in files:
        if file.patch and file.patch not in seen:
            seen.add(file.patch)
            for block in _blocks(file.path, file.patch):
                left -= len(block.lines)
                if left < 0:
                    return tuple(found)
                found.append(block)
    return tuple(found)


def _blocks(path: str, patch: str) -> Iterator[Block]:
    """Yield the blocks of one text; `path` is the file's until a heading names another."""
    lines = patch[:_LONGEST_PATCH].split("\n")
    heading, body = "", list[tuple[str, str]]()
    position = 0
    while position < len(lines):
        line = lines[position].rstrip("\r")[:_LONGEST_LINE]
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if line.startswith("diff --git ") or (line.startswith("--- ") and following.startswith("+++ ")):
            yield from _block(path, heading, body)
            heading, body = "", []
            if line.startswith("--- "):
                path = _path_of(following[4:]) or _path_of(line[4:]) or path
                position += 1
            else:
                path = _path_of(line.rpartition(" ")[2]) or path
        elif line.startswith("@@"):
            yield from _block(path, heading, body)
            path, heading, body = *_heading(line, path), []
        elif not _HEADER.match(line) and not line.startswith("\\"):
            sign = line[:1] if line[:1] in ("+", "-", " ") else " "
            body.append((sign, line[1:] if line[:1] in ("+", "-", " ") else line))
        position += 1
    yield from _block(path, heading, body)


def _path_of(text: str) -> str:
    """Return the path of a "--- a/x" or "+++ b/x" line; empty for /dev/null."""
    path = text.split("\t")[0].strip().strip('"')
    return "" if path == "/dev/null" else re.sub(r"^[abciow]/", "", path)


def _heading(line: str, path: str) -> tuple[str, str]:
    """Return the path and the heading that a line that begins with @@ names."""
    if numbered := _NUMBERED.match(line):
        return path, numbered[1].strip()
    named = _NAMED.match(line)
    first, rest = (named[1], named[2] or "") if named else ("", "")
    if place := _PATH.match(first):
        return place[1], " ".join((first[place.end() :], rest)).strip()
    return path, " ".join((first, rest)).strip()


def _block(path: str, heading: str, body: Sequence[tuple[str, str]]) -> Iterator[Block]:
    """Yield the block, or several of at most _LONGEST_BLOCK lines if it is longer than anyone would review."""
    for start in range(0, len(body), _LONGEST_BLOCK):
        part = body[start : start + _LONGEST_BLOCK]
        if any(sign in "+-" for sign, _ in part):
            yield Block(path, heading, tuple(without_comments(path, part)))


def same(line: str) -> str:
    """Return the form in which two lines are the same line: white space and a trailing comma do not count."""
    return re.sub(r"\s+", "", line).rstrip(",;")


@lru_cache(maxsize=512)
def changed_lines(block: Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the removed and the added lines of a block that are not just moved within it."""
    removed, added = really_changed(block.removed, block.added)
    return tuple(removed), tuple(added)


def really_changed(removed: Sequence[str], added: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take out the lines that are both removed and added, as moved or newly indented code is."""
    old, new = Counter(map(same, removed)), Counter(map(same, added))
    return _beyond(removed, new), _beyond(added, old)


def _beyond(lines: Sequence[str], others: Counter[str]) -> list[str]:
    """Return the lines that occur more often than among the others."""
    left = Counter(others)
    kept = []
    for line in lines:
        key = same(line)
        if left[key]:
            left[key] -= 1
        else:
            kept.append(line)
    return kept
