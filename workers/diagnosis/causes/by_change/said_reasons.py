"""Reasons that the failing part itself gives, and that no change of its code can bring about: something ran out."""

from __future__ import annotations

from workers.diagnosis.causes.kinds.certificate import says_expired
from workers.diagnosis.causes.kinds.credential import says_ended
from workers.diagnosis.causes.lines import bad_lines, share_of_bad
from workers.diagnosis.changes import Effect, EffectKind
from workers.diagnosis.scene.model import Observed

MOST_LINES = 0.5
_CAN = frozenset((EffectKind.SECRET, EffectKind.TLS))
"""A change of a secret, or of how others are trusted, may have put something old in its place."""


def says_that_it_ended(part: str, observed: Observed) -> str | None:
    """Return a line that says that a certificate or a credential ended, if at least half of the part's bad lines do."""
    told = [
        group
        for group in bad_lines(observed)
        if group.part == part and (says_expired(group.text) or says_ended(group.text))
    ]
    if not told or share_of_bad(told, observed) < MOST_LINES:
        return None
    return max(told, key=lambda group: group.count).text


def can_end_it(effect: Effect | None) -> bool:
    """Whether a change with this effect may be why something is taken to have ended."""
    return effect is not None and effect.kind in _CAN
