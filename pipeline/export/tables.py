"""What an export holds: which tables, which of their columns, and which rows hang on which.

Row numbers mean nothing outside their database. An export refers by keys instead: `twitch:123` is a service and its
own id; for a game it is Twitch's where Twitch has the game.

What people own and play, and what a library alone brought here, is in no export (`KINDS`) but one that says so
(`WITH_LIBRARY`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from models import (
    AllowedChannel,
    Base,
    CampaignDeadline,
    Channel,
    ChatBadge,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Episode,
    Event,
    Extraction,
    Feed,
    Follow,
    Game,
    GameExternalId,
    GameList,
    GameListEntry,
    GameState,
    HeldChange,
    ImportLine,
    LibraryEntry,
    LibraryImport,
    Link,
    ListActivity,
    Organization,
    Person,
    Play,
    Playlist,
    PlaylistSound,
    PlaySession,
    Playthrough,
    Rendition,
    Reward,
    RewardCampaign,
    Show,
    Sighting,
    Sound,
    Source,
    StreamSegment,
    StreamSession,
    StreamSnapshot,
    TimeBasedDrop,
    TitleDecision,
    Video,
    WantedGame,
    Work,
)
from models.people import OWNER_ID

# Raised when a reader of the version before would misunderstand the export.
SCHEMA = 1
# Feeds and subscriptions look names up by it; an import makes it anew from the name. In a decision it is all there is.
_DERIVED = frozenset({"name_key"})
# Columns of a source that say where it goes on; but not for IGDB's sources, whose answers are not exported, nor for
# EventSub, whose subscriptions are those of one installation.
REMEMBERED = ("cursor", "first_fetched_at", "known_since", "last_snapshot_at", "returns")
_ANEW = ("igdb", "twitch.eventsub")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing: its name in JSON Lines, its table, the kinds that hang on it, the columns left out.

    Where there is an `only`, it says which rows are exported. What is personal goes along with a library alone: a
    whole kind, some columns, and the rows that are not `public`.
    """

    name: str
    model: type[Base]
    parts: tuple["Kind", ...] = ()
    without: frozenset[str] = frozenset()
    only: Any = None
    is_personal: bool = False
    personal: frozenset[str] = frozenset()
    public: Any = None

    @property
    def table(self) -> Table:
        """The table, whose name is also that of the CSV file and of the table in SQLite."""
        table = self.model.__table__
        if not isinstance(table, Table):
            raise TypeError(f"{table} is no table")
        return table

    @property
    def keyed(self) -> bool:
        """Whether other rows refer to it by a key of its own; they refer to a source by its name."""
        return self.model in _KEYED


