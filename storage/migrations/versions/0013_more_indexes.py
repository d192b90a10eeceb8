"""Index what ticks, clicks and housekeeping look for among alerts, messages, offers, diagnoses and the audit chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = (("audit", "event"), ("deliveries", "message_id"), ("diagnoses", "status"), ("proposals", "status"))


def upgrade() -> None:
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_index("ix_alerts_name", "alerts", ["name", "service"])
    is_untold = sa.text("told_at IS NULL AND ended_at IS NOT NULL")
    op.create_index("ix_alerts_untold_end", "alerts", ["ended_at"], sqlite_where=is_untold, postgresql_where=is_untold)


def downgrade() -> None:
    op.drop_index("ix_alerts_untold_end", table_name="alerts")
    op.drop_index("ix_alerts_name", table_name="alerts")
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
