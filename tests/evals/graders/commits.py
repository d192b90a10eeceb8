"""Whether two names of a commit are the same."""

from __future__ import annotations

NONE = "none"
_SHORTEST = 7


def same_commit(one: str | None, other: str | None) -> bool:
    """Whether both are "none", or one begins with the other and the shorter has at least seven characters."""
    if one is None or other is None:
        return False
    one, other = one.strip().lower(), other.strip().lower()
    if NONE in (one, other):
        return one == other
    return min(len(one), len(other)) >= _SHORTEST and (one.startswith(other) or other.startswith(one))
