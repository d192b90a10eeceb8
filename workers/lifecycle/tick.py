"""One tick: end quiet times, judge alerts, roll up, judge the rest, verify running fixes, re-test what is quiet.

Nothing waits for a moment without traffic: the roll-up ends at the high water of the tick's start or when its time is
over, and the detectors judge what is whole by then. Each part runs by itself; what fails is told and tried again.
"""

from __future__ import annotations

from storage import funnels as stored_funnels
from storage.database.wal import shorten_log
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.alert_endings import resolve_ended_alerts
from workers.lifecycle.detect import ROLLED_UP, UNROLLED, judge
from workers.lifecycle.rolling_up import RollUp
from workers.lifecycle.seen_deploys import record_new_versions
from workers.lifecycle.self_recovery import resolve_recovered
from workers.lifecycle.verification import verify_running
from workers.locks import lease
from workers.services import Services
from workers.telling.delays_message import enqueue_delays_message
from workers.telling.held_messages import end_quiet_times
from workers.troubles import Troubles, store_tick


def tick(services: Services) -> None:
    """Run one tick. Do nothing while another tick runs.

    When parts of it failed, raise an ExceptionGroup after doing the others.
    """
    with lease(services, "tick") as held:
        if not held:
            return
        troubles = run_parts(services)
        with troubles.apart("shortening the database's log"):
            shorten_log(services.engine)
        troubles.raise_all()


def run_parts(services: Services) -> Troubles:
    """Run the parts of a tick; return what failed, which is also stored for the status."""
    troubles, now = Troubles(), services.clock()
    with services.readers() as session:
        funnels = [stored_funnels.definition(row) for row in stored_funnels.list_funnels(session)]
    end_quiet_times(services, troubles)
    resolve_ended_alerts(services, troubles, now)
    judge(services, UNROLLED, WholeUntil.all_at(now.timestamp()), (), troubles, now)
    roll_up = RollUp(services, funnels, troubles, now)
    roll_up.before_judging()
    whole = services.telemetry.whole_until(now=now.timestamp(), up_to=roll_up.goal)
    verify_running(services, whole, troubles)
    with troubles.apart("looking for new versions"):
        record_new_versions(services, now)
    unwatched = judge(services, ROLLED_UP, whole, funnels, troubles, now)
    resolve_recovered(services, whole, unwatched, troubles)
    roll_up.after_judging()
    with troubles.apart("telling what is late"):
        enqueue_delays_message(services)
    with services.sessions.begin() as session:
        store_tick(session, troubles, now=services.clock())
    return troubles
