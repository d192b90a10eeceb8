"""Note how far each job has come, and what people dismissed; index what every tick and status answer looks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = ("begun_at", "waiting_since", "dismissed_at")
INDEXES = (("incidents", "closed_at"), ("findings", "last_seen_at"), ("verifications", "status"), ("outbox", "done_at"))


def upgrade() -> None:
    op.add_column("outbox", sa.Column("message_id", sa.String(36), nullable=True))
    for name in COLUMNS:
        op.add_column("outbox", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    is_dead = sa.text("dead_at IS NOT NULL")
    op.create_index("ix_outbox_dead_at", "outbox", ["dead_at"], sqlite_where=is_dead, postgresql_where=is_dead)


def downgrade() -> None:
    op.drop_index("ix_outbox_dead_at", table_name="outbox")
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    with op.batch_alter_table("outbox") as outbox:
        for name in (*COLUMNS, "message_id"):
            outbox.drop_column(name)
