"""What an export holds: which tables, which of their columns, and which rows hang on which.

Row numbers mean nothing outside their database. An export refers by keys instead: `twitch:123` is a service and its
own id; for a game it is Twitch's where Twitch has the game.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, FromClause, LargeBinary, Select, Table, case, func, null, or_, select

from models import (
    AllowedChannel,
    Base,
    CampaignDeadline,
    Channel,
    ChatBadge,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Event,
    Feed,
    Follow,
    Game,
    GameExternalId,
    HeldChange,
    Link,
    Organization,
    Reward,
    RewardCampaign,
    Sighting,
    Source,
    StreamSegment,
    StreamSession,
    StreamSnapshot,
    TimeBasedDrop,
    Video,
)

# Raised when a reader of the version before would misunderstand the export.
SCHEMA = 1
# Feeds and subscriptions look names up by it; an import makes it anew from the name.
_DERIVED = frozenset({"name_key"})
# Columns of a source that say where it goes on; but not for IGDB's sources, whose answers are not exported, nor for
# EventSub, whose subscriptions are those of one installation.
REMEMBERED = ("cursor", "first_fetched_at", "known_since", "last_snapshot_at", "returns")
_ANEW = ("igdb", "twitch.eventsub")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing: its name in JSON Lines, its table, the kinds that hang on it, the columns left out.

    Where there is an `only`, it says which rows are exported.
    """

    name: str
    model: type[Base]
    parts: tuple["Kind", ...] = ()
    without: frozenset[str] = frozenset()
    only: Any = None

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


_KEYED = (Organization, Game, Channel, DropBenefit, DropCampaign, RewardCampaign, ChatBadge, StreamSession, Link)
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
# In the order in which they are written: a row comes before those that refer to it.
KINDS = (
    Kind(name="source", model=Source, without=_HEALTH_OF_SOURCE),
    Kind(name="organization", model=Organization),
    Kind(
        name="game",
        model=Game,
        parts=(Kind(name="external_ids", model=GameExternalId),),
        without=frozenset({"work_id", "work_pinned_at"}),
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
    Kind(name="follow", model=Follow, without=frozenset({"person_id", "origin", "written"})),
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
        without=frozenset({"person_id", "is_private"}),
        only=Event.person_id.is_(None) & Event.is_private.is_(False),
    ),
    Kind(name="held_change", model=HeldChange),
    # Without those of targets, which are not exported. Its name needs the key file too: nobody reads it from here.
    Kind(
        name="link",
        model=Link,
        without=frozenset({"person_id", "subject_id"}),
        only=Link.opens.in_(["followed", "health"]),
    ),
    Kind(name="feed", model=Feed, without=_FILES_OF_FEED, only=Feed.scope != "target"),
)


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
        if column.name != "id" and column.name not in _DERIVED and column.name not in kind.without
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
    return next(kind for kind in KINDS if kind.table is table)


def _key(kind: Kind, table: FromClause) -> ColumnElement[object]:
    if kind.model is Source:
        return table.c.name
    if kind.model is TimeBasedDrop:
        return table.c.external_id
    if kind.model is Link:
        return func.encode(table.c.digest, "hex")
    if kind.model is Game:
        return _key_of_game(table.c.id)
    if kind.model is StreamSession:
        channel = Channel.__table__.alias()
        named = channel.c.service + ":" + channel.c.external_id + "/" + table.c.stream_id
        return select(named).where(channel.c.id == table.c.channel_id).scalar_subquery()
    return table.c.service + ":" + table.c.external_id


def _key_of_game(row_id: ColumnElement[int]) -> ColumnElement[object]:
    named = GameExternalId.__table__.alias()
    # The key of a service that has the game is surer than a match with IGDB.
    first = (named.c.service == "igdb", named.c.service.desc(), named.c.external_id)
    key = select(named.c.service + ":" + named.c.external_id).where(named.c.game_id == row_id)
    return key.order_by(*first).limit(1).scalar_subquery()


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
    return column
