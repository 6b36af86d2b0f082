"""Store IGDB's documents: one read of digests where nothing changed, COPY for new games, as few rows as can be else.

A document is a whole. All are asked for with one list of fields and IGDB leaves out what it does not have, so what is
absent is gone, unlike in the rows of other sources: a date that was taken back must not stay. Only what a document
hides (bare ids) or what could not be read (`untold`) keeps its stored value.
"""

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Table, Update, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import Insert

from models import GameMetadata, Platform
from models.locks import hashed_key, lock_transaction
from pipeline.database.bulk import as_bytea, execute_rows, insert_rows, rows_as_table
from pipeline.database.copying import Json, copy_rows
from pipeline.errors import InvalidItem
from pipeline.games.records import StoredRelease
from pipeline.games.store.parts import add_parts, update_parts
from pipeline.games.store.releases import add_releases, load_releases, update_releases
from pipeline.services.igdb.documents import Document
from pipeline.services.igdb.parse import parse_game
from pipeline.services.igdb.records import Fault, GameRecord, ParsedGame, PlatformRecord
from pipeline.services.igdb.titles import title_key

GAMES: Table = GameMetadata.__table__  # type: ignore[assignment]
PLATFORMS: Table = Platform.__table__  # type: ignore[assignment]
IDS = ARRAY(BigInteger)
# The fields of a record that its row calls the same.
_RECORD_FIELDS = (
    *("name", "slug", "url", "summary", "game_type", "game_status", "parent_igdb_id", "version_parent_igdb_id"),
    *("first_release_at", "updated_at", "cover_id", "rating", "rating_count"),
    *("genres", "themes", "modes", "franchises", "collections", "companies", "platforms"),
)
_COLUMNS = ("igdb_id", "name_key", "synced_at", "digest", "raw", *_RECORD_FIELDS)
# Two workers that store at once would insert the same game.
_STORING = hashed_key("lootwire igdb")


class KnownGame(msgspec.Struct, frozen=True, kw_only=True):
    """A stored game as it was before a document changed it."""

    igdb_id: int
    game_id: int | None
    name: str
    game_type: int | None
    game_status: int | None
    parent_igdb_id: int | None
    version_parent_igdb_id: int | None
    franchises: list[str]
    collections: list[str]
    first_release_at: datetime | None
    synced_at: datetime
    removed_at: datetime | None
    digest: bytes


class StoredGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game that was written; `before` is None for one that was not known. Releases include those no longer listed."""

    record: GameRecord
    before: KnownGame | None = None
    releases_before: tuple[StoredRelease, ...] = ()
    releases_after: tuple[StoredRelease, ...] = ()


class StoredGames(msgspec.Struct, kw_only=True):
    """The outcome of storing a batch of documents.

    `late` were asked for before what is stored, and dropped; `refused` (id, reason) could not be read at all;
    `faults` (id, part) were left out of games that landed. `old_names` counts documents by names that IGDB took away.
    """

    added: list[StoredGame] = []
    changed: list[StoredGame] = []
    unchanged: int = 0
    late: int = 0
    refused: list[tuple[int, str]] = []
    faults: list[tuple[int, Fault]] = []
    old_names: Counter[str] = msgspec.field(default_factory=Counter)


_DIGESTS = select(GAMES.c.igdb_id, GAMES.c.digest).where(
    GAMES.c.igdb_id == func.any(bindparam("ids", type_=IDS)), GAMES.c.removed_at.is_(None)
)
_KNOWN = select(*[GAMES.c[name] for name in KnownGame.__struct_fields__]).where(
    GAMES.c.igdb_id == func.any(bindparam("ids", type_=IDS))
)
_STORED = select(GAMES.c.igdb_id, *[GAMES.c[name] for name in _RECORD_FIELDS]).where(
    GAMES.c.igdb_id == func.any(bindparam("ids", type_=IDS))
)
_BETWEEN = select(GAMES.c.igdb_id).where(
    GAMES.c.igdb_id > bindparam("after"), GAMES.c.igdb_id <= bindparam("until"), GAMES.c.removed_at.is_(None)
)


def store_games(connection: Connection, documents: Iterable[Document], asked_at: datetime) -> StoredGames:
    """Store documents that were asked for at `asked_at`; returns the changes, with release dates before and after.

    Nothing is written where nothing differs. A document that was asked for before the stored one, or before the game
    was removed, changes nothing, and one without a name is refused. Workers that store at once wait for each other.
    """
    by_id = {document.igdb_id: document for document in documents}
    digests = _digests(connection, by_id)
    differing = [document for key, document in sorted(by_id.items()) if digests.get(key) != document.digest]
    result = StoredGames(unchanged=len(by_id) - len(differing))
    if not differing:
        return result
    lock_transaction(connection, _STORING)
    known = load_known(connection, [document.igdb_id for document in differing])
    new = [document for document in differing if document.igdb_id not in known]
    old = [document for document in differing if document.igdb_id in known]
    result.added = _add(connection, new, asked_at, result)
    result.changed = _change(connection, old, known, asked_at, result)
    return result


def remove_games(connection: Connection, igdb_ids: Collection[int], asked_at: datetime) -> list[KnownGame]:
    """Record that IGDB no longer has these games; returns those of them that it had until now.

    `asked_at` is when the question was asked whose answer lacks them: a game that was seen later stays.
    """
    lock_transaction(connection, _STORING)
    stored = load_known(connection, igdb_ids).values()
    gone = [known for known in stored if known.removed_at is None and known.synced_at <= asked_at]
    connection.execute(
        GAMES.update().values(removed_at=asked_at).where(GAMES.c.igdb_id == func.any([known.igdb_id for known in gone]))
    )
    return gone


def known_ids_between(connection: Connection, after: int, until: int) -> set[int]:
    """Return the ids above `after`, up to and with `until`, of games that IGDB had when they were last seen.

    Those of them that a complete page of all games in that range does not hold are gone.
    """
    return set(connection.scalars(_BETWEEN, {"after": after, "until": until}))


def load_known(connection: Connection, igdb_ids: Collection[int]) -> dict[int, KnownGame]:
    """Return the stored ones of these games, by id."""
    names = KnownGame.__struct_fields__
    rows = connection.execute(_KNOWN, {"ids": list(igdb_ids)})
    return {row[0]: KnownGame(**dict(zip(names, row, strict=True))) for row in rows}


def store_platforms(connection: Connection, records: Iterable[PlatformRecord]) -> None:
    """Insert or update platforms, where they differ; what a record leaves out stays."""
    by_id: dict[int, PlatformRecord] = {}
    for record in records:
        by_id.setdefault(record.igdb_id, record)
    if by_id:
        names = PlatformRecord.__struct_fields__
        execute_rows(
            connection, _platforms_upserted(names), [msgspec.structs.asdict(record) for record in by_id.values()]
        )


@functools.cache
def _platforms_upserted(names: tuple[str, ...]) -> Insert:
    statement = insert_rows(PLATFORMS, names)
    values = {name: func.coalesce(statement.excluded[name], PLATFORMS.c[name]) for name in names if name != "igdb_id"}
    return statement.on_conflict_do_update(
        index_elements=[PLATFORMS.c.igdb_id],
        set_=values,
        where=func.row(*values.values()).is_distinct_from(func.row(*[PLATFORMS.c[name] for name in values])),
    )


def _digests(connection: Connection, igdb_ids: Iterable[int]) -> dict[int, bytes]:
    return {row[0]: row[1] for row in connection.execute(_DIGESTS, {"ids": list(igdb_ids)})}


def _parsed(document: Document, result: StoredGames) -> ParsedGame | None:
    try:
        game = parse_game(document.raw)
    except InvalidItem as error:
        result.refused.append((document.igdb_id, str(error)))
        return None
    if game.record.name is None:
        result.refused.append((document.igdb_id, "`name` is missing"))
        return None
    result.faults += [(document.igdb_id, fault) for fault in game.faults]
    result.old_names.update(game.old_names)
    return game


def _add(
    connection: Connection, documents: Sequence[Document], asked_at: datetime, result: StoredGames
) -> list[StoredGame]:
    records: list[GameRecord] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        # Read on the way out: the server writes one game while we read the next.
        for document in documents:
            game = _parsed(document, result)
            if game is not None:
                records.append(game.record)
                yield _values(game, document.digest, asked_at)

    copy_rows(connection, GAMES, _COLUMNS, rows())
    add_parts(connection, records)
    store_platforms(connection, _platforms(records))
    releases = add_releases(connection, records, asked_at)
    return [StoredGame(record=record, releases_after=releases[record.igdb_id]) for record in records]


def _platforms(records: Iterable[GameRecord]) -> Iterator[PlatformRecord]:
    return (platform for record in records for platform in record.platform_records)


def _values(game: ParsedGame, digest: bytes, asked_at: datetime) -> tuple[Any, ...]:
    record = game.record
    return (
        record.igdb_id,
        title_key(record.name or ""),
        asked_at,
        digest,
        Json(game.raw),
        *[getattr(record, name) for name in _RECORD_FIELDS],
    )


def _change(
    connection: Connection,
    documents: Iterable[Document],
    known: Mapping[int, KnownGame],
    asked_at: datetime,
    result: StoredGames,
) -> list[StoredGame]:
    fresh = [document for document in documents if _is_fresh(document, known[document.igdb_id], asked_at, result)]
    games = [game for document in fresh if (game := _parsed(document, result)) is not None]
    if not games:
        return []
    digests = {document.igdb_id: document.digest for document in fresh}
    whole = _filled(connection, games)
    rows = [dict(zip(_COLUMNS, _values(game, digests[game.record.igdb_id], asked_at), strict=True)) for game in whole]
    for row in rows:
        row |= {"digest": as_bytea(row["digest"]), "raw": msgspec.Raw(row["raw"].text)}
    execute_rows(connection, _updated(_COLUMNS), rows)
    records = [game.record for game in whole]
    update_parts(connection, records)
    store_platforms(connection, _platforms(records))
    before = load_releases(connection, [record.igdb_id for record in records])
    after = update_releases(connection, records, before, asked_at)
    return [
        StoredGame(
            record=record,
            before=known[record.igdb_id],
            releases_before=before.get(record.igdb_id, ()),
            releases_after=after[record.igdb_id],
        )
        for record in records
    ]


def _is_fresh(document: Document, known: KnownGame, asked_at: datetime, result: StoredGames) -> bool:
    """Whether to write a document over the stored game; if not, count it."""
    if max(known.synced_at, known.removed_at or known.synced_at) > asked_at:
        result.late += 1
        return False
    if known.digest == document.digest and known.removed_at is None:
        # Another worker was faster.
        result.unchanged += 1
        return False
    return True


@functools.cache
def _updated(names: tuple[str, ...]) -> Update:
    rows = rows_as_table(GAMES, names).subquery()
    values = {name: rows.c[name] for name in names if name != "igdb_id"}
    return update(GAMES).values(values | {"removed_at": None}).where(GAMES.c.igdb_id == rows.c.igdb_id)


def _filled(connection: Connection, games: Sequence[ParsedGame]) -> list[ParsedGame]:
    """Return the games, with the stored values of the fields that their documents hide."""
    lacking = [game.record.igdb_id for game in games if not game.record.untold.isdisjoint(_RECORD_FIELDS)]
    if not lacking:
        return list(games)
    stored = {row[0]: row[1:] for row in connection.execute(_STORED, {"ids": lacking})}
    return [_filled_game(game, stored.get(game.record.igdb_id)) for game in games]


def _filled_game(game: ParsedGame, stored: Sequence[Any] | None) -> ParsedGame:
    if stored is None:
        return game
    kept = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in zip(_RECORD_FIELDS, stored, strict=True)
        if name in game.record.untold
    }
    return msgspec.structs.replace(game, record=msgspec.structs.replace(game.record, **kept))
