"""Count what was left out of a file, by reason, and name the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_MOST_NAMED = 12
"""The most lines, or runs of lines, that are named for one reason. All are counted."""


class CsvError(ValueError):
    """A file that cannot be read as a history. The message may be shown to the user."""


@dataclass(slots=True)
class Reason:
    """Why rows were left out.

    why: such as `without a value`, after a count. mend: what to do about it, or empty. lines: the number of each
    line. cells: what stands there, for the lines where it helps to see it.
    """

    why: str
    mend: str = ""
    lines: list[int] = field(default_factory=list)
    cells: dict[int, str] = field(default_factory=dict)

    def named(self) -> str:
        """Return the lines in words: with their cells, or as runs such as `5, 17 to 20 and 3 more`."""
        lines = sorted(set(self.lines))
        if self.cells:
            parts = [f"{line} {quoted(self.cells[line])}" if line in self.cells else str(line) for line in lines]
            sizes = [1] * len(parts)
        else:
            parts, sizes = _runs(lines)
        more = sum(sizes[_MOST_NAMED:])
        noun = "line" if len(lines) == 1 else "lines"
        return f"{noun} {', '.join(parts[:_MOST_NAMED])}" + (f" and {more:,} more" if more else "")


@dataclass(slots=True)
class LeftOut:
    """All that was left out of a file. rows: how many rows of data it has."""

    rows: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)

    def add(self, why: str, line: int, cell: str = "", *, mend: str = "") -> None:
        """Note that something of a line was left out."""
        reason = self.reasons.setdefault(why, Reason(why, mend))
        reason.lines.append(line)
        if cell:
            reason.cells.setdefault(line, cell)

    def add_lines(self, why: str, lines: Sequence[int]) -> None:
        """Note that something of each of the lines was left out."""
        if lines:
            self.reasons.setdefault(why, Reason(why)).lines.extend(lines)

    @property
    def lines(self) -> set[int]:
        """Return the lines of which something was left out."""
        return {line for reason in self.reasons.values() for line in reason.lines}

    @property
    def unreadable(self) -> set[int]:
        """Return the lines that say something which cannot be read; an empty cell is none of them."""
        return {line for reason in self.reasons.values() if reason.mend for line in reason.lines}

    def sentences(self) -> list[str]:
        """Return one sentence a reason: how many, why, which lines, and how to mend them."""
        return [
            f"{len(reason.lines):,} {reason.why}: {reason.named()}." + (f" {reason.mend}" if reason.mend else "")
            for reason in self.reasons.values()
        ]


def quoted(cell: str) -> str:
    """Return a cell as it is shown in a message."""
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")


def _runs(lines: Sequence[int]) -> tuple[list[str], list[int]]:
    """Return runs of following lines in words, and how many lines each holds."""
    if not lines:
        return [], []
    breaks = [place for place, (one, other) in enumerate(pairwise(lines), start=1) if other != one + 1]
    edges = [0, *breaks, len(lines)]
    runs = [lines[first:last] for first, last in pairwise(edges)]
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return parts, [len(run) for run in runs]
