"""Log lines that speak of trouble: new, or much oftener than usual."""

from __future__ import annotations

from collections.abc import Sequence

from detection.chain import LineGroup
from workers.diagnosis.scene.model import Observed

MORE_OFTEN = 2.0
"""How many times the usual number of lines is clearly more."""


def is_news(group: LineGroup) -> bool:
    """Whether a group is new or comes clearly more often than usual."""
    return group.count >= MORE_OFTEN * group.usual_count + 1


def bad_lines(observed: Observed) -> tuple[LineGroup, ...]:
    """Return the groups that are news and speak of trouble, the most frequent first."""
    found = [group for group in observed.scene.lines if is_news(group) and group.is_bad]
    return tuple(sorted(found, key=lambda group: -group.count))


def share_of_bad(groups: Sequence[LineGroup], observed: Observed) -> float:
    """Return the share (0 to 1) that these groups are of all bad lines of the same parts."""
    parts = {group.part for group in groups}
    every = sum(group.count for group in bad_lines(observed) if group.part in parts)
    return min(sum(group.count for group in groups) / every, 1.0) if every else 0.0


def lines_in_all(groups: Sequence[LineGroup]) -> int:
    """Return how many lines these groups are: each text of a part once, as lines may be sent and counted as well."""
    highest: dict[tuple[str, str], float] = {}
    for group in groups:
        highest[group.part, group.text] = max(group.count, highest.get((group.part, group.text), 0.0))
    return round(sum(highest.values()))
