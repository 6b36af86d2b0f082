"""Trust: what is missing since when, what damping holds back, types of streams, what drops ask for, removed targets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_changes",
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("announced", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("family", "subject", "item", name=op.f("pk_held_changes")),
    )
    op.create_index(op.f("ix_held_changes_family_due_at"), "held_changes", ["family", "due_at"], unique=False)
    op.add_column("sightings", sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True))
    # Older rows don't say which answer missed it first: it is the one after the last that listed it.
    op.execute("UPDATE sightings SET absent_since = last_seen_at WHERE absent_count > 0 AND closed_at IS NULL")
    op.add_column("sources", sa.Column("known_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "sources",
        sa.Column("returns", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "drop_campaigns", sa.Column("channels_known", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("reward_campaigns", sa.Column("required_turbo_subs", sa.Integer(), nullable=True))
    op.add_column("rewards", sa.Column("required_minutes", sa.Integer(), nullable=True))
    op.add_column("rewards", sa.Column("required_subs", sa.Integer(), nullable=True))
    op.add_column("rewards", sa.Column("required_turbo_subs", sa.Integer(), nullable=True))
    op.add_column("time_based_drops", sa.Column("required_turbo_subs", sa.Integer(), nullable=True))
    op.add_column("stream_sessions", sa.Column("type", sa.Text(), nullable=True))
    op.add_column("stream_sessions", sa.Column("listed_type", sa.Text(), nullable=True))
    op.add_column("targets", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("uq_targets_name", "targets", type_="unique")
    op.create_index("uq_targets_name", "targets", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL"))


def downgrade() -> None:
    op.execute("DELETE FROM targets WHERE removed_at IS NOT NULL")
    op.drop_index("uq_targets_name", table_name="targets", postgresql_where=sa.text("removed_at IS NULL"))
    op.create_unique_constraint("uq_targets_name", "targets", ["name"])
    op.drop_column("targets", "removed_at")
    op.drop_column("stream_sessions", "listed_type")
    op.drop_column("stream_sessions", "type")
    op.drop_column("time_based_drops", "required_turbo_subs")
    op.drop_column("rewards", "required_turbo_subs")
    op.drop_column("rewards", "required_subs")
    op.drop_column("rewards", "required_minutes")
    op.drop_column("reward_campaigns", "required_turbo_subs")
    op.drop_column("drop_campaigns", "channels_known")
    op.drop_column("sources", "returns")
    op.drop_column("sources", "known_since")
    op.drop_column("sightings", "absent_since")
    op.drop_index(op.f("ix_held_changes_family_due_at"), table_name="held_changes")
    op.drop_table("held_changes")
