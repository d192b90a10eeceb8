"""Keep what came in through the doors in the last hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tallies", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("process", "minute", name="pk_arrivals"),
    )
    op.create_index("ix_arrivals_minute", "arrivals", ["minute"])


def downgrade() -> None:
    op.drop_index("ix_arrivals_minute", table_name="arrivals")
    op.drop_table("arrivals")
