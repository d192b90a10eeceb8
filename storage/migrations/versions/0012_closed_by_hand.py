"""Keep who closed an incident by hand and why, how long a false alarm is muted, and each finding's latest values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incidents") as incidents:
        incidents.add_column(sa.Column("closed_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()))
        incidents.add_column(sa.Column("closing_reason", sa.Text(), nullable=True))
        incidents.add_column(sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_incidents_muted_until", "incidents", ["muted_until"])
    op.execute("UPDATE incidents SET closed_by_hand = (closed_by <> 'Argux') WHERE closed_by IS NOT NULL")
    with op.batch_alter_table("findings") as findings:
        findings.add_column(sa.Column("latest_observed", sa.Double(), nullable=True))
        findings.add_column(sa.Column("latest_expected", sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("findings") as findings:
        findings.drop_column("latest_expected")
        findings.drop_column("latest_observed")
    op.drop_index("ix_incidents_muted_until", table_name="incidents")
    with op.batch_alter_table("incidents") as incidents:
        incidents.drop_column("muted_until")
        incidents.drop_column("closing_reason")
        incidents.drop_column("closed_by_hand")