_KEYED: tuple[type[Base], ...] = (
    *(Organization, Game, Channel, DropBenefit, DropCampaign, RewardCampaign, ChatBadge, StreamSession, Link),
    *(Person, Work, LibraryImport, LibraryEntry, GameList),
    *(Sound, Extraction, Show, Playlist),
)
# What belongs to one installation: how its sources are, when it fetches again, its files on disk.
_HEALTH_OF_SOURCE = frozenset(
    {
        *("enabled", "next_due_at", "lease_until", "fence", "etag", "last_modified", "refresh_seconds"),
        *("consecutive_failures", "failing_since", "changed_since", "stale_since", "last_error", "last_success_at"),
        "last_snapshot_digest",
    }
)
_POLLS_OF_CHANNEL = frozenset({"checked_at", "videos_checked_at", "videos_due_at"})
_FILES_OF_FEED = frozenset(
    {
        *("version", "written_version", "pinged_version", "written_at", "items", "total", "archivable", "archived"),
    }
)
# Lines of lists by their places instead of their row numbers; those that are gone are named by their names alone.
_CHANGES: ColumnElement[object] = literal_column(
    """(
        SELECT coalesce(jsonb_agg(CASE
            WHEN line.position IS NULL THEN change - 'entry'
            ELSE change || jsonb_build_object('entry', line.position) END ORDER BY number), '[]')
        FROM jsonb_array_elements(list_activities.changes) WITH ORDINALITY AS made (change, number)
        LEFT JOIN game_list_entries AS line
            ON line.list_id = list_activities.list_id AND line.id = CAST(change->>'entry' AS bigint)
    )""",
    JSONB,
)
# Chapters with their categories' keys instead of row numbers; those of games without one are their titles alone.
_CHAPTERS: ColumnElement[object] = literal_column(
    """(
        SELECT coalesce(jsonb_agg(jsonb_strip_nulls((chapter - 'game_id') || jsonb_build_object('game', (
            SELECT coalesce(
                (
                    SELECT named.service || ':' || named.external_id FROM game_external_ids AS named
                    WHERE named.game_id = its.id
                    ORDER BY named.service = 'igdb', named.service DESC, named.external_id LIMIT 1
                ),
                'own:' || its.public_id
            )
            FROM games AS its WHERE its.id = CAST(chapter->>'game_id' AS bigint)
        ))) ORDER BY number), '[]')
        FROM jsonb_array_elements(sounds.chapters) WITH ORDINALITY AS made (chapter, number)
    )""",
    JSONB,
)
_OF_LIBRARIES = ("news", "library", "journal", "roms", "list")
# Made anew from what they are of; their names need the key file too.
_OF_SOUNDS = ("sounds", "show", "playlist")
# How far work has come, and who has it at hand; the files of what it made are named by what came of it.
_WORK_OF_EXTRACTION = frozenset(
    {
        *("video_id", "stage", "progress", "bytes", "info", "attempts", "spent_seconds"),
        *("lease_until", "lease_token", "fence"),
    }
)
_WORK_OF_RENDITION = frozenset({"attempts", "lease_until", "lease_token", "fence"})
_IS_PUBLIC_EVENT = Event.person_id.is_(None) & Event.is_private.is_(False)


def _is_named_by(model: Any, *where: Any) -> ColumnElement[bool]:
    return exists(select(1).where(model.game_id == Game.id, *where).correlate(Game))


