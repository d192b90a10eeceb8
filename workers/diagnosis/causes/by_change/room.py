"""Room that a change took away, and that is missed only when more comes: at the peak of the day, hours later.

What was enough at night is not at noon: "Site Reliability Engineering" (Beyer et al., 2016), chapter 22, calls it the
exhaustion of a resource by a change of its limit. Such a change moves no metric when it goes live.
"""

from __future__ import annotations

from collections.abc import Collection

from detection.chain.observed import LOAD
from workers.diagnosis.causes.rises import Rise, rises_of
from workers.diagnosis.changes import Effect, EffectKind
from workers.diagnosis.scene.model import Observed

_ROOM = frozenset((EffectKind.POOL, EffectKind.RESOURCES, EffectKind.LIMIT, EffectKind.BATCH))
HEADROOM = 1.5
"""How much more than usual a system is expected to take."""


def takes_room(effect: Effect | None) -> bool:
    """Whether an effect lowers how much a service can take at once."""
    return effect is not None and effect.kind in _ROOM and effect.ratio is not None and 0 < effect.ratio < 1


def comes_after_load(part: str, observed: Observed) -> bool:
    """Whether a part first only got more to do, so that what it showed later may come of missing room."""
    first = observed.first_kinds(part)
    return bool(first) and first <= LOAD


def is_missed_at_the_peak(effect: Effect | None, live_at: float, services: Collection[str], observed: Observed) -> bool:
    """Whether more came after the change went live and before it began, and it took as much room as that needed.

    A rise that would have been too much for the room of before is no matter of this change.
    """
    if effect is None or not takes_room(effect) or effect.ratio is None or observed.chain.origin not in services:
        return False
    needed = _largest(live_at, services, observed)
    return needed is not None and HEADROOM / effect.ratio >= needed.ratio


def _largest(live_at: float, services: Collection[str], observed: Observed) -> Rise | None:
    """Return the largest rise of what the services and their callers get, if it came after the change."""
    near = set(services) | {caller for service in services for caller in observed.callers(service)}
    rises = [rise for rise in rises_of(observed) if rise.course.part in near]
    came = [rise for rise in rises if rise.earliest > live_at and rise.earliest <= observed.scene.alerted_at]
    return max(came, key=lambda rise: rise.ratio, default=None)
