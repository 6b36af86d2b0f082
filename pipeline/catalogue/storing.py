"""Store what subjects share, organizations, games and channels, and return the row ids that others refer to."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import ARRAY, Connection, RowMapping, Select, Table, Text, and_, bindparam, case, func, select, tuple_
from sqlalchemy.dialects.postgresql import Insert

from models import Channel, Game, GameExternalId, Organization
from models.names import name_key, public_id
from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord, UserRecord, filled
from pipeline.database.bulk import execute_rows, insert_rows

ORGANIZATIONS: Table = Organization.__table__  # type: ignore[assignment]
GAMES: Table = Game.__table__  # type: ignore[assignment]
GAME_IDS: Table = GameExternalId.__table__  # type: ignore[assignment]
CHANNELS: Table = Channel.__table__  # type: ignore[assignment]
TEXTS = ARRAY(Text)
_KNOWN_GAMES = (
    select(GAME_IDS.c.external_id, GAME_IDS.c.game_id, GAMES.c.name, GAMES.c.box_art_url)
    .join(GAMES, GAMES.c.id == GAME_IDS.c.game_id)
    .where(
        GAME_IDS.c.service == bindparam("service"),
        GAME_IDS.c.external_id == func.any(bindparam("external_ids", type_=TEXTS)),
    )
)

Ids = dict[str, int]


class Identified(Protocol):
    """A record of a thing that a service knows by an id of its own."""

    @property
    def external_id(self) -> str:
        """The service's id."""


Record = TypeVar("Record", bound=Identified)


def store_organizations(connection: Connection, service: str, records: Iterable[OrganizationRecord]) -> Ids:
    """Insert or rename organizations; returns row ids by external id. An id in place of a name renames nothing."""
    ids: Ids = {}
    listed = distinct(records)
    for named, columns in ((True, ("name", "name_key", "url", "logo_url")), (False, ("url", "logo_url"))):
        rows = [_organization(service, record) for record in listed if record.named is named]
        ids |= upsert_by_external_id(connection, ORGANIZATIONS, rows, columns)
    return ids


def _organization(service: str, record: OrganizationRecord) -> dict[str, Any]:
    return {
        "service": service,
        "external_id": record.external_id,
        "name": record.name,
        "name_key": name_key(record.name),
        "public_id": public_id(service, record.external_id),
        "url": record.url,
        "logo_url": record.logo_url,
    }


def store_channels(connection: Connection, service: str, records: Iterable[ChannelRecord], now: datetime) -> Ids:
    """Insert or rename channels; returns row ids by external id.

    A missing display name keeps the known one; a login that changes is kept among the former ones.
    """
    rows = [
        {
            "service": service,
            "external_id": record.external_id,
            "login": record.login,
            "display_name": record.display_name,
            "first_seen_at": now,
        }
        for record in distinct(records)
    ]
    return upsert_by_external_id(connection, CHANNELS, rows, ("login", "display_name"))


def store_users(connection: Connection, users: Iterable[UserRecord], now: datetime) -> Ids:
    """Insert or update the channels of Twitch users, as of `now`; returns row ids by external id."""
    rows = [
        {
            "service": "twitch",
            "external_id": user.external_id,
            "login": user.login,
            "display_name": user.display_name,
            "description": user.description,
            "profile_image_url": user.profile_image_url,
            "first_seen_at": now,
            "checked_at": now,
        }
        for user in distinct(users)
    ]
    columns = ("login", "display_name", "description", "profile_image_url", "checked_at")
    return upsert_by_external_id(connection, CHANNELS, rows, columns)


def store_games(connection: Connection, service: str, records: Iterable[GameRecord]) -> Ids:
    """Insert or update games; returns row ids by external id.

    A game that another service named first is recognised by its name, and for services whose ids are words
    (CHZZK: `CrimsonDesert`) by its id, unless this service already calls that game something else.
    """
    wanted = {record.external_id: record for record in distinct(records)}
    if not wanted:
        return {}
    before = _known_games(connection, service, wanted)
    _update_games(connection, [(before[key], record) for key, record in wanted.items() if key in before])
    known = {key: row["game_id"] for key, row in before.items()}
    new = [record for key, record in wanted.items() if key not in known]
    if not new:
        return known
    matched = _match_games_by_name(connection, service, new)
    created = _create_games(connection, service, [record for record in new if record.external_id not in matched])
    links = matched | created
    _link_games(connection, service, links)
    return known | links


def distinct(records: Iterable[Record]) -> list[Record]:
    """Return the records without repeated external ids, in a stable order that keeps row locks free of deadlocks.

    What one record of a thing leaves out another one of it may give.
    """
    by_id: dict[str, Record] = {}
    for record in records:
        first = by_id.setdefault(record.external_id, record)
        if first is not record and first != record:
            by_id[record.external_id] = filled(first, record)
    return [by_id[key] for key in sorted(by_id)]