# A game that nothing public names was brought by a library, and says what somebody has.
_IS_PUBLIC_GAME = or_(
    _is_named_by(GameExternalId, GameExternalId.service != "igdb"),
    *(_is_named_by(model) for model in (DropCampaign, RewardCampaign, Follow)),
    *(_is_named_by(model) for model in (StreamSession, StreamSegment, StreamSnapshot)),
    _is_named_by(Event, _IS_PUBLIC_EVENT),
    _is_named_by(Feed),
)
_IS_OF_PUBLIC_ENTRY = ~exists(
    select(1)
    .where(HeldChange.subject == "igdb/" + cast(WantedGame.igdb_id, Text), WantedGame.reasons == ["library"])
    .correlate(HeldChange)
)
# In the order in which they are written: a row comes before those that refer to it.
WITH_LIBRARY = (
    Kind(name="source", model=Source, without=_HEALTH_OF_SOURCE),
    # What a person may do is granted anew, where the export is imported.
    Kind(name="person", model=Person, without=frozenset({"role", "plan_id", "disabled_at"}), is_personal=True),
    # What a work is to another follows from IGDB.
    Kind(name="work", model=Work, is_personal=True, without=frozenset({"parent_work_id", "relation"})),
    Kind(name="organization", model=Organization),
    Kind(
        name="game",
        model=Game,
        parts=(Kind(name="external_ids", model=GameExternalId),),
        personal=frozenset({"work_id", "work_pinned_at"}),
        public=_IS_PUBLIC_GAME,
    ),
    Kind(name="channel", model=Channel, parts=(Kind(name="videos", model=Video),), without=_POLLS_OF_CHANNEL),
    Kind(name="benefit", model=DropBenefit),
    Kind(
        name="campaign",
        model=DropCampaign,
        parts=(
            Kind(name="drops", model=TimeBasedDrop, parts=(Kind(name="benefits", model=DropBenefitEdge),)),
            Kind(name="channels", model=AllowedChannel),
            Kind(name="deadlines", model=CampaignDeadline),
        ),
    ),
    Kind(name="reward_campaign", model=RewardCampaign, parts=(Kind(name="rewards", model=Reward),)),
    Kind(name="badge", model=ChatBadge),
    # What another person follows goes along with their library alone.
    Kind(
        name="follow",
        model=Follow,
        without=frozenset({"origin", "written"}),
        personal=frozenset({"person_id"}),
        public=Follow.person_id == OWNER_ID,
    ),
    # A stream that continues another has the higher row number, so it comes after that.
    Kind(
        name="session",
        model=StreamSession,
        parts=(Kind(name="segments", model=StreamSegment), Kind(name="snapshots", model=StreamSnapshot)),
    ),
    Kind(name="sighting", model=Sighting),
    Kind(
        name="event",
        model=Event,
        # Transactions are counted anew elsewhere.
        without=frozenset({"xact"}),
        personal=frozenset({"person_id", "is_private"}),
        public=_IS_PUBLIC_EVENT,
    ),
    Kind(name="held_change", model=HeldChange, public=_IS_OF_PUBLIC_ENTRY),
    Kind(
        name="import",
        model=LibraryImport,
        parts=(Kind(name="lines", model=ImportLine, is_personal=True),),
        is_personal=True,
    ),
    Kind(
        name="library_entry",
        model=LibraryEntry,
        parts=(Kind(name="sessions", model=PlaySession, is_personal=True),),
        is_personal=True,
    ),
    Kind(name="state", model=GameState, is_personal=True),
    Kind(name="playthrough", model=Playthrough, is_personal=True),
    Kind(name="decision", model=TitleDecision, is_personal=True),
    Kind(
        name="list",
        model=GameList,
        parts=(
            Kind(name="entries", model=GameListEntry, is_personal=True),
            Kind(name="activities", model=ListActivity, is_personal=True),
        ),
        is_personal=True,
    ),
    # Videos follow from services and ids. Files are named as they lie in the data directory: copied along, they are
    # there again.
    Kind(
        name="sound",
        model=Sound,
        parts=(
            Kind(name="renditions", model=Rendition, without=_WORK_OF_RENDITION, is_personal=True),
            Kind(name="plays", model=Play, is_personal=True),
        ),
        without=frozenset({"video_id"}),
        is_personal=True,
    ),
    Kind(name="extraction", model=Extraction, without=_WORK_OF_EXTRACTION, is_personal=True),
    Kind(
        name="show",
        model=Show,
        parts=(Kind(name="episodes", model=Episode, is_personal=True),),
        is_personal=True,
    ),
    Kind(
        name="playlist",
        model=Playlist,
        parts=(Kind(name="sounds", model=PlaylistSound, is_personal=True),),
        is_personal=True,
    ),
    # Without those of targets, which are not exported, and of libraries, which are made anew. Its name needs the key
    # file too: nobody reads it from here.
    Kind(
        name="link",
        model=Link,
        without=frozenset({"person_id", "subject_id"}),
        only=Link.opens.in_(["followed", "health"]),
    ),
    Kind(
        name="feed",
        model=Feed,
        without=_FILES_OF_FEED | {"show_id", "playlist_id"},
        only=Feed.scope.not_in(["target", *_OF_LIBRARIES, *_OF_SOUNDS]),
    ),
)


