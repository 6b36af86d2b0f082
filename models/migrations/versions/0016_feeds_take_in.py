"""Feeds take in events at a publish: items by feed, events that are on no feed yet, and links to personal feeds."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OLD_SUBJECT = ("scope", "service", "game_id", "organization_id", "channel_id")
_SUBJECT = (*_OLD_SUBJECT, "campaign_id", "reward_campaign_id", "platform", "link_id")
_OLD_NAME = "uq_feeds_scope_service_game_id_organization_id_channel_id"


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("opens", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_links_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_links_digest")),
    )
    op.create_index(
        "uq_links_live",
        "links",
        ["person_id", "opens", "subject_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    _widen_feeds()
    op.create_table(
        "feed_items",
        sa.Column("feed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "position", name=op.f("pk_feed_items")),
    )
    op.create_index("ix_feed_items_newest", "feed_items", ["feed_id", "occurred_at", "event_id"], unique=True)
    op.create_table(
        "unpublished",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_unpublished")),
    )
    # The next publish takes in everything there ever was.
    op.execute("INSERT INTO unpublished (event_id) SELECT id FROM events ORDER BY id")
    for subject in ("game", "organization"):
        op.create_index(
            f"ix_events_first_of_{subject}",
            "events",
            [f"{subject}_id", "id"],
            unique=False,
            postgresql_where=sa.text("kind = 'campaign.added'"),
        )
    # Only feeds asked for the newest events by these.
    op.drop_index("ix_events_releases", table_name="events")
    op.drop_index("ix_events_service_occurred_at", table_name="events")
    op.drop_index("ix_events_organization_id_occurred_at", table_name="events")


def _widen_feeds() -> None:
    for name in ("campaign_id", "reward_campaign_id", "link_id"):
        op.add_column("feeds", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("feeds", sa.Column("platform", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("ceased_at", _TIME, nullable=True))
    for name in ("pinged_version", "total", "archivable", "archived"):
        op.add_column("feeds", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_foreign_key(
        op.f("fk_feeds_campaign_id_drop_campaigns"), "feeds", "drop_campaigns", ["campaign_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_feeds_reward_campaign_id_reward_campaigns"),
        "feeds",
        "reward_campaigns",
        ["reward_campaign_id"],
        ["id"],
    )
    op.create_foreign_key(op.f("fk_feeds_link_id_links"), "feeds", "links", ["link_id"], ["id"], ondelete="CASCADE")
    op.drop_constraint(_OLD_NAME, "feeds", type_="unique")
    op.create_unique_constraint("uq_feeds_subject", "feeds", list(_SUBJECT), postgresql_nulls_not_distinct=True)
    op.create_index(
        "ix_feeds_unpinged", "feeds", ["id"], unique=False, postgresql_where=sa.text("pinged_version < written_version")
    )
    op.create_index(
        "ix_feeds_unarchived", "feeds", ["id"], unique=False, postgresql_where=sa.text("archived < archivable")
    )


def downgrade() -> None:
    for subject in ("service", "organization_id"):
        op.create_index(op.f(f"ix_events_{subject}_occurred_at"), "events", [subject, "occurred_at"], unique=False)
    op.create_index(
        "ix_events_releases",
        "events",
        ["occurred_at"],
        unique=False,
        postgresql_where=sa.text("kind LIKE 'release.%' OR kind LIKE 'game.%'"),
    )
    for subject in ("game", "organization"):
        op.drop_index(f"ix_events_first_of_{subject}", table_name="events")
    op.drop_table("unpublished")
    op.drop_table("feed_items")
    op.execute("DELETE FROM feeds WHERE scope NOT IN ('all', 'releases', 'service', 'game', 'organization', 'channel')")
    # What was not yet taken in marked no feed: the older program writes all of them.
    op.execute("UPDATE feeds SET version = version + 1")
    op.drop_index("ix_feeds_unarchived", table_name="feeds")
    op.drop_index("ix_feeds_unpinged", table_name="feeds")
    op.drop_constraint("uq_feeds_subject", "feeds", type_="unique")
    for name in ("campaign_id", "reward_campaign_id", "link_id", "platform", "ceased_at", "pinged_version", "total"):
        op.drop_column("feeds", name)
    for name in ("archivable", "archived"):
        op.drop_column("feeds", name)
    op.create_unique_constraint(_OLD_NAME, "feeds", list(_OLD_SUBJECT), postgresql_nulls_not_distinct=True)
    op.drop_table("links")
