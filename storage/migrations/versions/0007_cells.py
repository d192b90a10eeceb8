"""Count funnel cohorts by the full combination of dimension values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funnel_cells",
        sa.Column("funnel_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("resolution", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket_start", sa.Double(), nullable=False),
        sa.Column("combinations", sa.Text(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("funnel_id", "resolution", "bucket_start", name=op.f("pk_funnel_cells")),
    )


def downgrade() -> None:
    op.drop_table("funnel_cells")
