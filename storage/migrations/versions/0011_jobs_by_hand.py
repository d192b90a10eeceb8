"""Note how far each job has come, and what people dismissed; index what every tick and status answer looks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = ("begun_at", "waiting_since", "dismissed_at")
INDEXES = (("incidents", "closed_at"), ("findings", "last_seen_at"), ("verifications", "status"))
OF_JOBS = ("done_at", "dead_at")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("message_id", sa.String(36), nullable=True))
    for name in COLUMNS:
        op.add_column("outbox", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    for column in OF_JOBS:
        is_set = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_outbox_{column}", "outbox", [column], sqlite_where=is_set, postgresql_where=is_set)


def downgrade() -> None:
    for column in OF_JOBS:
        op.drop_index(f"ix_outbox_{column}", table_name="outbox")
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for name in (*COLUMNS, "message_id"):
        op.drop_column("outbox", name)
