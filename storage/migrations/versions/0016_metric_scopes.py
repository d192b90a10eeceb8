"""Keep which instrumentation scope a metric's series is of, so that another scope's metric of that name is another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("metric_series", sa.Column("scope", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("metric_series") as metric_series:
        metric_series.drop_column("scope")
