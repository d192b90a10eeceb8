"""What is watched, and what people laid down about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from detection.types import Severity
from storage.database.base import Base, by_value


class ApiKey(Base):
    """A key for the HTTP doors: only its hash is kept. role: `ingest` may only send, `operator` may do all."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Funnel(Base):
    """A watched funnel; `steps` is a list of {name, event, properties}. A removed one stays, so that its id does."""

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
    """A version of a service going live at a time, with its commit."""

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
    """A named pattern of a team, or, with `enabled` false and no expression, a built-in one that it has turned off."""

    __tablename__ = "log_patterns"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    expression: Mapped[str] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(by_value(Severity, 4))
    description: Mapped[str] = mapped_column(String(300))
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))


class MetricLimit(Base):
    """A level that a custom metric must not reach: a ceiling, or a floor when not `above`.

    service None means any. A crossing is foretold this many hours ahead.
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
    """Another monitor's alert as it stands now: one row however often it fires.

    state: firing or resolved. severity None means that it asks for nobody. quiet_at: when it is over for want of news.
    told_at: when its end was told on its incident.
    """

    __tablename__ = "alerts"

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
    """A time in which incidents are recorded and not told, from begins_at up to ends_at.

    service: whose, by its name, or a funnel's name; None for everything. ended_by: who ended it before its time.
    closed_at: when Argux looked, after the end, at what it had kept quiet.
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
    """How far something outside has been read: `position` is what the next look needs to go on where this one ended."""

    __tablename__ = "pull_cursors"

    source: Mapped[str] = mapped_column(String(300), primary_key=True)
    position: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
