"""Keep which names of operations have an endpoint of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "endpoint_names",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("service", "endpoint", name=op.f("pk_endpoint_names")),
    )
    op.create_index(op.f("ix_endpoint_names_seen_at"), "endpoint_names", ["seen_at"])


def downgrade() -> None:
    op.drop_table("endpoint_names")
