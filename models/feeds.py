"""What is published: feeds with their items, events that are on no feed yet, and links that only some people know."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Feed(Base):
    """A published feed: what it is about, and whether events touched it since its files were written.

    A publish raises `version` when it takes in events of the feed; `written_version` follows when the files are on
    disk, `pinged_version` when hubs know of them. `total` counts all items that it ever had, `items` those in its file,
    and `archived` the pages of older items that are on disk. One with a `ceased_at` has said that no more will come.
    A personal feed has a link, and a path that stands for the one with the link's name: that stands nowhere.
    """

    __tablename__ = "feeds"
    __table_args__ = (
        UniqueConstraint("path"),
        UniqueConstraint(
            *("scope", "service", "game_id", "organization_id", "channel_id", "campaign_id", "reward_campaign_id"),
            *("platform", "link_id", "show_id", "playlist_id"),
            # The name that the convention gives has more than the 63 bytes that PostgreSQL keeps.
            name="uq_feeds_subject",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_feeds_marked", "id", postgresql_where=text("version <> written_version")),
        Index("ix_feeds_unpinged", "id", postgresql_where=text("pinged_version < written_version")),
        Index("ix_feeds_unarchived", "id", postgresql_where=text("archived < archivable")),
    )

    id: Mapped[BigId]
    # See `feeds.scopes`.
    scope: Mapped[str]
    service: Mapped[str | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    organization_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    channel_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("channels.id"))
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"))
    reward_campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("reward_campaigns.id"))
    platform: Mapped[str | None]
    link_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("links.id", ondelete="CASCADE"))
    show_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("shows.id"))
    playlist_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("playlists.id"))
    # Path below the published folder without its ending: games/rust-1a2b3c4d
    path: Mapped[str]
    title: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    written_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    pinged_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    written_at: Mapped[datetime | None]
    items: Mapped[int | None]
    total: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # How many pages of older items it has, by the number of items a page at the last publish.
    archivable: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    archived: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    ceased_at: Mapped[datetime | None]


class FeedItem(Base):
    """An event on a feed, at the place that it came to: the pages of older items never change.

    Without foreign keys: events and feeds are not deleted, it has one writer (`feeds.take_in`), and two checks for each
    of eight items an event would cost more than the items.
    """

    __tablename__ = "feed_items"
    __table_args__ = (Index("ix_feed_items_newest", "feed_id", "occurred_at", "event_id", unique=True),)

    feed_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # From 1 on, without gaps.
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]


class Unpublished(Base):
    """An event that no publish has put on its feeds yet; the row is the work.

    Narrow, and without a foreign key: it is all that feeds cost the transaction that appends an event.
    """

    __tablename__ = "unpublished"

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Link(Base):
    """An address that only those know whom a person gave it to; it opens one thing until it is revoked.

    Its name is made of the key file and of `seed` (`models.vault`), and stands nowhere: `digest` recognises it.
    `opens` is `followed`, `target`, `health`, `news`, `library`, `journal`, `list`, `sounds`, `show` or `playlist`;
    `subject_id` says which target, list, show or playlist.
    """

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index(
            "uq_links_live",
            "person_id",
            "opens",
            "subject_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    opens: Mapped[str]
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    seed: Mapped[bytes]
    digest: Mapped[bytes]
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
