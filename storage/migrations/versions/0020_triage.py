"""Each firing of an alert, what was decided about it, and what people said of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "alert_firings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(100), nullable=False),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert_firings"),
        sa.UniqueConstraint("fingerprint", "started_at", name="uq_alert_firings_fingerprint"),
    )
    op.create_index("ix_alert_firings_started_at", "alert_firings", ["started_at"])
    op.create_table(
        "triage_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(500), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("service", sa.String(200), nullable=True),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("rule", sa.String(50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("joins", sa.String(500), nullable=True),
        sa.Column("log_odds", sa.Double(), nullable=False),
        _moment("fired_at"),
        _moment("decided_at"),
        _moment("waiting_since", nullable=True),
        _moment("read_at"),
        _moment("over_at", nullable=True),
        _moment("listed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_triage_decisions"),
    )
    op.create_index("ix_triage_decisions_fingerprint", "triage_decisions", ["fingerprint", "id"])
    op.create_index("ix_triage_decisions_decided_at", "triage_decisions", ["decided_at"])
    op.create_index(
        "ix_triage_decisions_now",
        "triage_decisions",
        ["decided_at"],
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.create_table(
        "triage_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(500), nullable=False),
        sa.Column("said_by", sa.String(200), nullable=False),
        _moment("said_at"),
        sa.PrimaryKeyConstraint("id", name="pk_triage_words"),
        sa.UniqueConstraint("decision_id", name="uq_triage_words_decision_id"),
    )
    op.create_index("ix_triage_words_fingerprint", "triage_words", ["fingerprint"])


def downgrade() -> None:
    op.drop_table("triage_words")
    op.drop_table("triage_decisions")
    op.drop_table("alert_firings")
