"""Which commit's code a flag switched on: it went live when the flag did, not when it was deployed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from detection.types import Commit, FlagChange

SHORTEST_NAME = 6
"""A shorter name of a flag, without its separators, is found in code that has nothing to do with it."""

_OFF = frozenset({"off", "false", "0", "0%", "0 %", "disabled", "control", "none"})
_SEPARATORS = re.compile(r"[\s_.:-]+")
_NAMES = re.compile(r"[A-Za-z][\w.:-]*")


def switched_on(flag: FlagChange, commits: Iterable[Commit]) -> Commit | None:
    """Return the newest commit before a flag's change whose added lines ask for the flag; None if it was turned off."""
    name = _plain(flag.flag)
    if len(name) < SHORTEST_NAME or flag.after.strip().lower() in _OFF:
        return None
    asking = [commit for commit in commits if commit.committed_at <= flag.changed_at and _asks_for(name, commit)]
    return max(asking, key=lambda commit: commit.committed_at, default=None)


def _asks_for(name: str, commit: Commit) -> bool:
    return any(
        line.startswith("+") and not line.startswith("+++") and name in {_plain(word) for word in _NAMES.findall(line)}
        for file in commit.files
        for line in (file.patch or "").split("\n")
    )


def _plain(name: str) -> str:
    """Return a name without its separators: "search-ranker", "SEARCH_RANKER" and "searchRanker" are one."""
    return _SEPARATORS.sub("", name).lower()