def _without_library(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return tuple(
        msgspec.structs.replace(
            kind,
            parts=_without_library(kind.parts),
            without=kind.without | kind.personal,
            only=kind.only if kind.public is None else kind.public if kind.only is None else kind.only & kind.public,
        )
        for kind in kinds
        if not kind.is_personal
    )


KINDS = _without_library(WITH_LIBRARY)


def all_kinds(kinds: tuple[Kind, ...] = KINDS, above: tuple[Kind, ...] = ()) -> Iterator[tuple[Kind, tuple[Kind, ...]]]:
    """Yield every kind with those that it hangs on, the outermost first."""
    for kind in kinds:
        yield kind, above
        yield from all_kinds(kind.parts, (*above, kind))


def columns(kind: Kind) -> list[Column[object]]:
    """Return the exported columns of a kind, also the one that refers to the object it hangs on."""
    return [
        column
        for column in kind.table.c
        if column.name not in {"id"} | kind.without | (frozenset() if kind.model is TitleDecision else _DERIVED)
    ]


def reference(column: Column[object]) -> Table | None:
    """Return the table that a column refers to."""
    for key in column.foreign_keys:
        return key.column.table
    return None


def exported_name(column: Column[object]) -> str:
    """Return the name of a column in the export: a reference is no number and is not called one."""
    return column.name if reference(column) is None else column.name.removesuffix("_id")


def begins_anew(name: str, service: str) -> bool:
    """Whether a source, by its name and service, begins anew in another installation."""
    return name in _ANEW or service in _ANEW


def link(kind: Kind, above: Kind) -> Column[object]:
    """Return the column by which a kind hangs on the one above it."""
    return next(column for column in kind.table.c if reference(column) is above.table)


def rows(kind: Kind, above: tuple[Kind, ...]) -> Select[*tuple[object, ...]]:
    """Return the query of all rows: `_id`, `_above` (the row it hangs on), the keys of all rows above, and the columns.

    They come in the order of the rows that they hang on, so that one pass over both can join them.
    """
    table = kind.table
    source: FromClause = table
    shown: list[ColumnElement[object]] = []
    order: list[ColumnElement[object]] = []
    current = table
    for upper, lower in zip(reversed(above), reversed((*above, kind)[1:]), strict=True):
        column = current.c[link(lower, upper).name]
        aliased = upper.table.alias()
        source = source.join(aliased, aliased.c.id == column)
        shown.insert(0, _key(upper, aliased).label(exported_name(link(lower, upper))))
        order.insert(0, column)
        current = aliased  # type: ignore[assignment]
    hanging = link(kind, above[-1]) if above else None
    if kind.keyed:
        shown.append(_key(kind, table).label("key"))
    for column in columns(kind):
        target = reference(column)
        if column is hanging:
            continue
        if target is None:
            shown.append(_shown(column).label(column.name))
            continue
        aliased = target.alias()
        source = source.outerjoin(aliased, aliased.c.id == column)
        shown.append(_key(_kind_of(target), aliased).label(exported_name(column)))
    own = [table.c.name] if kind.model is Source else list(table.primary_key)
    if kind.model is Sighting:
        own = [aliased.c.name, table.c.external_id]
    hidden = [
        (table.c.id if "id" in table.c else null()).label("_id"),
        (hanging if hanging is not None else null()).label("_above"),
    ]
    query = select(*hidden, *shown).select_from(source).order_by(*order, *own)
    return query if kind.only is None else query.where(kind.only)


def names(kind: Kind, above: tuple[Kind, ...]) -> list[str]:
    """Return the names of the columns as tables show them."""
    return [name for name in rows(kind, above).selected_columns.keys() if not name.startswith("_")]  # noqa: SIM118


def references(kind: Kind, above: tuple[Kind, ...]) -> list[str]:
    """Return the names of the columns that hold keys of other rows."""
    referring = [exported_name(column) for column in kind.table.c if reference(column) is not None]
    return [name for name in names(kind, above) if name in referring]


def _kind_of(table: Table) -> Kind:
    return next(kind for kind in WITH_LIBRARY if kind.table is table)


def _key(kind: Kind, table: FromClause) -> ColumnElement[object]:
    if kind.model in _KEYS:
        return _KEYS[kind.model](table)
    return table.c.service + ":" + table.c.external_id


def _key_of_session(table: FromClause) -> ColumnElement[object]:
    channel = Channel.__table__.alias()
    named = channel.c.service + ":" + channel.c.external_id + "/" + table.c.stream_id
    return select(named).where(channel.c.id == table.c.channel_id).scalar_subquery()


def _key_of_game(row_id: ColumnElement[int]) -> ColumnElement[object]:
    named = GameExternalId.__table__.alias()
    # The key of a service that has the game is surer than a match with IGDB.
    first = (named.c.service == "igdb", named.c.service.desc(), named.c.external_id)
    key = select(named.c.service + ":" + named.c.external_id).where(named.c.game_id == row_id)
    # One that no service has is a person's own.
    ours = Game.__table__.alias()
    own = select("own:" + ours.c.public_id).where(ours.c.id == row_id).scalar_subquery()
    return func.coalesce(key.order_by(*first).limit(1).scalar_subquery(), own)


def _key_of_work(table: FromClause) -> ColumnElement[object]:
    """Return IGDB's entry that a work hangs on, or the first of its games by their names for feeds."""
    ours = Game.__table__.alias()
    own = select("own:" + func.min(ours.c.public_id)).where(ours.c.work_id == table.c.id).scalar_subquery()
    # One that has neither any more has its number, which is a name like any other.
    return func.coalesce("igdb:" + cast(table.c.root_igdb_id, Text), own, "work:" + cast(table.c.id, Text))


def _of_person(*columns: str) -> Callable[[FromClause], ColumnElement[object]]:
    """Return what makes keys of a person's name and of columns."""

    def key(table: FromClause) -> ColumnElement[object]:
        person = Person.__table__.alias()
        name = select(person.c.name).where(person.c.id == table.c.person_id).scalar_subquery()
        shown = [func.encode(table.c[each], "hex") if each == "digest" else table.c[each] for each in columns]
        # Null where there is no row, as a key has to be.
        return reduce(lambda whole, part: whole + "/" + part, shown, cast(name, Text))

    return key


# Of what no service names.
_KEYS: Mapping[type[Base], Callable[[FromClause], ColumnElement[object]]] = {
    Source: lambda table: table.c.name,
    TimeBasedDrop: lambda table: table.c.external_id,
    Link: lambda table: func.encode(table.c.digest, "hex"),
    Game: lambda table: _key_of_game(table.c.id),
    StreamSession: _key_of_session,
    Person: lambda table: table.c.name,
    Work: _key_of_work,
    LibraryImport: _of_person("digest"),
    LibraryEntry: _of_person("store", "external_id", "platform"),
    GameList: _of_person("slug"),
    Sound: lambda table: table.c.public_id,
    Show: lambda table: table.c.public_id,
    Playlist: lambda table: table.c.public_id,
    # The same address may have been fetched before.
    Extraction: lambda table: table.c.url + "@" + cast(func.extract("epoch", table.c.added_at), Text),
}


_WRITTEN_ANEW: Mapping[tuple[str, FromClause], ColumnElement[object]] = {
    ("changes", ListActivity.__table__): _CHANGES,
    ("chapters", Sound.__table__): _CHAPTERS,
}


def _shown(column: Column[object]) -> ColumnElement[object]:
    if isinstance(column.type, LargeBinary):
        return func.encode(column, "hex")
    table = column.table
    if table is Source.__table__ and column.name in REMEMBERED:
        return case((or_(table.c.name.in_(_ANEW), table.c.service.in_(_ANEW)), null()), else_=column)
    if table is GameExternalId.__table__ and column.name == "external_id":
        # Games that share an entry of IGDB (pipeline/games/store/links.py): "1020/37" holds a row number.
        shared = (table.c.service == "igdb") & column.contains("/")
        key = func.split_part(column, "/", 1) + "/" + _key_of_game(table.c.game_id)
        return case((shared, key), else_=column)
    if (column.name, table) in _WRITTEN_ANEW:
        return _WRITTEN_ANEW[column.name, table]
    if column.name == "state" and table in {Extraction.__table__, Rendition.__table__}:
        # What is under way here is begun anew elsewhere.
        return case((column.in_(["processing", "rendering"]), "pending"), else_=column)
    return column
