"""What people own, play and finished: works, entries of libraries, what a person says of them, where it came from.

Two layers. What machines say (entries, their playtime, sessions) is written by imports and syncs alone; what a person
says (states, playthroughs, decisions) is never overwritten by them. `person_works` is derived from both.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Work(Base):
    """A game as people speak of it: our games that are ports, remasters, editions and DLC of one family.

    `root_igdb_id` is the entry that the family hangs on, null for a title that IGDB lacks. A remake or a stand-alone
    expansion is a work of its own, whose `relation` (`remake`, `expansion`) says what it is to `parent_work_id`. `how`
    says whose word it is: `igdb` or a person's `hand`.
    """

    __tablename__ = "works"
    __table_args__ = (UniqueConstraint("root_igdb_id"), Index(None, "name_key"), Index(None, "parent_work_id"))

    id: Mapped[BigId]
    name: Mapped[str]
    name_key: Mapped[str]
    root_igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    parent_work_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("works.id"))
    relation: Mapped[str | None]
    series: Mapped[str | None]
    how: Mapped[str]


class LibraryImport(Base):
    """A file that a person imported, by its digest; `counts` are its lines by verdict. A sync has one that lasts.

    `finished_at` is null while a sync goes on with it.
    """

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("person_id", "digest"),)

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    # Of `pipeline.library.formats`, or a source's name.
    format: Mapped[str]
    name: Mapped[str]
    digest: Mapped[bytes]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class ImportLine(Base):
    """A line of a file or an answer that waits for a person: what is meant is unsure or unknown, or it cannot be read.

    `record` is the line as its format read it, JSON of `pipeline.library.records.Record`. `verdict` is `unsure`,
    `unknown` or `invalid`; `choices` are the entries that may be meant. With a `settled_at` a person has answered.
    """

    __tablename__ = "import_lines"
    __table_args__ = (
        UniqueConstraint("import_id", "line"),
        Index("ix_import_lines_open", "import_id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[BigId]
    import_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("imports.id"))
    # From 1 on, as a person counts lines or entries.
    line: Mapped[int] = mapped_column(BigInteger)
    written: Mapped[str]
    record: Mapped[dict[str, Any]]
    verdict: Mapped[str]
    score: Mapped[float | None] = mapped_column(REAL)
    choices: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    explanation: Mapped[str]
    settled_at: Mapped[datetime | None]


class TitleDecision(Base):
    """A person's word for which game a shop's id or a title means; it holds in all later imports, syncs and scans.

    By a shop's id (`store`, `external_id`) or by the title (`name_key`, with a platform and a year where the line had
    them); the other columns are empty. `verdict` is `is` (with `igdb_id`), `own` (a game of ours that IGDB lacks, with
    `game_id`) or `skip`.
    """

    __tablename__ = "title_decisions"
    __table_args__ = (UniqueConstraint("person_id", "store", "external_id", "name_key", "platform_key", "year"),)

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    store: Mapped[str] = mapped_column(server_default=text("''"))
    external_id: Mapped[str] = mapped_column(server_default=text("''"))
    name_key: Mapped[str] = mapped_column(server_default=text("''"))
    platform_key: Mapped[str] = mapped_column(server_default=text("''"))
    year: Mapped[int] = mapped_column(server_default=text("0"))
    verdict: Mapped[str]
    igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    made_at: Mapped[datetime]


class LibraryEntry(Base):
    """A game that a person has in one store on one platform, as a shop or a file says; machines alone write it.

    `ownership` is `owned`, `subscription`, `shared`, `lent`, `sold` or `wished`. Where a store gives no id,
    `external_id` is `game/` and our game's public id. `last_seen_at` is null while it is listed, `absences` counts the
    whole answers in a row that lacked it. `hidden_at` and `removed_at` are a person's word; a removed one stays, so
    that no sync brings it back. `import_line` is the line of the file that it came from.
    """

    __tablename__ = "library_entries"
    __table_args__ = (
        UniqueConstraint("person_id", "store", "external_id", "platform"),
        Index(None, "game_id"),
        Index(None, "source_id"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    game_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("games.id"))
    # The edition, where IGDB has it.
    igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    store: Mapped[str]
    external_id: Mapped[str]
    # As people write it; empty where nobody said.
    platform: Mapped[str] = mapped_column(server_default=text("''"))
    title: Mapped[str]
    ownership: Mapped[str]
    acquired_on: Mapped[date | None]
    playtime_seconds: Mapped[int | None] = mapped_column(BigInteger)
    last_played_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    absences: Mapped[int] = mapped_column(server_default=text("0"))
    hidden_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    source_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sources.id"))
    import_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("imports.id"))
    import_line: Mapped[int | None] = mapped_column(BigInteger)


class GameState(Base):
    """What a person says of a work; `set_by` has for each field that is set whose word it is: `hand` or `import`.

    `status` is `backlog`, `playing`, `paused`, `finished`, `mastered`, `abandoned` or `endless`; `rating` goes from 0
    to 100, and came in on a scale to `rating_scale`. Name, year, genres, cover and series stand in for IGDB's.
    """

    __tablename__ = "game_states"
    __table_args__ = (Index(None, "work_id"),)

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), primary_key=True)
    work_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("works.id"), primary_key=True)
    status: Mapped[str | None]
    rating: Mapped[float | None] = mapped_column(REAL)
    rating_scale: Mapped[int | None]
    is_favourite: Mapped[bool] = mapped_column(server_default=text("false"))
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    notes: Mapped[str | None]
    name: Mapped[str | None]
    year: Mapped[int | None]
    genres: Mapped[list[str] | None]
    cover_url: Mapped[str | None]
    series: Mapped[str | None]
    set_by: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    updated_at: Mapped[datetime]


class Playthrough(Base):
    """Once through a game, or a part of it: on one platform, from a day to a day as precisely as a person knows.

    `started` and `finished` are written as `models.periods` does (`2026-11-21`, `1999-Q3`, `2022`). `completion` is
    `main`, `extras` or `all`, `status` a word of `GameState`. `import_key` tells a line's playthroughs apart when their
    file comes again; one with an `edited_at` is a person's, and no import changes it. One with a `removed_at` was
    taken away by a person, and no import brings it back.
    """

    __tablename__ = "playthroughs"
    __table_args__ = (UniqueConstraint("person_id", "import_key"), Index(None, "game_id"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    game_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("games.id"))
    igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    platform: Mapped[str] = mapped_column(server_default=text("''"))
    status: Mapped[str]
    completion: Mapped[str | None]
    started: Mapped[str | None]
    finished: Mapped[str | None]
    seconds: Mapped[int | None] = mapped_column(BigInteger)
    rating: Mapped[float | None] = mapped_column(REAL)
    rating_scale: Mapped[int | None]
    notes: Mapped[str | None]
    is_replay: Mapped[bool] = mapped_column(server_default=text("false"))
    import_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("imports.id"))
    import_key: Mapped[str | None]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class PlaySession(Base):
    """How much an entry's playtime grew between two answers of its shop; when exactly, nobody says."""

    __tablename__ = "play_sessions"

    entry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("library_entries.id"), primary_key=True)
    until_at: Mapped[datetime] = mapped_column(primary_key=True)
    since_at: Mapped[datetime]
    seconds: Mapped[int] = mapped_column(BigInteger)


