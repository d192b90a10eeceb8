"""What is owed to people and workers, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database.base import Base


class OutboxJob(Base):
    """A job committed together with the state change that causes it; a relay hands it to the broker.

    key makes it idempotent: a second row with the same key is not written. dead_at: given up, a person must look.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_pending", "sent_at", "dead_at", "available_at"),
        # Done jobs stay, as the memory of their keys; looking for lost ones must not read them all.
        Index(
            "ix_outbox_unfinished",
            "sent_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(String(100))
    arguments: Mapped[dict[str, Any]]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class Delivery(Base):
    """A message owed to a channel. purpose: root, thread, answer (to a person's decision, in the thread; told even in
    a quiet time), ephemeral.

    status: pending, delivered, undelivered, held (until a quiet time is over), muted (its incident was over before).
    For a root message the row lives on: `content_hash` is what the channel shows now, so an equal card is not sent.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[str | None] = mapped_column(String(200))
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20), index=True)
    attempts: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class AuditEntry(Base):
    """One link of the keyed hash chain: mac = HMAC(key, previous_mac + canonical content)."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happened_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    event: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]]
    previous_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
