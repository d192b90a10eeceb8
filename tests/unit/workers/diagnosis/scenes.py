"""Small scenes of an incident, observed as production observes them: minutes of samples, lines, and who calls whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detection.chain import LineGroup
from detection.types import EdgeKind, Floats, ServiceEdge
from workers.diagnosis.causes.suspicion import Suspicion
from workers.diagnosis.model import Characterisation
from workers.diagnosis.scene.model import Course, Observed, Scene
from workers.diagnosis.scene.observing import observe

START = 1_770_000_000.0 - 1_770_000_000.0 % 60
MINUTES = 90
ONSET_MINUTE = 60
ONSET = START + 60 * ONSET_MINUTE
UNTIL = START + 60 * MINUTES


def course(part: str, name: str, usual: float, after: float, *, from_minute: float = ONSET_MINUTE) -> Course:
    """Return a metric that steps from one level to another; the samples are a little uneven."""
    minutes = np.arange(MINUTES)
    values: Floats = np.where(minutes >= from_minute, after, usual) * (1 + 0.01 * np.sin(minutes * 2.3))
    times: Floats = np.asarray(START + 60.0 * minutes, dtype=np.float64)
    return Course(part, name, times, values)


def line(part: str, text: str, count: float, *, usual: float = 0.0, minute: float = ONSET_MINUTE) -> LineGroup:
    """Return bad lines that came first at a minute."""
    return LineGroup(part, text, count, usual, START + 60 * minute, is_bad=True)


def calls(caller: str, callee: str, kind: EdgeKind = EdgeKind.CALLS) -> ServiceEdge:
    return ServiceEdge(caller, callee, kind, "declared", START)


def described(service: str = "checkout") -> Characterisation:
    return Characterisation(7, UNTIL, ONSET, ONSET + 60, (service,), (), ())


def seen(
    courses: Sequence[Course] = (),
    lines: Sequence[LineGroup] = (),
    edges: Sequence[ServiceEdge] = (),
    alerted: str = "checkout",
    **more: Any,
) -> Observed:
    """Return what is observed in a scene whose alarm was raised five minutes after the onset."""
    scene = Scene(
        since=START,
        until=UNTIL,
        alerted=(alerted,),
        alerted_at=ONSET + 300,
        courses=tuple(courses),
        lines=tuple(lines),
        edges=tuple(edges),
        **more,
    )
    return observe(scene, described(alerted))


def said(suspicion: Suspicion) -> dict[str, float]:
    """Return the weight of each check of a suspicion."""
    return {item.check: item.weight for item in suspicion.evidence}
