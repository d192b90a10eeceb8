"""Count log lines by template, named pattern and severity; keep the team's own patterns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("severity_rank", sa.SmallInteger(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("counted_as", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_series")),
    )
    op.create_index("uq_log_series_service", "log_series", ["service", "kind", "name"], unique=True)
    op.create_table(
        "log_buckets",
        sa.Column("resolution", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket_start", sa.Double(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("by_window", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("resolution", "bucket_start", "series_id", name=op.f("pk_log_buckets")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "template_states",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_template_states")),
    )
    op.create_table(
        "log_patterns",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(4), nullable=False),
        sa.Column("description", sa.String(300), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_log_patterns")),
    )


def downgrade() -> None:
    for table in ("log_patterns", "template_states", "log_buckets", "log_series"):
        op.drop_table(table)
