"""What could not be read of an exported incident: the file, the place in it, and what is wrong there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_KINDS: Mapping[type, str] = {list: "a list", dict: "an object"}

MOST_TOLD = 20
"""How many problems of one file are told one by one; of the others only the number."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in `file` that was left out. place: "line 7" or "commits[3].sha"; empty for the whole file."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: {self.message}"


@dataclass(slots=True)
class Problems:
    """The problems of one folder, in the order in which they were found."""

    found: list[Problem] = field(default_factory=list)
    _left_out: dict[str, int] = field(default_factory=dict)

    def add(self, file: str, place: str, message: str) -> None:
        """Note a problem; after MOST_TOLD of one file, only count it."""
        if sum(problem.file == file for problem in self.found) >= MOST_TOLD:
            self._left_out[file] = self._left_out.get(file, 0) + 1
            return
        self.found.append(Problem(file, place, message))

    def wrong_kind(self, file: str, item: Mapping[str, object], key: str, kinds: tuple[type, ...]) -> None:
        """Note a field that holds another kind of value than it must."""
        if item.get(key) is not None and not isinstance(item[key], kinds):
            self.add(file, key, f"must be {' or '.join(_KINDS[kind] for kind in kinds)}")

    def told(self) -> tuple[str, ...]:
        """Return the problems as lines."""
        more = tuple(f"{file}: and {count} more" for file, count in self._left_out.items())
        return tuple(str(problem) for problem in self.found) + more
