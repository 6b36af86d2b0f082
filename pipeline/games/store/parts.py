"""Store the titles of an IGDB game, and its ids in shops and services."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Integer, Table, Text, bindparam, delete, func, select

from models import ExternalGame, GameTitle
from pipeline.database.copying import copy_rows
from pipeline.services.igdb.records import ExternalRecord, GameRecord, TitleRecord

TITLES: Table = GameTitle.__table__  # type: ignore[assignment]
EXTERNALS: Table = ExternalGame.__table__  # type: ignore[assignment]
_TITLE_COLUMNS = ("igdb_id", "key", "title", "kind", "words")
_EXTERNAL_COLUMNS = ("igdb_id", "source", "uid")
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_KNOWN_TITLES = (
    select(*[TITLES.c[name] for name in _TITLE_COLUMNS])
    .where(TITLES.c.igdb_id == func.any(_IDS))
    .order_by(TITLES.c.igdb_id)
)
_KNOWN_EXTERNALS = (
    select(*[EXTERNALS.c[name] for name in _EXTERNAL_COLUMNS])
    .where(EXTERNALS.c.igdb_id == func.any(_IDS))
    .order_by(EXTERNALS.c.igdb_id)
)
_OLD = (
    func.unnest(_IDS, bindparam("keys", type_=ARRAY(Text))).table_valued("igdb_id", "key", name="old").render_derived()
)
_TITLES_DROPPED = delete(TITLES).where(TITLES.c.igdb_id == _OLD.c.igdb_id, TITLES.c.key == _OLD.c.key)
_GONE = (
    func.unnest(_IDS, bindparam("sources", type_=ARRAY(Integer)), bindparam("uids", type_=ARRAY(Text)))
    .table_valued("igdb_id", "source", "uid", name="gone")
    .render_derived()
)
_EXTERNALS_DROPPED = delete(EXTERNALS).where(
    EXTERNALS.c.igdb_id == _GONE.c.igdb_id, EXTERNALS.c.source == _GONE.c.source, EXTERNALS.c.uid == _GONE.c.uid
)
# The part of a document that holds titles of a kind.
_FIELD_OF = {"name": "name", "slug": "slug", "localized": "game_localizations", "alternative": "alternative_names"}


def add_parts(connection: Connection, records: Iterable[GameRecord]) -> None:
    """Write the titles and outside ids of games that are new."""
    listed = list(records)
    copy_rows(
        connection,
        TITLES,
        _TITLE_COLUMNS,
        [row for record in listed for row in _title_rows(record.igdb_id, record.titles)],
    )
    copy_rows(
        connection,
        EXTERNALS,
        _EXTERNAL_COLUMNS,
        [row for record in listed for row in _external_rows(record.igdb_id, record.external_games)],
    )


def update_parts(connection: Connection, records: Sequence[GameRecord]) -> None:
    """Write the titles and outside ids of known games that differ; hidden ones stay."""
    ids = [record.igdb_id for record in records]
    _update_titles(connection, records, _by_game(connection.execute(_KNOWN_TITLES, {"ids": ids})))
    _update_externals(connection, records, _by_game(connection.execute(_KNOWN_EXTERNALS, {"ids": ids})))


def _by_game(rows: Iterable[Sequence[Any]]) -> dict[int, list[Sequence[Any]]]:
    return {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}


def _update_titles(
    connection: Connection, records: Iterable[GameRecord], known: dict[int, list[Sequence[Any]]]
) -> None:
    dropped: list[tuple[int, str]] = []
    added: list[tuple[Any, ...]] = []
    for record in records:
        wanted = {title.key: title for title in record.titles}
        for _, key, title, kind, words in known.get(record.igdb_id, ()):
            stored = TitleRecord(key, title, kind, tuple(words))
            if wanted.get(key) == stored:
                del wanted[key]
            elif key in wanted or _FIELD_OF[kind] not in record.untold:
                dropped.append((record.igdb_id, key))
        added += _title_rows(record.igdb_id, wanted.values())
    if dropped:
        connection.execute(
            _TITLES_DROPPED, dict(zip(("ids", "keys"), map(list, zip(*dropped, strict=True)), strict=True))
        )
    copy_rows(connection, TITLES, _TITLE_COLUMNS, added)


def _update_externals(
    connection: Connection, records: Iterable[GameRecord], known: dict[int, list[Sequence[Any]]]
) -> None:
    dropped: list[tuple[int, int, str]] = []
    added: list[tuple[Any, ...]] = []
    for record in records:
        stored = {ExternalRecord(source, uid) for _, source, uid in known.get(record.igdb_id, ())}
        listed = set(record.external_games)
        added += _external_rows(record.igdb_id, sorted(listed - stored))
        if "external_games" not in record.untold:
            dropped += [(record.igdb_id, gone.source, gone.uid) for gone in sorted(stored - listed)]
    if dropped:
        names = ("ids", "sources", "uids")
        connection.execute(_EXTERNALS_DROPPED, dict(zip(names, map(list, zip(*dropped, strict=True)), strict=True)))
    copy_rows(connection, EXTERNALS, _EXTERNAL_COLUMNS, added)


def _title_rows(igdb_id: int, titles: Iterable[TitleRecord]) -> Iterator[tuple[Any, ...]]:
    for title in titles:
        yield igdb_id, title.key, title.title, title.kind, title.words


def _external_rows(igdb_id: int, externals: Iterable[ExternalRecord]) -> Iterator[tuple[Any, ...]]:
    for external in externals:
        yield igdb_id, external.source, external.uid
