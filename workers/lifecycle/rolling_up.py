"""Roll up telemetry within a tick: to the high water of its start, and for a limited time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from detection.types import FunnelDefinition
from storage.telemetry.protocol import HighWater
from workers.services import Services
from workers.troubles import Troubles

log = structlog.get_logger()

BEFORE_JUDGING = 0.6
"""The share of a detection interval within which a tick rolls up before it judges what is whole by then."""

AFTER_JUDGING = 0.9
"""The share of a detection interval at whose end a tick that is behind stops, for the next one to begin."""


class RollUp:
    """The roll-up of one tick. goal: what had arrived when the tick began."""

    def __init__(
        self, services: Services, funnels: Sequence[FunnelDefinition], troubles: Troubles, now: datetime
    ) -> None:
        self._services, self._funnels, self._troubles, self._now = services, funnels, troubles, now
        self._began = services.stopwatch()
        self._is_behind = False
        self.goal = services.telemetry.high_water()

    def before_judging(self) -> None:
        """Roll up what had arrived when the tick began, as far as the time allows."""
        self._is_behind = self._go_on(self.goal, BEFORE_JUDGING)
        if self._is_behind:
            log.warning("roll_up_behind")

    def after_judging(self) -> None:
        """When the tick is behind, use the rest of its time to catch up with what has arrived meanwhile."""
        if self._is_behind:
            self._go_on(self._services.telemetry.high_water(), AFTER_JUDGING)

    def _go_on(self, goal: HighWater, share: float) -> bool:
        """Make passes over the kinds in turn until nothing is left; return True when the time is over before.

        A kind that fails is left to the next tick.
        """
        until = self._began + share * self._services.settings.detection_interval_sec
        kinds = list(HighWater._fields)
        while kinds:
            if self._services.stopwatch() >= until:
                return True
            for kind in tuple(kinds):
                taken = 0
                with self._troubles.apart(f"rolling up {kind}"):
                    taken = self._pass(kind, goal)
                if not taken:
                    kinds.remove(kind)
        return False

    def _pass(self, kind: str, goal: HighWater) -> int:
        taken = self._services.telemetry.roll_up(self._funnels, now=self._now.timestamp(), up_to=goal, kinds=(kind,))
        return int(getattr(taken, kind))
