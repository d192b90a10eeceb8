"""Keep flags, commits, the service map, the orchestrator's events, providers' states and counted log lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INDEXES = {
    "flag_changes": ("changed_at", "recorded_at"),
    "commits": ("sha", "committed_at", "recorded_at"),
    "service_edges": ("seen_at",),
    "service_places": ("seen_at",),
    "orchestrator_events": ("happened_at", "recorded_at"),
    "provider_statuses": ("began_at", "recorded_at"),
    "log_signatures": ("recorded_at",),
}


def upgrade() -> None:
    op.create_table(
        "flag_changes",
        sa.Column("change_id", sa.String(200), nullable=False),
        sa.Column("flag", sa.String(300), nullable=False),
        sa.Column("service", sa.String(200)),
        sa.Column("environment", sa.String(200), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(200)),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name="pk_flag_changes"),
    )
    op.create_table(
        "commits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository", sa.String(200), nullable=False),
        sa.Column("sha", sa.String(64), nullable=False),
        sa.Column("parent_sha", sa.String(64)),
        sa.Column("service", sa.String(200)),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commits"),
        sa.UniqueConstraint("repository", "sha", name="uq_commits_repository"),
    )
    op.create_table(
        "service_edges",
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("callee", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("calls_per_second", sa.Double()),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "callee", "kind", "source", name="pk_service_edges"),
    )
    op.create_table(
        "service_places",
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("node", sa.String(200), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service", "node", name="pk_service_places"),
    )
    op.create_table(
        "orchestrator_events",
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("object_name", sa.String(300), nullable=False),
        sa.Column("namespace", sa.String(200), nullable=False),
        sa.Column("node", sa.String(200)),
        sa.Column("service", sa.String(200)),
        sa.Column("is_warning", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_orchestrator_events"),
    )
    op.create_table(
        "provider_statuses",
        sa.Column("provider", sa.String(200), nullable=False),
        sa.Column("status_id", sa.String(200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("component", sa.String(500), nullable=False),
        sa.Column("impact", sa.String(100), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("error_rates", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "status_id", name="pk_provider_statuses"),
    )
    op.create_table(
        "log_signatures",
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("text_hash", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", sa.Double(), nullable=False),
        sa.Column("usual_count", sa.Double()),
        sa.Column("first_seen_at", sa.DateTime(timezone=True)),
        sa.Column("is_bad", sa.Boolean()),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service", "text_hash", "since", "until", name="pk_log_signatures"),
    )
    for table, columns in _INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table, columns in reversed(_INDEXES.items()):
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
        op.drop_table(table)
