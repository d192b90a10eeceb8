"""Tables of what surrounds the services: flags, commits, who calls whom and where, and what others report.

Rows expire by `recorded_at`, when they were received, or by `seen_at`, when they were last seen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database.base import Base


class FlagChange(Base):
    """A flag or configuration value that was set to another value at a time."""

    __tablename__ = "flag_changes"

    change_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    flag: Mapped[str] = mapped_column(String(300))
    service: Mapped[str | None] = mapped_column(String(200))
    environment: Mapped[str] = mapped_column(String(200))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(index=True)
    changed_by: Mapped[str | None] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(50))
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class Commit(Base):
    """A commit. files: a list of {path, status, additions, deletions, patch}. repository: empty if not known."""

    __tablename__ = "commits"
    __table_args__ = (UniqueConstraint("repository", "sha"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    repository: Mapped[str] = mapped_column(String(200))
    sha: Mapped[str] = mapped_column(String(64), index=True)
    parent_sha: Mapped[str | None] = mapped_column(String(64))
    service: Mapped[str | None] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(200))
    committed_at: Mapped[datetime] = mapped_column(index=True)
    message: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    # Diffs are large: they are read only where they are wanted.
    files: Mapped[list[Any]] = mapped_column(deferred=True)
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class ServiceEdge(Base):
    """`caller` depends on `callee`: it calls it or keeps data there. source: "spans" or "declared"."""

    __tablename__ = "service_edges"

    caller: Mapped[str] = mapped_column(String(200), primary_key=True)
    callee: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    source: Mapped[str] = mapped_column(String(20), primary_key=True)
    calls_per_second: Mapped[float | None]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class ServicePlace(Base):
    """`service` ran on `node` from first_seen_at to seen_at, perhaps with breaks."""

    __tablename__ = "service_places"

    service: Mapped[str] = mapped_column(String(200), primary_key=True)
    node: Mapped[str] = mapped_column(String(200), primary_key=True)
    first_seen_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class OrchestratorEvent(Base):
    """An event of Kubernetes or another orchestrator. object_name: such as "pod/cart-7f9c"."""

    __tablename__ = "orchestrator_events"

    event_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    object_name: Mapped[str] = mapped_column(String(300))
    namespace: Mapped[str] = mapped_column(String(200))
    node: Mapped[str | None] = mapped_column(String(200))
    service: Mapped[str | None] = mapped_column(String(200))
    is_warning: Mapped[bool]
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class ProviderStatus(Base):
    """What a provider's status feed says of one incident, in its newest state. error_rates: [[seconds UTC, share]]."""

    __tablename__ = "provider_statuses"
    __table_args__ = (Index("ix_provider_statuses_began_at", "began_at"),)

    provider: Mapped[str] = mapped_column(String(200), primary_key=True)
    status_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    component: Mapped[str] = mapped_column(String(500))
    impact: Mapped[str] = mapped_column(String(100))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    hosts: Mapped[list[Any]]
    error_rates: Mapped[list[Any]]
    details: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class LogSignature(Base):
    """Log lines of one form that another tool counted from `since` to `until`. text_hash: SHA-256 of the text."""

    __tablename__ = "log_signatures"

    service: Mapped[str] = mapped_column(String(200), primary_key=True)
    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    count: Mapped[float]
    usual_count: Mapped[float | None]
    first_seen_at: Mapped[datetime | None]
    is_bad: Mapped[bool | None]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
