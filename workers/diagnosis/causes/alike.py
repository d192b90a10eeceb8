"""Parts that fail in the same way at the same time, though nothing that one of them runs reaches the others.

What they share is around them: a node, a disk, a network, a provider. A change that is live in one of them explains
that one, and not the others.
"""

from __future__ import annotations

from collections.abc import Iterable

from detection.chain import Sign
from detection.types import SymptomKind
from workers.diagnosis.scene.model import Observed

STAYS = frozenset({SymptomKind.DISK, SymptomKind.NAME_LOOKUP})
"""Kinds that a caller does not catch from what it calls: who tells of them has them itself."""

SPREADS = frozenset({SymptomKind.NETWORK, SymptomKind.AUTHENTICATION, SymptomKind.CERTIFICATE})
"""Kinds that callers repeat: they count only in parts that do not call each other, directly or through others."""

TOGETHER_SECONDS = 240.0


def fail_alike(part: str, observed: Observed) -> dict[SymptomKind, frozenset[str]]:
    """Return, for each kind with which a part failed first, the other parts that began to fail so at the same time."""
    found = {}
    for kind in observed.first_kinds(part) & (STAYS | SPREADS):
        began = min(sign.earliest for sign in observed.first_signs(part) if sign.kind is kind)
        related = _related(part, observed) if kind in SPREADS else frozenset({part})
        others = {
            sign.part
            for sign in observed.signs
            if sign.kind is kind
            and sign.source in ("log", "metric")
            and sign.part not in related
            and abs(sign.earliest - began) <= TOGETHER_SECONDS
            and not _repeats(sign, related)
        }
        if others:
            found[kind] = frozenset(others)
    return found


def _repeats(sign: Sign, related: Iterable[str]) -> bool:
    """Whether a sign tells of a failure of one of these parts, and not of its own."""
    return bool(sign.blames & frozenset(related))


def _related(part: str, observed: Observed) -> frozenset[str]:
    """Return a part, what calls it and what it calls, directly or through others."""
    found = {part}
    for step in (observed.callers, observed.callees):
        edge = [part]
        while edge:
            edge = [other for name in edge for other in step(name) if other not in found]
            found.update(edge)
    return frozenset(found)
