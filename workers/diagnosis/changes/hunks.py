"""Where in a commit's diff a line stands, so that just its hunk can be undone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from detection.types import ChangedFile

_HEADING = re.compile(r"^@@+ -(?P<old>\d+)(?:,\d+)? \+(?P<new>\d+)(?:,\d+)? @@")
_LONGEST_PATCH = 200_000
_FEWEST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Hunk:
    """The hunk that holds a line. number: of the line in the new file; None if the diff does not say.

    hunks: how many hunks the whole commit has.
    """

    path: str
    number: int | None
    hunks: int


def hunk_of(files: Sequence[ChangedFile], path: str, line: str) -> Hunk | None:
    """Return where a changed line of a file stands; None if the diff does not hold it."""
    wanted = line.strip()
    if len(wanted) < _FEWEST_LETTERS:
        return None
    hunks = sum(max(_headings(file.patch), 1) for file in files if file.patch)
    for file in files:
        if file.path == path:
            number = _number(file.patch, wanted)
            if number is not None:
                return Hunk(path, number or None, hunks)
    return None


def _headings(patch: str) -> int:
    return len(re.findall(r"^@@", patch[:_LONGEST_PATCH], re.MULTILINE))


def _number(patch: str, wanted: str) -> int | None:
    """Return the number of the wanted changed line in the new file, 0 if headings hold no numbers; None if not there.

    Of a removed line, it is the number of the line that now stands in its place.
    """
    number = 0
    for line in patch[:_LONGEST_PATCH].split("\n"):
        heading = _HEADING.match(line)
        if heading:
            number = int(heading["new"])
            continue
        if line.startswith("@@"):
            number = 0
            continue
        if line[:1] in ("+", "-") and line[1:].strip().startswith(wanted):
            return number
        if number and line[:1] != "-" and not line.startswith("\\"):
            number += 1
    return None
