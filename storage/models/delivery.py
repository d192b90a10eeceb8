"""Tables of the outbox, of channel messages (deliveries) and of the audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database.base import Base, ReadableJson


class OutboxJob(Base):
    """A job committed together with the state change that causes it; a relay hands it to the broker.

    key: makes it idempotent; a second job with the same key is not enqueued. arguments: an `Unreadable` where what is
    stored is no JSON object. message_id: the broker's id of the message last sent. begun_at: when the run that has not
    ended began. waiting_since: when it was first told to wait, by a rate limit. dead_at: when it became a dead letter,
    which a person must look at. dismissed_at: when a person dismissed it.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_pending", "sent_at", "dead_at", "available_at"),
        # Done jobs stay, so that their keys are remembered. This index finds lost jobs without reading the done ones.
        Index(
            "ix_outbox_unfinished",
            "sent_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        # Done jobs are deleted when they are old enough.
        Index(
            "ix_outbox_done_at",
            "done_at",
            sqlite_where=text("done_at IS NOT NULL"),
            postgresql_where=text("done_at IS NOT NULL"),
        ),
        # Few jobs are dead letters; every status answer and health check counts them.
        Index(
            "ix_outbox_dead_at",
            "dead_at",
            sqlite_where=text("dead_at IS NOT NULL"),
            postgresql_where=text("dead_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(String(100))
    arguments: Mapped[dict[str, Any]] = mapped_column(ReadableJson)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(String(36))
    begun_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int]
    waiting_since: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class Delivery(Base):
    """A message to a channel.

    purpose: root, thread, answer (to a person's decision, in the thread, sent even in a quiet time), ephemeral.
    status: pending, delivered, undelivered, held (until the quiet time ends), muted (its incident ended before that),
    blocked (until the channel takes messages again; `error` says how to mend it), refused (this message alone is
    refused; it is tried again).
    content_hash: what the channel shows now. A root message is edited in place, and an equal card is not sent again.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[str | None] = mapped_column(String(200), index=True)
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20), index=True)
    attempts: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class AuditEntry(Base):
    """One link of the keyed hash chain. mac: HMAC of the canonical content, which includes previous_mac."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happened_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    event: Mapped[str] = mapped_column(String(100), index=True)
    payload: Mapped[dict[str, Any]]
    previous_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