def upsert_by_external_id(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> Ids:
    """Insert rows of one service, or update `columns` where a value is not null; returns row ids by external id."""
    if not rows:
        return {}
    execute_rows(connection, _upsert(table, tuple(rows[0]), tuple(columns)), rows)
    wanted = {"service": rows[0]["service"], "external_ids": [row["external_id"] for row in rows]}
    return dict(connection.execute(_ids_of(table), wanted).all())


@functools.cache
def _upsert(table: Table, names: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    statement = insert_rows(table, names)
    return statement.on_conflict_do_update(
        index_elements=[table.c.service, table.c.external_id],
        set_=_filling(statement, table, columns) | (_renamed(statement) if table is CHANNELS else {}),
        where=_differs(statement, table, columns),
    )


@functools.cache
def _ids_of(table: Table) -> Select[str, int]:
    return select(table.c.external_id, table.c.id).where(
        table.c.service == bindparam("service"), table.c.external_id == func.any(bindparam("external_ids", type_=TEXTS))
    )


def _filling(statement: Insert, table: Table, columns: Sequence[str]) -> dict[str, Any]:
    """Return the values to set: a new one replaces the known one, null leaves it."""
    return {name: func.coalesce(statement.excluded[name], table.c[name]) for name in columns}


def _renamed(statement: Insert) -> dict[str, Any]:
    """Return the former logins with the one that a channel gives up, and without the one that it takes back."""
    login, before = CHANNELS.c.login, CHANNELS.c.former_logins
    others = func.array_remove(func.array_remove(before, login), statement.excluded.login)
    kept = func.array_append(others, login)
    return {"former_logins": case((login != statement.excluded.login, kept), else_=before)}


def _differs(statement: Insert, table: Table, columns: Sequence[str]) -> Any:
    """Return whether a row would change: thousands per snapshot would not, and must not be written."""
    return tuple_(*_filling(statement, table, columns).values()).is_distinct_from(
        tuple_(*[table.c[n] for n in columns])
    )


def _known_games(connection: Connection, service: str, wanted: Mapping[str, GameRecord]) -> dict[str, RowMapping]:
    """Return the rows of the games that the service has named before, by the service's ids."""
    rows = connection.execute(_KNOWN_GAMES, {"service": service, "external_ids": list(wanted)}).mappings()
    return {row["external_id"]: row for row in rows}


def _update_games(connection: Connection, games: Iterable[tuple[RowMapping, GameRecord]]) -> None:
    """Store box arts that are new; the name stays what the first service called the game, unless that was its id."""
    for row, record in games:
        values: dict[str, str] = {}
        if record.box_art_url is not None and record.box_art_url != row["box_art_url"]:
            values["box_art_url"] = record.box_art_url
        if record.named and row["name"] == record.external_id:
            values |= {"name": record.name, "name_key": name_key(record.name)}
        if values:
            connection.execute(GAMES.update().values(values).where(GAMES.c.id == row["game_id"]))


def _match_games_by_name(connection: Connection, service: str, records: Sequence[GameRecord]) -> Ids:
    keys = {record.external_id: {name_key(record.name), _id_as_name(record)} for record in records}
    linked = select(GAME_IDS.c.game_id).where(and_(GAME_IDS.c.service == service, GAME_IDS.c.game_id == GAMES.c.id))
    candidates = select(GAMES.c.name_key, func.min(GAMES.c.id)).where(
        GAMES.c.name_key == func.any([key for both in keys.values() for key in both]), ~linked.exists()
    )
    by_key = dict(connection.execute(candidates.group_by(GAMES.c.name_key)).all())
    matched: Ids = {}
    for external_id, both in keys.items():
        game_id = next((by_key[key] for key in sorted(both) if key in by_key), None)
        if game_id is not None and game_id not in matched.values():
            matched[external_id] = game_id
    return matched


def _id_as_name(record: GameRecord) -> str:
    return name_key(record.name if record.external_id.isdigit() else record.external_id)


def _create_games(connection: Connection, service: str, records: Sequence[GameRecord]) -> Ids:
    if not records:
        return {}
    rows = [
        {
            "name": record.name,
            "name_key": name_key(record.name),
            "public_id": public_id(service, record.external_id),
            "box_art_url": record.box_art_url,
        }
        for record in records
    ]
    statement = insert_rows(GAMES, tuple(rows[0])).returning(GAMES.c.public_id, GAMES.c.id)
    by_public_id: dict[str, int] = dict(execute_rows(connection, statement, rows).all())
    return {r.external_id: by_public_id[public_id(service, r.external_id)] for r in records}


def _link_games(connection: Connection, service: str, links: Ids) -> None:
    rows = [{"service": service, "external_id": key, "game_id": game_id} for key, game_id in links.items()]
    if rows:
        execute_rows(connection, insert_rows(GAME_IDS, tuple(rows[0])).on_conflict_do_nothing(), rows)
