"""Whether accounts are linked with the games of campaigns, which messages said that they are not; digests of lists."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_links",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("is_linked", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_account_links_person_id_people")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["drop_campaigns.id"], name=op.f("fk_account_links_campaign_id_drop_campaigns")
        ),
        sa.PrimaryKeyConstraint("person_id", "campaign_id", name=op.f("pk_account_links")),
    )
    op.create_index(op.f("ix_account_links_campaign_id"), "account_links", ["campaign_id"], unique=False)
    op.add_column("deliveries", sa.Column("asks_to_link", sa.Boolean(), nullable=True))
    # Whether accounts are linked stands in answers that were taken in already: the next one is read whole.
    op.execute("UPDATE sources SET etag = NULL WHERE name = 'twitch.dashboard'")
    op.execute(
        "UPDATE sightings SET digest = '' FROM sources "
        "WHERE sources.id = sightings.source_id AND sources.name = 'twitch.dashboard' AND sightings.closed_at IS NULL"
    )
    op.add_column("game_lists", sa.Column("digest", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("game_lists", "digest")
    op.drop_column("deliveries", "asks_to_link")
    op.execute("UPDATE deliveries SET held_for = 'quiet' WHERE held_for = 'progress'")
    op.drop_table("account_links")
