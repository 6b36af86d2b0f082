"""Events by transaction: a cursor that cannot skip what commits late, and the epoch in which cursors mean something."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is there is older than any cursor. A constant default rewrites no row.
    op.execute("ALTER TABLE events ADD COLUMN xact xid8 NOT NULL DEFAULT '0'")
    op.execute("ALTER TABLE events ALTER COLUMN xact SET DEFAULT pg_current_xact_id()")
    op.create_index(op.f("ix_events_xact_id"), "events", ["xact", "id"], unique=False)
    op.create_table(
        "realtime_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("published", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_realtime_state_a_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_realtime_state")),
    )


def downgrade() -> None:
    op.drop_table("realtime_state")
    op.drop_column("events", "xact")
