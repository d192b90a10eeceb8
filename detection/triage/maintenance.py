"""Announced maintenance: what it covers, and what it must not hide.

A window covers a firing that began within its time, of a service that it names, while it lasts. It does not cover what
goes on after its end, what is of another service, and what looks unlike what was announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detection.triage.weights import WEIGHTS
from detection.triage.words import Firing, QuietWindow, Weight

_MUCH = 1.0


def maintenance_signs(firing: Firing, windows: Sequence[QuietWindow], now: float, *, rises: bool) -> Iterator[Weight]:
    """Yield what maintenance says about the firing. rises: its metric still climbs, or climbs again."""
    covering = [one for one in windows if covers(one, firing, now)]
    if not covering:
        return
    window = covering[0]
    announced = any(firing.signature in one.signatures for one in covering if firing.signature)
    healed = firing.healed_after_seconds is not None and not rises
    heavy = firing.signature_is_bad is True or (
        firing.signature_is_bad is None and (firing.signature_change or 0.0) >= _MUCH
    )
    unlike = not announced and not healed and (heavy or (rises and firing.signature_is_bad is None))
    code = "maintenance_unlike" if unlike else "maintenance"
    text = (
        f"maintenance ({window.name}) is under way, but this is not what it does"
        if unlike
        else f"maintenance ({window.name}) is under way"
    )
    yield Weight(code, WEIGHTS[code], text)


def covers(window: QuietWindow, firing: Firing, now: float) -> bool:
    """Return whether the firing began within the window's time and scope, and has not outlived it."""
    in_scope = not window.services or firing.service in window.services
    is_over = firing.ended_at is not None or firing.healed_after_seconds is not None
    return in_scope and window.since <= firing.fired_at < window.until and (now < window.until or is_over)
