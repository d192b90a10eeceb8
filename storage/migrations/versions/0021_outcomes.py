"""Keep whether diagnoses were right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "diagnosis_outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("diagnosis_id", sa.Integer()),
        sa.Column("cause", sa.String(30), nullable=False),
        sa.Column("raw_confidence", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double()),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("said_by", sa.String(200), nullable=False),
        sa.Column("true_cause", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["diagnosis_id"], ["diagnoses.id"], name="fk_diagnosis_outcomes_diagnosis_id_diagnoses"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_diagnosis_outcomes"),
        sa.UniqueConstraint("subject", "source", name="uq_diagnosis_outcomes_subject"),
    )
    op.create_index("ix_diagnosis_outcomes_diagnosis_id", "diagnosis_outcomes", ["diagnosis_id"])


def downgrade() -> None:
    op.drop_index("ix_diagnosis_outcomes_diagnosis_id", table_name="diagnosis_outcomes")
    op.drop_table("diagnosis_outcomes")
