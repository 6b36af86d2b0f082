"""Types of streams: reruns, watch parties, premieres and playlists are no live streams."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stream_sessions", sa.Column("type", sa.Text(), nullable=True))
    op.add_column("stream_sessions", sa.Column("listed_type", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("stream_sessions", "listed_type")
    op.drop_column("stream_sessions", "type")
