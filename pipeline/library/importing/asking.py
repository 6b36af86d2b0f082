"""Ask IGDB for the games of a file that the catalogue lacks: before the transaction that takes the file in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine

from models.errors import LootwireError
from models.names import name_key
from pipeline.fetch.shapes import clean
from pipeline.games.finding.finder import ask_for, keep_answers
from pipeline.games.finding.names import LONGEST, GameName
from pipeline.games.mirror.state import is_kept
from pipeline.games.store.decisions import load_decisions
from pipeline.ingest.turn import take_turn
from pipeline.library.records import Record
from pipeline.library.resolving import SOURCES, Resolved, resolve, title_of
from pipeline.services.igdb.apicalypse import MOST_ROWS, any_of, both, query
from pipeline.services.igdb.client import Igdb, decode_rows
from pipeline.services.igdb.shapes import Id


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What IGDB answered, to be stored with the file; or in `problem` why it could not be asked."""

    rows: Sequence[msgspec.Raw] = ()
    asked_at: datetime | None = None
    problem: str | None = None


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How IGDB is asked: `open_igdb` is called where it has to be, `register` gives all sources their rows."""

    open_igdb: Callable[[], Igdb]
    register: Callable[[Connection], None]
    clock: Callable[[], datetime]

    def ask(self, engine: Engine, records: Iterable[Record], person_id: int, *, after: Sequence[Asked] = ()) -> Asked:
        """Ask for the games of lines that the catalogue does not surely have; nothing is stored yet.

        A mirror lacks only the games of the last hours, so that only ids and slugs are asked for that it does not know.
        With `after` the catalogue is taken to have what was answered before, too.
        """
        with engine.connect() as connection:
            if any(each.rows for each in after):
                take_turn(connection)
                for each in after:
                    self.keep(connection, each)
            # What is written here is gone with the connection.
            games, uids = _lacking(connection, [each for each in records if each.no_game is None], person_id)
            is_mirrored = is_kept(connection)
        if not games and not uids:
            return Asked()
        asked_at = self.clock()
        try:
            igdb = self.open_igdb()
            ids = dict.fromkeys(_ids_of(igdb, uids))
            named = [GameName(written=str(igdb_id), igdb_id=igdb_id) for igdb_id in ids]
            rows = list(ask_for(igdb, [*games, *named]))
            if not is_mirrored:
                rows += ask_for(igdb, list(_titles_of(games, rows)))
        except LootwireError as error:
            return Asked(problem=str(error))
        return Asked(rows=rows, asked_at=asked_at)

    def keep(self, connection: Connection, asked: Asked) -> None:
        """Store what IGDB answered, in the transaction that takes the file in, which has the turn to store."""
        if asked.rows and asked.asked_at is not None:
            self.register(connection)
            keep_answers(connection, asked.rows, asked.asked_at, self.clock())


class _External(msgspec.Struct):
    game: Id | None = None


class _Named(msgspec.Struct):
    id: Id
    slug: str | None = None


_EXTERNAL = msgspec.json.Decoder(_External)
_NAMED = msgspec.json.Decoder(_Named)


def _lacking(
    connection: Connection, records: Sequence[Record], person_id: int
) -> tuple[list[GameName], dict[str, set[str]]]:
    """Return what to ask IGDB for: games by id, slug or title, and the ids of shops."""
    if is_kept(connection):
        # Titles need not be matched to see which ids are unknown.
        records = [record for record in records if record.igdb_id is not None or record.igdb_slug]
    if not records:
        return [], {}
    resolved = resolve(connection, records, load_decisions(connection, person_id))
    is_mirrored = is_kept(connection)
    games: dict[GameName, None] = {}
    uids: dict[str, set[str]] = {}
    for record, each in zip(records, resolved, strict=True):
        may_be_better = _is_by_our_name(each) or _is_by_another_title(record, each)
        if each.verdict in {"sure", "skip"} and not may_be_better and not _is_by_title(record, each):
            continue
        if record.igdb_id is not None or record.igdb_slug:
            games[GameName(written=record.written, igdb_id=record.igdb_id, slug=record.igdb_slug)] = None
        elif not is_mirrored and (each.verdict != "sure" or may_be_better):
            if record.store in SOURCES and record.external_id:
                uids.setdefault(str(record.store), set()).add(record.external_id)
            games[GameName(written=" ".join((clean(title_of(record)) or "").split())[:LONGEST])] = None
    return [game for game in games if game.written], uids


def _is_by_title(record: Record, resolved: Resolved) -> bool:
    """Return whether a line that names an entry was matched by its title all the same: the catalogue lacks that."""
    named = record.igdb_id is not None or bool(record.igdb_slug)
    return named and not resolved.is_decided and resolved.why not in {"by its id", "by its slug"}


def _is_by_our_name(resolved: Resolved) -> bool:
    """Return whether a line means one of our games that has no entry: IGDB may not have been asked for that yet."""
    return resolved.game_id is not None and not resolved.is_decided


def _is_by_another_title(record: Record, resolved: Resolved) -> bool:
    """Return whether a line was matched with an entry that is called otherwise: IGDB may have a better one.

    Which of them the catalogue has by now depends on what was asked before.
    """
    by_title = resolved.igdb_id is not None and not resolved.is_decided and not resolved.why.startswith("by its ")
    return by_title and name_key(resolved.name or "") != name_key(title_of(record))


def _titles_of(games: Iterable[GameName], rows: Sequence[msgspec.Raw]) -> Iterator[GameName]:
    """Yield the titles of games whose id or slug IGDB does not have, or not any more: the title may still say it."""
    answered = list(decode_rows(rows, _NAMED))
    ids, slugs = {row.id for row in answered}, {row.slug for row in answered}
    for game in games:
        is_named = game.igdb_id is not None or game.slug is not None
        slug = game.slug.lower() if game.slug is not None else None
        if is_named and game.igdb_id not in ids and (slug is None or slug not in slugs):
            yield GameName(written=game.written)


def _ids_of(igdb: Igdb, uids: dict[str, set[str]]) -> Iterator[int]:
    """Yield the entries that IGDB lists under the ids of shops."""
    for store, some in sorted(uids.items()):
        listed = sorted(some)
        for start in range(0, len(listed), MOST_ROWS):
            where = both(
                any_of("external_game_source", SOURCES[store]), any_of("uid", listed[start : start + MOST_ROWS])
            )
            rows = igdb.rows("external_games", query(("game",), where=where, limit=MOST_ROWS))
            yield from (row.game for row in decode_rows(rows, _EXTERNAL) if row.game is not None)
