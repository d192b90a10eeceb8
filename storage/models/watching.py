"""Tables of what is watched, and of the settings that people made for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from detection.types import Severity
from storage.database.base import Base, by_value


class ApiKey(Base):
    """A key for the HTTP doors; only its hash is stored. role: `ingest` may only send, `operator` may do everything."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Funnel(Base):
    """A watched funnel. steps: list of {name, event, properties}. Removed funnels stay, so that ids are not reused."""

    __tablename__ = "funnels"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    steps: Mapped[list[Any]]
    baseline_days: Mapped[int]
    window_minutes: Mapped[int]
    value_per_conversion: Mapped[float | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Deploy(Base):
    """A version of a service that went live at a time, with its commit."""

    __tablename__ = "deploys"
    __table_args__ = (UniqueConstraint("service", "version", "deployed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(200), index=True)
    version: Mapped[str] = mapped_column(String(200))
    commit_sha: Mapped[str] = mapped_column(String(64))
    previous_commit_sha: Mapped[str | None] = mapped_column(String(64))
    repository: Mapped[str] = mapped_column(String(200))
    deployed_by: Mapped[str | None] = mapped_column(String(200))
    deployed_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime]


class LogPattern(Base):
    """A team's named pattern; or, with `enabled` false and no expression, a built-in pattern that it has turned off."""

    __tablename__ = "log_patterns"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    expression: Mapped[str] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(by_value(Severity, 4))
    description: Mapped[str] = mapped_column(String(300))
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))


class MetricLimit(Base):
    """A limit that a custom metric must not reach: an upper limit if `above`, else a lower limit.

    service: None for any service. horizon_hours: how far ahead a crossing is predicted.
    """

    __tablename__ = "metric_limits"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    service: Mapped[str | None] = mapped_column(String(200))
    threshold: Mapped[float]
    above: Mapped[bool]
    horizon_hours: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Alert(Base):
    """The current state of another monitor's alert: one row, however often it fires.

    state: firing or resolved. severity: None if it needs no attention. quiet_at: when it counts as resolved if nothing
    more is received. told_at: when its end was announced on its incident. together: the same for alerts that
    the sender groups together.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_name", "name", "service"),
        # Few ends are not told yet; every tick looks for them.
        Index(
            "ix_alerts_untold_end",
            "ended_at",
            sqlite_where=text("told_at IS NULL AND ended_at IS NOT NULL"),
            postgresql_where=text("told_at IS NULL AND ended_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(100), unique=True)
    source: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    service: Mapped[str | None] = mapped_column(String(200))
    severity: Mapped[Severity | None] = mapped_column(by_value(Severity, 4))
    state: Mapped[str] = mapped_column(String(10), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    heard_at: Mapped[datetime]
    quiet_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    summary: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    values: Mapped[dict[str, Any]]
    together: Mapped[str | None] = mapped_column(String(100))


class MaintenanceWindow(Base):
    """A time range in which incidents are recorded but not announced: from begins_at up to ends_at.

    service: the name of a service or funnel; None for everything. ended_by: who ended it early. closed_at: when Argux
    processed its end and looked at what had been held back.
    """

    __tablename__ = "maintenance_windows"

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str | None] = mapped_column(String(200))
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(500))
    made_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    ended_by: Mapped[str | None] = mapped_column(String(200))
    closed_at: Mapped[datetime | None]


class PullCursor(Base):
    """How far an outside source has been read. position: what the next read needs to continue."""

    __tablename__ = "pull_cursors"

    source: Mapped[str] = mapped_column(String(300), primary_key=True)
    position: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class ArrivalMinute(Base):
    """What came in to one process in one minute. tallies: a list with one object for each sender and door."""

    __tablename__ = "arrivals"

    process: Mapped[str] = mapped_column(String(32), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    tallies: Mapped[list[Any]]