class PersonWork(Base):
    """What a work is to a person, derived from entries, states and playthroughs; what matching and messages ask.

    `words` are of `owned`, `playing`, `backlog`, `wished`, `finished`, `abandoned` and `rom`; `stores` name where it is
    owned.
    `seconds` is the sum over editions of the greater of the shop's playtime and the journal's. Time alone changes the
    words at `changes_at`: who has not played for a while is not playing.
    """

    __tablename__ = "person_works"
    __table_args__ = (
        Index(None, "person_id"),
        Index("ix_person_works_changes_at", "changes_at", postgresql_where=text("changes_at IS NOT NULL")),
    )

    work_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("works.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), primary_key=True)
    words: Mapped[list[str]]
    status: Mapped[str | None]
    stores: Mapped[list[str]]
    platforms: Mapped[list[str]]
    seconds: Mapped[int | None] = mapped_column(BigInteger)
    last_played_at: Mapped[datetime | None]
    changes_at: Mapped[datetime | None]


class ListActivity(Base):
    """A change of a list: `created`, `added`, `removed`, `moved`, `noted`, `described`; an event groups several.

    A file that came in its place has `replaced` it, of which no event tells. `changes` are entries with their names and
    places before and after. `told_at` is when an event said it.
    """

    __tablename__ = "list_activities"
    __table_args__ = (
        Index(None, "list_id"),
        Index("ix_list_activities_untold", "at", postgresql_where=text("told_at IS NULL")),
    )

    id: Mapped[BigId]
    list_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("game_lists.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    verb: Mapped[str]
    changes: Mapped[list[Any]] = mapped_column(JSONB)
    told_at: Mapped[datetime | None]


class LibraryAccount(Base):
    """A person's account at a shop or a service whose library is synced; its key is encrypted.

    `problem` says in a sentence why the last answer was none, since `problem_since`. `played_at` is when something was
    played last: then it is asked more often.
    """

    __tablename__ = "library_accounts"
    __table_args__ = (UniqueConstraint("person_id", "service", "external_id"), Index(None, "next_due_at"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    service: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    key_encrypted: Mapped[bytes]
    created_at: Mapped[datetime]
    next_due_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    # Of the last whole answer.
    answered_at: Mapped[datetime | None]
    digest: Mapped[bytes | None]
    played_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    problem_since: Mapped[datetime | None]
