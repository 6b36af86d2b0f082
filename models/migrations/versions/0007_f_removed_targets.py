"""Removed targets: one that was removed stays for what was sent to it, and its name is free again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("targets", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("uq_targets_name", "targets", type_="unique")
    op.create_index("uq_targets_name", "targets", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL"))


def downgrade() -> None:
    op.execute("DELETE FROM targets WHERE removed_at IS NOT NULL")
    op.drop_index("uq_targets_name", table_name="targets", postgresql_where=sa.text("removed_at IS NULL"))
    op.create_unique_constraint("uq_targets_name", "targets", ["name"])
    op.drop_column("targets", "removed_at")
