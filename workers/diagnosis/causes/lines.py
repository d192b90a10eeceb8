"""Log lines that speak of trouble: new, or much oftener than usual."""

from __future__ import annotations

from collections.abc import Sequence

from detection.chain import LineGroup
from workers.diagnosis.scene.model import Observed

AS_OFTEN = 0.5
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


def come_as_often(groups: Sequence[LineGroup], observed: Observed) -> bool:
    """Whether these lines come at least half as often as any other bad line of the same parts.

    One failed request often writes several lines: the reason, that it failed, and what it answered.
    """
    parts = {group.part for group in groups}
    others = [group.count for group in bad_lines(observed) if group.part in parts and group not in groups]
    return bool(groups) and lines_in_all(groups) >= AS_OFTEN * max(others, default=0.0)


def lines_in_all(groups: Sequence[LineGroup]) -> int:
    """Return how many lines these groups are: each text of a part once, as lines may be sent and counted as well."""
    highest: dict[tuple[str, str], float] = {}
    for group in groups:
        highest[group.part, group.text] = max(group.count, highest.get((group.part, group.text), 0.0))
    return round(sum(highest.values()))
