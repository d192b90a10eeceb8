"""Run the outbox's jobs one by one, as relay and workers would, on the test's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage import outbox
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.services import Services

START = datetime(2026, 11, 18, 15, 20, 20, tzinfo=UTC)
"""When every scenario begins."""


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
        for _ in range(120):
            if not self.run():
                self.clock.forward(0.5)


def settle(worker: Worker) -> None:
    """Run the due jobs and those they enqueue or delay, over three seconds."""
    for _ in range(6):
        worker.run()
        worker.clock.forward(0.5)
