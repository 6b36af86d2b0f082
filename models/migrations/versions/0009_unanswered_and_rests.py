"""Messages that a target took without an answer, and rests that a target asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("unanswered", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("targets", sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("targets", "rests_until")
    op.drop_column("deliveries", "unanswered")
