"""Which log lines are enough to be believed: what fails says so as long as it lasts, not once or a handful of times.

Whoever can make a service log a text of their choosing, as a name, an address or a user agent, can have a few lines
say anything. So words count by how often they come. Few lines count only in a part that hardly writes any, and only
where something that no text makes up (a metric, an event, a span) shows trouble of that part too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from detection.chain.observed import LineGroup
from detection.chain.seen.lines import REPORTER, kinds_of_line
from detection.types import SymptomKind

A_HANDFUL = 5
"""As many lines as chance, or somebody who tries, may put into the log of one part."""

_FEW_LINES = 4 * A_HANDFUL
_FEWEST = 2
_MOST_OF_THEM = 0.5


def believed_lines(groups: Iterable[LineGroup], corroborated: Collection[str] = ()) -> tuple[LineGroup, ...]:
    """Return the groups whose words count, in the order in which they came.

    corroborated: the parts of which something else than their lines shows trouble.
    """
    known = list(groups)
    by_part: dict[str, list[LineGroup]] = defaultdict(list)
    for group in known:
        by_part[group.part].append(group)
    together = {id(group) for part, own in by_part.items() for group in _together(own, part in corroborated)}
    return tuple(group for group in known if is_often(group) or id(group) in together or REPORTER.match(group.part))


def is_often(group: LineGroup) -> bool:
    """Whether more lines of a group came than usual, and more so than a handful; or as many as ever."""
    return group.count - group.usual_count > A_HANDFUL or group.count <= group.usual_count


def _together(groups: list[LineGroup], is_corroborated: bool) -> list[LineGroup]:
    """Return the rare lines of one part that count together, for they complain of the same in words that differ."""
    rare: dict[SymptomKind, list[LineGroup]] = defaultdict(list)
    often: set[SymptomKind] = set()
    for group in groups:
        kinds = kinds_of_line(group.text, is_bad=group.is_bad)
        if is_often(group):
            often |= kinds
        else:
            for kind in kinds:
                rare[kind].append(group)
    written = sum(group.count for group in groups)
    # Beside many lines of a kind, a few of it tell nothing that those do not.
    return [
        group
        for kind, few in rare.items()
        if kind not in often and _are_enough(sum(one.count for one in few), written, is_corroborated)
        for group in few
    ]


def _are_enough(count: float, written: float, is_corroborated: bool) -> bool:
    if count > 2 * A_HANDFUL:
        return True
    return is_corroborated and written <= _FEW_LINES and count >= max(_FEWEST, _MOST_OF_THEM * written)
