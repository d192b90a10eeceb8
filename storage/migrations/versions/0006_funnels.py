"""Say what a conversion is worth; let a funnel be removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("funnels", sa.Column("value_per_conversion", sa.Double(), nullable=True))
    op.add_column("funnels", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column("funnels", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("funnels", "removed_at")
    op.drop_column("funnels", "currency")
    op.drop_column("funnels", "value_per_conversion")
