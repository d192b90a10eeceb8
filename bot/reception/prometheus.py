"""The Prometheus metrics of a web process."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import generate_latest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.models import Delivery, Incident, OutboxJob


class Metrics:
    """The metrics of one web process, in their own registry so that two apps in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "argux_ingest_accepted", "Records stored, by the door they came through.", ["door"], registry=self.registry
        )
        self.duplicates = Counter(
            "argux_ingest_duplicates", "Records that had been stored before.", ["door"], registry=self.registry
        )
        self.rejected = Counter(
            "argux_ingest_rejected",
            "Records (reason malformed) and whole requests (any other reason) that were refused.",
            ["door", "reason"],
            registry=self.registry,
        )
        self.not_understood = Counter(
            "argux_ingest_not_understood",
            "Syslog messages that name no service in a form known here; they are stored whole.",
            ["door"],
            registry=self.registry,
        )
        self.jobs_waiting = Gauge(
            "argux_outbox_jobs_waiting", "Jobs committed and not yet done.", registry=self.registry
        )
        self.dead_letters = Gauge(
            "argux_outbox_dead_letters", "Jobs given up: a person must look.", registry=self.registry
        )
        self.undelivered = Gauge(
            "argux_messages_undelivered", "Messages that no channel would take.", registry=self.registry
        )
        self.lag = Gauge(
            "argux_roll_up_lag_seconds",
            "How long the oldest record that is not counted yet has waited.",
            ["kind"],
            registry=self.registry,
        )
        self.tick_age = Gauge(
            "argux_seconds_since_tick", "Seconds since the last detection tick ended.", registry=self.registry
        )
        self.troubles = Gauge(
            "argux_tick_parts_failing", "Parts of the last detection tick that failed.", registry=self.registry
        )
        self.held = Gauge(
            "argux_messages_held", "Messages that wait until a channel takes them again.", registry=self.registry
        )
        self.database_up = Gauge("argux_database_up", "1 while the database answers.", registry=self.registry)
        self.incidents = Gauge("argux_incidents", "Incidents, by status.", ["status"], registry=self.registry)

    def exposition(self) -> bytes:
        """Return all metrics in the text format, version 0.0.4."""
        return generate_latest(self.registry)

    def set_delays(self, lag_seconds: Mapping[str, float], tick_age_seconds: float, parts_failing: int) -> None:
        """Update the gauges of detection."""
        for kind, lag in lag_seconds.items():
            self.lag.labels(kind=kind).set(lag)
        self.tick_age.set(tick_age_seconds)
        self.troubles.set(parts_failing)

    def read_database(self, session: Session) -> None:
        """Update the gauges from the database."""
        waiting = select(func.count()).where(OutboxJob.done_at.is_(None), OutboxJob.dead_at.is_(None))
        dead = select(func.count()).where(OutboxJob.dead_at.is_not(None), OutboxJob.dismissed_at.is_(None))
        undelivered = select(func.count()).where(Delivery.status == "undelivered")
        held = select(func.count()).where(Delivery.status.in_(("blocked", "refused")))
        self.jobs_waiting.set(session.scalar(waiting) or 0)
        self.dead_letters.set(session.scalar(dead) or 0)
        self.undelivered.set(session.scalar(undelivered) or 0)
        self.held.set(session.scalar(held) or 0)
        self.incidents.clear()
        for status, count in session.execute(select(Incident.status, func.count()).group_by(Incident.status)):
            self.incidents.labels(status=status).set(count)
