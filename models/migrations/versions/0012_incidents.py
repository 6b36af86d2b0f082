"""The operator's own: incidents, when a delivery was given up, and when a target's last heartbeat was due."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("told_at", _TIME, nullable=True),
        sa.Column("recovered_at", _TIME, nullable=True),
        sa.Column("flaps", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "host", name=op.f("pk_incidents")),
    )
    op.add_column("targets", sa.Column("heartbeat_at", _TIME, nullable=True))
    op.add_column("deliveries", sa.Column("dead_at", _TIME, nullable=True))
    op.create_index(
        "ix_deliveries_dead_at",
        "deliveries",
        ["target_id", "dead_at"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_dead_at", table_name="deliveries")
    op.drop_column("deliveries", "dead_at")
    op.drop_column("targets", "heartbeat_at")
    op.drop_table("incidents")
