"""One tick: end quiet times, judge alerts, roll up, judge the rest, verify running fixes, re-test what is quiet.

Nothing waits for a moment without traffic: the roll-up ends at the high water of the tick's start or when its time is
over, and the detectors judge what is whole by then. Each part runs by itself; what fails is told and tried again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from detection.types import FunnelDefinition, Metric
from storage import funnels as stored_funnels
from storage.database.wal import shorten_log
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.alert_endings import resolve_ended_alerts
from workers.lifecycle.closed_by_hand import follow_closed_by_hand
from workers.lifecycle.detect import ROLLED_UP, UNROLLED, judge
from workers.lifecycle.rolling_up import RollUp
from workers.lifecycle.seen_deploys import record_new_versions
from workers.lifecycle.self_recovery import resolve_recovered
from workers.lifecycle.verification import verify_running
from workers.locks import lease
from workers.services import Services
from workers.telling.delays_message import enqueue_delays_message
from workers.telling.held_messages import end_quiet_times
from workers.triage.digest import enqueue_digest
from workers.troubles import TICK, Troubles, store_run

ASKED = "argux:tick:asked"
"""The key in Redis by which a tick that comes while another runs asks for one more."""

_GO_ON_SECONDS = 60.0


def tick(services: Services) -> None:
    """Run one tick. While another tick runs, ask it for one more at its end instead: no tick is skipped.

    When parts of it failed, raise an ExceptionGroup after doing the others.
    """
    began = services.stopwatch()
    troubles = _tick(services)
    if troubles is None:
        services.redis.set(ASKED, 1, ex=math.ceil(services.settings.detection_interval_sec))
        # The other one may have ended just before it was asked.
        troubles = _tick(services)
    while troubles is not None and services.redis.getdel(ASKED) is not None:
        if services.stopwatch() - began >= _GO_ON_SECONDS:
            break
        troubles = _tick(services) or troubles
    if troubles is not None:
        troubles.raise_all()


def _tick(services: Services) -> Troubles | None:
    """Run the parts of one tick, if no other runs; return what failed."""
    with lease(services, "tick") as held:
        if not held:
            return None
        services.redis.delete(ASKED)
        troubles = run_parts(services)
        with troubles.apart("shortening the database's log"):
            shorten_log(services.engine)
        return troubles


def run_parts(services: Services) -> Troubles:
    """Run the parts of a tick; return what failed, which is also stored for the status."""
    troubles = Troubles()
    run = _Run(services, troubles, services.clock())
    with troubles.with_what_is_left_out():
        for what, part in _PARTS.items():
            with troubles.apart(what):
                part(run)
    with services.sessions.begin() as session:
        store_run(session, TICK, troubles, now=services.clock())
    return troubles


class _Run:
    """The parts of one tick, and what one of them leaves for the next.

    whole: until when each kind of data can be judged; None when that is not known, and then no such data is judged.
    """

    def __init__(self, services: Services, troubles: Troubles, now: datetime) -> None:
        self._services, self._troubles, self._now = services, troubles, now
        self._funnels: Sequence[FunnelDefinition] = ()
        self._roll_up: RollUp | None = None
        self._whole: WholeUntil | None = None
        self._unwatched = frozenset(Metric)

    def read_funnels(self) -> None:
        with self._services.readers() as session:
            self._funnels = stored_funnels.definitions(session)

    def end_quiet_times(self) -> None:
        end_quiet_times(self._services, self._troubles)

    def resolve_ended_alerts(self) -> None:
        resolve_ended_alerts(self._services, self._troubles, self._now)

    def judge_alerts(self) -> None:
        now = self._services.clock()
        judge(self._services, UNROLLED, WholeUntil.all_at(now.timestamp()), (), self._troubles, now)

    def roll_up(self) -> None:
        self._roll_up = RollUp(self._services, self._funnels, self._troubles, self._now)
        self._roll_up.before_judging()

    def find_whole(self) -> None:
        up_to = None if self._roll_up is None else self._roll_up.goal
        self._whole = self._services.telemetry.whole_until(now=self._now.timestamp(), up_to=up_to)

    def verify(self) -> None:
        if self._whole is not None:
            verify_running(self._services, self._whole, self._troubles)

    def record_versions(self) -> None:
        record_new_versions(self._services, self._troubles, self._now)

    def judge(self) -> None:
        if self._whole is not None:
            self._unwatched = judge(self._services, ROLLED_UP, self._whole, self._funnels, self._troubles, self._now)

    def resolve_recovered(self) -> None:
        if self._whole is not None:
            resolve_recovered(self._services, self._whole, self._unwatched, self._troubles)

    def follow_closed_by_hand(self) -> None:
        follow_closed_by_hand(self._services, self._troubles, self._now)

    def catch_up(self) -> None:
        if self._roll_up is not None:
            self._roll_up.after_judging()

    def tell_delays(self) -> None:
        enqueue_delays_message(self._services)

    def tell_digest(self) -> None:
        enqueue_digest(self._services, self._now)


_PARTS: Mapping[str, Callable[[_Run], None]] = {
    "reading the funnels": _Run.read_funnels,
    "ending quiet times": _Run.end_quiet_times,
    "ending alerts": _Run.resolve_ended_alerts,
    "judging alerts": _Run.judge_alerts,
    "rolling up": _Run.roll_up,
    "judging alerts that came meanwhile": _Run.judge_alerts,
    "finding what is whole": _Run.find_whole,
    "verifying fixes": _Run.verify,
    "looking for new versions": _Run.record_versions,
    "judging what is rolled up": _Run.judge,
    "testing what is quiet": _Run.resolve_recovered,
    "following what people closed": _Run.follow_closed_by_hand,
    "catching up": _Run.catch_up,
    "telling what is late": _Run.tell_delays,
    "telling what could wait": _Run.tell_digest,
}
"""The parts of a tick in their order, by what they do. Each runs by itself, whatever happens in the others."""
