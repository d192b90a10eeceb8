"""Deadlocks on PostgreSQL while people click and ticks, verifications, fixes, alerts and housekeeping run at once.

The job functions of production against a real server for two minutes: eight people press every button of the same few
incidents, two senders fire and end alerts, one tick after the other judges and verifies, workers run what the outbox
holds, offers are made and approved, and the housekeeping never stops. Outside systems are fakes. Counted is what
PostgreSQL itself says (`pg_stat_database.deadlocks`), and every error that names one.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from shutil import rmtree

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from storage import deploys, outbox, proposals
from storage.database.session import migrate
from storage.models import Action, Incident, OutboxJob, Proposal, Verification
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.conftest import PostgresServer
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.clicks.test_people_decide import click, close
from tests.scenarios.workers.connected import connected_settings
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost, FakeEscalation, FakeTickets
from tests.scenarios.workers.incidents import diagnosed, offered
from tests.valkey import running_valkey
from workers.lifecycle.tick import run_parts
from workers.remediation.approvals import approve
from workers.running.actors import run_job
from workers.running.housekeeping import expire
from workers.running.jobs import JOBS
from workers.services import Services

SECONDS = 120.0
PEOPLE, WORKERS, SENDERS = 8, 4, 2
SERVICES = ("shop", "search", "mail", "pay")
BUTTONS = ("acknowledge", "snooze", "unsnooze", "diagnose_again", "reopen", "create_ticket", "escalate")
CLOSINGS = ("resolve", "false_alarm")


def run(data: Path) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name, _services(Path(name)) as services:
        crowd = Crowd(services)
        crowd.work(SECONDS)
        counted = crowd.counted()
    if not (counted["clicks"] and counted["ticks"] and counted["verifications"] and counted["actions"]):
        raise NothingToMeasureError(f"not everything took place: {dict(counted)}")
    print(dict(counted), dict(crowd.errors))
    yield Figure("deadlocks", counted["deadlocks"], "deadlocks", peer="none", peer_value=None, at_most=0)
    yield Figure("deadlocks_clicks", counted["clicks"] / SECONDS, "clicks/s", "none", None, at_least=1)
    yield Figure("deadlocks_ticks", counted["ticks"], "ticks", "none", None, at_least=5)
    yield Figure("deadlocks_verifications", counted["verifications"], "verifications", "none", None, at_least=3)


class Crowd:
    """Everything that writes, each in threads of its own, until the time is over."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.errors: Counter[str] = Counter()
        self._done = threading.Event()
        self._counts: Counter[str] = Counter()
        self._before = self._deadlocks()

    def work(self, seconds: float) -> None:
        """Let everybody work for so long."""
        jobs: list[Callable[[Random], str | None]] = [
            *[self._press] * PEOPLE,
            *[self._run_jobs] * WORKERS,
            *[self._alert] * SENDERS,
            self._tick,
            self._offer,
            self._approve,
            self._keep_house,
            self._deploy,
        ]
        with ThreadPoolExecutor(len(jobs)) as pool:
            working = [pool.submit(self._again_and_again, job, seed) for seed, job in enumerate(jobs)]
            try:
                self._done.wait(seconds)
            finally:
                self._done.set()
            for one in working:
                one.result(timeout=120)

    def counted(self) -> Counter[str]:
        """Return what took place, and the deadlocks: those that PostgreSQL counted, or the errors, if more."""
        found = Counter(self._counts)
        with self.services.readers() as session:
            found["actions"] = session.scalar(select(func.count()).select_from(Action)) or 0
            found["verifications"] = session.scalar(select(func.count()).select_from(Verification)) or 0
            found["incidents"] = session.scalar(select(func.count()).select_from(Incident)) or 0
            failed = session.scalars(select(OutboxJob.error).where(OutboxJob.error.is_not(None))).all()
        found["failed jobs"] = len(failed)
        seen = sum(count for error, count in self.errors.items() if "deadlock" in error.lower())
        found["deadlocks"] = max(seen, self._deadlocks() - self._before)
        return found

    def _deadlocks(self) -> int:
        # The server adds up its counters once a second at most.
        time.sleep(2)
        with self.services.readers() as session:
            query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            return int(session.scalar(query) or 0)

    def _again_and_again(self, job: Callable[[Random], str | None], seed: int) -> None:
        random = Random(seed)
        while not self._done.is_set():
            try:
                done = job(random)
            except DBAPIError as error:
                self.errors[str(error.orig).partition("\n")[0]] += 1
            except Exception as error:  # noqa: BLE001 - a refusal, or a row that another thread has changed
                self.errors[type(error).__name__] += 1
            else:
                self._counts[done or "idle"] += 1
                if done is None:
                    self._done.wait(0.05)

    def _incident(self, random: Random) -> int | None:
        with self.services.readers() as session:
            newest = session.scalars(select(Incident.id).order_by(Incident.id.desc()).limit(6)).all()
        return random.choice(newest) if newest else None

    def _press(self, random: Random) -> str | None:
        incident_id, user = self._incident(random), random.choice(("Ana", "Ben"))
        if incident_id is None:
            return None
        if random.random() < 0.2:
            close(self.services, random.choice(CLOSINGS), incident_id, user)
        else:
            click(self.services, random.choice(BUTTONS), incident_id, user)
        return "clicks"

    def _run_jobs(self, random: Random) -> str | None:
        services = self.services
        with services.sessions.begin() as session:
            jobs = outbox.due(session, now=services.clock(), limit=3)
            for job in jobs:
                outbox.mark_sent(session, job.key, services.clock())
        for job in jobs:
            run_job(services, job.actor, JOBS[job.actor], job.key, dict(job.arguments))
        return "jobs" if jobs else None

    def _alert(self, random: Random) -> str:
        manager = Alertmanager(self.services, self.services.clock)  # type: ignore[arg-type]
        fired = [
            manager.alert(f"Alert{random.randrange(30)}", "firing", service=service)
            for service in random.sample(SERVICES, 3)
        ]
        manager.send(*fired)
        if random.random() < 0.5:
            manager.send(
                *[
                    manager.alert(one["labels"]["alertname"], "resolved", service=one["labels"]["service"])
                    for one in fired
                ]
            )
        self._done.wait(0.1)
        return "alerts"

    def _tick(self, random: Random) -> str:
        for error in run_parts(self.services).errors.values():
            self.errors[str(error).partition("\n")[0]] += 1
        return "ticks"

    def _offer(self, random: Random) -> str | None:
        incident_id = self._incident(random)
        if incident_id is None:
            return None
        diagnosed(self.services, incident_id)
        offered(self.services, incident_id)
        self._done.wait(0.2)
        return "offers"

    def _approve(self, random: Random) -> str | None:
        with self.services.readers() as session:
            waiting = session.scalars(select(Proposal).where(Proposal.status == "open")).all()
            values = [f"{one.id}:{one.content_hash}" for one in waiting]
            if values:
                chosen = proposals.get_proposal(session, int(random.choice(values).partition(":")[0]))
                value = f"{chosen.id}:{chosen.content_hash}"
        if not values:
            return None
        self._done.wait(0.1)
        approve(self.services, value, user_id="UANA", user_name="Ana")
        return "approvals"

    def _keep_house(self, random: Random) -> str:
        self._done.wait(0.3)
        expire(self.services)
        return "housekeeping"

    def _deploy(self, random: Random) -> str:
        now = self.services.clock()
        with self.services.sessions.begin() as session:
            deploys.record_deploy(
                session, service="shop", version=str(now.timestamp()), commit_sha="c" * 40, repository="acme/shop",
                deployed_at=now, deployed_by="Ana", now=now,
            )  # fmt: skip
        self._done.wait(0.5)
        return "deploys"


@contextmanager
def _services(directory: Path) -> Iterator[Services]:
    """Services on a PostgreSQL and a Valkey of their own, whose outside systems are fakes."""
    server_directory = Path(tempfile.mkdtemp(prefix="argux-pg-"))
    server = PostgresServer(server_directory)
    try:
        server.wait_until_ready()
        server.run("CREATE DATABASE crowd", "ALTER SYSTEM SET deadlock_timeout = '100ms'", "SELECT pg_reload_conf()")
        migrate(server.url("crowd"))
        with running_valkey(directory) as valkey:
            settings = connected_settings(server.url("crowd"), valkey.url, directory, verification_deadline_minutes=1)
            services = Services(settings, clock=lambda: datetime.now(UTC))
            services.chat, services.code_host = FakeChat(), FakeCodeHost()
            services.tickets, services.escalation = FakeTickets(), FakeEscalation()
            yield services
            services.engine.dispose()
            services.redis.close()
    finally:
        server.stop()
        rmtree(server_directory)
