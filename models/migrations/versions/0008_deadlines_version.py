"""Which rules the deadlines of a campaign were reckoned by: those of older rules are set anew."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "drop_campaigns", sa.Column("deadlines_version", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("drop_campaigns", "deadlines_version")
