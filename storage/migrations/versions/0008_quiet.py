"""Keep maintenance windows, snoozes, and the messages that they hold back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
    op.create_index(op.f("ix_maintenance_windows_ends_at"), "maintenance_windows", ["ends_at"])
    op.add_column("incidents", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("snoozed_by", sa.String(length=200), nullable=True))
    op.create_index(op.f("ix_incidents_snoozed_until"), "incidents", ["snoozed_until"])
    op.create_index(op.f("ix_deliveries_status"), "deliveries", ["status"])


def downgrade() -> None:
    op.drop_index(op.f("ix_deliveries_status"), "deliveries")
    op.drop_index(op.f("ix_incidents_snoozed_until"), "incidents")
    op.drop_column("incidents", "snoozed_by")
    op.drop_column("incidents", "snoozed_until")
    op.drop_table("maintenance_windows")
