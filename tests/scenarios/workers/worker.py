"""Run the outbox's jobs one by one, as relay and workers would, on the test's clock."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from storage import outbox
from storage.models import OutboxJob
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.verification import verify_running
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.services import Services
from workers.troubles import Troubles

START = datetime(2026, 11, 18, 15, 20, 20, tzinfo=UTC)
"""When every scenario begins."""

STEP_SECONDS = 0.5


@dataclass
class Clock:
    """A clock that moves only when the test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Worker:
    """`run` runs the due jobs; `run_all` also moves the clock, up to a minute, to run postponed ones."""

    services: Services
    clock: Clock

    def run(self) -> int:
        with self.services.sessions.begin() as session:
            jobs = outbox.due(session, now=self.clock(), limit=100)
            sent = [(job.actor, job.key, dict(job.arguments)) for job in jobs]
            for _, key, _ in sent:
                outbox.mark_sent(session, key, self.clock())
        for actor, key, arguments in sent:
            run_job(self.services, actor, JOBS[actor], key, arguments)
        return len(sent)

    def run_all(self) -> None:
        left = 120
        while left > 0:
            steps = 1
            if not self.run():
                steps = min(left, self._steps_until_due())
                self.clock.forward(STEP_SECONDS * steps)
            left -= steps

    def run_for(self, seconds: float) -> None:
        """Run the jobs that become due within this time, jumping from one to the next."""
        end = self.clock() + timedelta(seconds=seconds)
        while self.clock() < end:
            if not self.run():
                left = (end - self.clock()).total_seconds()
                self.clock.forward(min(left, STEP_SECONDS * self._steps_until_due()))

    def _steps_until_due(self) -> int:
        """Return the number of steps of the clock to the next postponed job; as many as there are without one."""
        pending = (OutboxJob.sent_at.is_(None), OutboxJob.dead_at.is_(None))
        with self.services.readers() as session:
            earliest = session.scalar(select(func.min(OutboxJob.available_at)).where(*pending))
        if earliest is None:
            return sys.maxsize
        return max(1, math.ceil((earliest - self.clock()).total_seconds() / STEP_SECONDS))


def settle(worker: Worker) -> None:
    """Run the due jobs and those they enqueue or delay, over three seconds."""
    for _ in range(6):
        worker.run()
        worker.clock.forward(0.5)


def verify(services: Services) -> None:
    """Test the running verifications, on data that is whole; raise what failed."""
    troubles = Troubles()
    verify_running(services, WholeUntil.all_at(services.clock().timestamp()), troubles)
    troubles.raise_all()
