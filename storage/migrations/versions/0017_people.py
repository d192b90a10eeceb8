"""Keep which ids are one person's: what an event tells of it, and the ids that have been linked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INDEXED = ("person", "linked_at", "seen_at")


def upgrade() -> None:
    short_id = sa.LargeBinary() if op.get_bind().dialect.name == "postgresql" else sa.Text()
    op.add_column("events", sa.Column("other_id", short_id, nullable=True))
    op.add_column("events", sa.Column("is_merge", sa.Boolean(), nullable=True))
    op.create_table(
        "person_ids",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_ids")),
    )
    for column in INDEXED:
        op.create_index(f"ix_person_ids_{column}", "person_ids", [column])


def downgrade() -> None:
    op.drop_table("person_ids")
    op.drop_column("events", "is_merge")
    op.drop_column("events", "other_id")
