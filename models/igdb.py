"""IGDB's data: games with their titles, outside ids and release dates, and which of them are wanted here.

The tables that mirror IGDB are keyed by its own ids and refer to each other by them without foreign keys: they have
one writer (pipeline/games/store/games.py), a document may name a platform or a parent that never came itself, and one
check for each of the four million rows of a full mirror would cost as much as writing them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class GameMetadata(Base):
    """An entry of IGDB: a game, or an edition, an expansion, a port of one; never deleted.

    `game_id` is null until the game is wanted; several entries may roll up to one game. `updated_at` is IGDB's own,
    `synced_at` when this content was asked for: an answer that was asked for earlier never replaces it.
    """

    __tablename__ = "game_metadata"
    __table_args__ = (
        Index("ix_game_metadata_game_id", "game_id", postgresql_where=text("game_id IS NOT NULL")),
        Index(None, "slug"),
        Index("ix_game_metadata_parent_igdb_id", "parent_igdb_id", postgresql_where=text("parent_igdb_id IS NOT NULL")),
        Index(
            "ix_game_metadata_version_parent_igdb_id",
            "version_parent_igdb_id",
            postgresql_where=text("version_parent_igdb_id IS NOT NULL"),
        ),
    )

    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    slug: Mapped[str | None]
    url: Mapped[str | None]
    # IGDB's numbers: https://api-docs.igdb.com/#game-type, #game-status.
    game_type: Mapped[int | None]
    game_status: Mapped[int | None]
    parent_igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    version_parent_igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    first_release_at: Mapped[datetime | None]
    summary: Mapped[str | None]
    # The name of a picture, as its address holds it.
    cover_id: Mapped[str | None]
    # Of critics and players together, 0 to 100.
    rating: Mapped[float | None] = mapped_column(REAL)
    rating_count: Mapped[int | None]
    genres: Mapped[list[str]]
    themes: Mapped[list[str]]
    modes: Mapped[list[str]]
    franchises: Mapped[list[str]]
    collections: Mapped[list[str]]
    companies: Mapped[list[str]]
    platforms: Mapped[list[str]]
    updated_at: Mapped[datetime | None]
    synced_at: Mapped[datetime]
    # IGDB no longer has it; null again when it comes back.
    removed_at: Mapped[datetime | None]
    # Of the document as it came, byte for byte.
    digest: Mapped[bytes]
    raw: Mapped[dict[str, Any]]


class GameTitle(Base):
    """A title that an entry may be looked up by: its name, a translated or another one, or its slug.

    `kind` is `name`, `localized`, `alternative` (also executables and shared acronyms: never an exact match alone) or
    `slug`. Titles that share a key with a better kind are left out. `key` and `words` are those of the title's text.
    """

    __tablename__ = "game_titles"
    __table_args__ = (
        Index(None, "key"),
        # With rows that wait for their place in the index a search reads them all: forty milliseconds for one.
        Index(None, "words", postgresql_using="gin", postgresql_with={"fastupdate": False}),
    )

    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    kind: Mapped[str]
    words: Mapped[list[str]]


class ExternalGame(Base):
    """What a shop or a service calls an entry, as IGDB lists it; `source` is IGDB's number (1 Steam, 14 Twitch)."""

    __tablename__ = "external_games"

    # In this order the key is also the index that finds an entry by what a service calls it.
    source: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uid: Mapped[str] = mapped_column(primary_key=True)
    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, index=True)


class Platform(Base):
    """What a game runs on; columns are null until a document gives more than the platform's id."""

    __tablename__ = "platforms"

    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str | None]
    abbreviation: Mapped[str | None]
    slug: Mapped[str | None]
    generation: Mapped[int | None]
    family: Mapped[str | None]


class ReleaseDate(Base):
    """When an entry comes out on one platform in one region, and how precisely that is known; never deleted.

    `precision` is `day`, `month`, `quarter`, `year` or `tbd`. `date` is IGDB's own, which for a period is mostly its
    last day and says nothing more: only `year`, `quarter` and `month` do. `last_seen_at` is null while it is listed.
    An id below 0 is ours, for a row that came without one. `told_at` is when an event said that it is out, `judged_at`
    when we judged what its absence means.
    """

    __tablename__ = "release_dates"
    __table_args__ = (
        Index(None, "igdb_id"),
        Index(
            "ix_release_dates_untold_days",
            "date",
            postgresql_where=text("precision = 'day' AND told_at IS NULL AND last_seen_at IS NULL"),
        ),
        Index(
            "ix_release_dates_gone",
            "last_seen_at",
            postgresql_where=text("last_seen_at IS NOT NULL AND judged_at IS NULL"),
        ),
    )

    # The game is part of the key, because entries that IGDB merges hand their rows on.
    game_igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    platform_id: Mapped[int | None] = mapped_column(BigInteger)
    # IGDB's numbers: 1 Europe, 2 North America, 8 worldwide; status 5 cancelled, 6 full release.
    region: Mapped[int | None]
    status: Mapped[int | None]
    precision: Mapped[str]
    date: Mapped[date | None]
    year: Mapped[int | None]
    quarter: Mapped[int | None]
    month: Mapped[int | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]


class WantedGame(Base):
    """An entry that is kept fresh here, and why.

    Reasons are `follow`, `list`, `library`, `campaign` and `channel`; `next_due_at` is when to ask for it again.
    """

    __tablename__ = "wanted_games"
    __table_args__ = (Index(None, "next_due_at"),)

    igdb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reasons: Mapped[list[str]]
    wanted_at: Mapped[datetime]
    next_due_at: Mapped[datetime]


class GameList(Base):
    """A person's list of games; `origin` is the file that it came from.

    Where it is `ranked`, its order says which is better. A list that `wants` its games has their dates kept fresh, and
    its person hears of them. `digest` is that of the text, where rules keep it as its file says.
    """

    __tablename__ = "game_lists"
    __table_args__ = (UniqueConstraint("person_id", "name"), UniqueConstraint("person_id", "slug"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    name: Mapped[str]
    slug: Mapped[str]
    description: Mapped[str | None]
    ranked: Mapped[bool] = mapped_column(server_default=text("false"))
    wants: Mapped[bool] = mapped_column(server_default=text("true"))
    origin: Mapped[str | None]
    digest: Mapped[str | None]
    created_at: Mapped[datetime]


class GameListEntry(Base):
    """A line of a list: its text, the entry that it was taken for, how sure that is (0 to 1), and its work.

    Places count from 1; within a transaction two lines may stand at one.
    """

    __tablename__ = "game_list_entries"
    __table_args__ = (
        UniqueConstraint("list_id", "position", deferrable=True, initially="DEFERRED"),
        Index(None, "igdb_id"),
        Index(None, "work_id"),
    )

    id: Mapped[BigId]
    list_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("game_lists.id"))
    position: Mapped[int]
    written: Mapped[str]
    igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    work_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("works.id"))
    score: Mapped[float | None] = mapped_column(REAL)
    explanation: Mapped[str | None]
    notes: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
