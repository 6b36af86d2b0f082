"""What campaigns and streams are about: organizations, games and streaming channels."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Organization(Base):
    """A company that runs campaigns, as one service names it."""

    __tablename__ = "organizations"
    __table_args__ = (UniqueConstraint("service", "external_id"), Index(None, "name_key"))

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    public_id: Mapped[str]
    url: Mapped[str | None]
    logo_url: Mapped[str | None]


class Game(Base):
    """A game, one row however many services know it.

    It belongs to a work where IGDB knows it, or somebody's library has it; with a `work_pinned_at` by a person's hand.
    """

    __tablename__ = "games"
    __table_args__ = (
        Index(None, "name_key"),
        Index("ix_games_work_id", "work_id", postgresql_where=text("work_id IS NOT NULL")),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    name_key: Mapped[str]
    public_id: Mapped[str]
    box_art_url: Mapped[str | None]
    work_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("works.id"))
    work_pinned_at: Mapped[datetime | None]


class GameExternalId(Base):
    """A service's own id for a game: a Twitch category id, a Kick or CHZZK category, an entry of IGDB.

    `how` says how that is known: from the `service` itself, Twitch's `igdb_id`, IGDB's `external_game`, a `name`
    that matches with `confidence` (0 to 1), or a person's `hand`. The program never changes a pinned row.
    """

    __tablename__ = "game_external_ids"
    __table_args__ = (Index(None, "game_id"),)

    service: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    game_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("games.id"))
    how: Mapped[str] = mapped_column(server_default=text("'service'"))
    confidence: Mapped[float | None] = mapped_column(REAL)
    pinned_at: Mapped[datetime | None]


class Channel(Base):
    """A streaming channel; its id stays when its login or display name changes."""

    __tablename__ = "channels"
    __table_args__ = (
        UniqueConstraint("service", "external_id"),
        Index(None, "login"),
        Index("ix_channels_videos_due", "videos_due_at", postgresql_where=text("videos_due_at IS NOT NULL")),
    )

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    login: Mapped[str]
    display_name: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    # What it was called before, oldest first.
    former_logins: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    description: Mapped[str | None]
    profile_image_url: Mapped[str | None]
    # When Twitch was last asked for its user, which shows renames.
    checked_at: Mapped[datetime | None]
    # When Twitch was last asked for its videos, and is to be asked next.
    videos_checked_at: Mapped[datetime | None]
    videos_due_at: Mapped[datetime | None]
