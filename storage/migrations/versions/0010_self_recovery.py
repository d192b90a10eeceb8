"""Keep what was measured of an incident that went back to usual by itself: a verification of no action."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("verifications") as verifications:
        verifications.alter_column("action_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM verifications WHERE action_id IS NULL")
    with op.batch_alter_table("verifications") as verifications:
        verifications.alter_column("action_id", existing_type=sa.Integer(), nullable=False)
