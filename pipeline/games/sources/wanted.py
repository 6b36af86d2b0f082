"""The source `igdb.wanted`: asks for games that are wanted when they are due, or when IGDB says that they changed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, select

from models import GameMetadata
from models.due import is_due
from pipeline.errors import InvalidItem
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import Time, utc
from pipeline.games.store.games import load_known
from pipeline.games.store.wanted import due_games, note_asked, want_what_runs, wanted_games
from pipeline.games.take_in import AppendNews, Clock, Intake, believed
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.igdb.apicalypse import MOST_QUERIES, MOST_ROWS, any_of, at_least, both, query
from pipeline.services.igdb.client import Igdb, Page, decode_rows
from pipeline.services.igdb.documents import split_documents
from pipeline.services.igdb.shapes import Id

# A newly wanted game waits no longer than this; most rounds find nothing due and ask for nothing.
POLL_EVERY = timedelta(seconds=45)
# How often IGDB is asked which of the wanted games changed, and how far back: it may list a change late.
LOOK_EVERY = timedelta(minutes=15)
LOOK_BACK = timedelta(minutes=30)
# Four requests, and about ten megabytes.
MOST_AT_ONCE = 4 * MOST_ROWS
GO_ON_AFTER = timedelta(seconds=1)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a round, with the ids that it asked for; `missing` are games that IGDB does not have."""

    igdb_ids: Sequence[int] = msgspec.field(name="asked")
    asked_at: datetime
    documents: Sequence[msgspec.Raw]
    missing: Sequence[int] = ()


class _Changed(msgspec.Struct):
    id: Id
    updated_at: int | None = None
    game: Id | None = None


_ROUND = msgspec.json.Decoder(Round)
_CHANGED = msgspec.json.Decoder(_Changed)


class IgdbWanted:
    """A source of rounds. `open_igdb` makes IGDB of a client, `clock` returns the present moment.

    A round asks for `most` games; if more are due, the next round follows at once.
    """

    name = "igdb.wanted"
    service: Literal["igdb"] = "igdb"
    asks = "igdb"

    def __init__(
        self,
        engine: Engine,
        open_igdb: Callable[[Client], Igdb],
        clock: Clock,
        append_news: AppendNews,
        *,
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._engine = engine
        self._open_igdb = open_igdb
        self._clock = clock
        self._append_news = append_news
        self._most = most

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the wanted games that are due, and for those that changed; raises `SourceError`."""
        now = self._clock()
        with self._engine.connect() as connection:
            ids = due_games(connection, now, self._most)
            wanted = wanted_games(connection)
        igdb = self._open_igdb(client)
        cursor = dict(validators.cursor)
        looked_at = _time(cursor.get("looked_at"))
        if looked_at is None or is_due(looked_at + LOOK_EVERY, now, LOOK_EVERY):
            cursor["looked_at"] = now.isoformat()
            if looked_at is not None:
                ids = self._with_changed(igdb, ids, wanted, min(looked_at, now) - LOOK_BACK)
        payload = msgspec.json.encode(ask_for(igdb, ids)) if ids else None
        wait = POLL_EVERY if len(ids) < self._most else GO_ON_AFTER
        return Answer(payload=payload, refresh_after=wait, validators=Validators(cursor=cursor))

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store the games of a round; a game that was not known before is no news."""
        want_what_runs(connection, now)
        if answer.payload is None:
            return Ingested(outcome="unchanged")
        fetched = _ROUND.decode(answer.payload)
        intake = Intake(
            connection=connection, source_id=row["id"], origin=self.name, append_news=self._append_news, now=now
        )
        gone = believed(fetched.missing, load_known(connection, fetched.igdb_ids))
        documents = split_documents(msgspec.json.encode(fetched.documents))
        taken = intake.take(documents, fetched.asked_at, silent=True, removed=gone)
        note_asked(connection, fetched.igdb_ids, now)
        return Ingested(
            outcome="ok" if taken.written else "unchanged",
            items=taken.listed,
            changed=taken.written,
            invalid=taken.set_aside,
            events=taken.events,
        )

    def _with_changed(self, igdb: Igdb, ids: Sequence[int], wanted: Sequence[int], since: datetime) -> list[int]:
        """Return the due games and those that changed, as many as one round takes."""
        changed = changed_games(igdb, wanted, since)
        with self._engine.connect() as connection:
            stored = select(GameMetadata.igdb_id, GameMetadata.updated_at).where(GameMetadata.igdb_id.in_(changed))
            known = {row[0]: row[1] for row in connection.execute(stored)}
        news = [key for key, at in changed.items() if at is None or key not in known or _seconds(known[key]) != at]
        return list(dict.fromkeys([*ids, *news]))[: self._most]


def ask_for(igdb: Igdb, ids: Collection[int]) -> Round:
    """Ask for games by their ids."""
    pages = list(igdb.games(ids))
    documents = [document for page in pages for document in page.documents.documents]
    listed = {document.igdb_id for document in documents}
    whole = all(page.whole for page in pages)
    return Round(
        igdb_ids=sorted(ids),
        asked_at=min(page.asked_at for page in pages),
        documents=[msgspec.Raw(document.raw) for document in documents] + _broken(pages),
        missing=sorted(set(ids) - listed) if whole else (),
    )


def changed_games(igdb: Igdb, ids: Sequence[int], since: datetime) -> dict[int, int | None]:
    """Return which of these games changed since, with IGDB's `updated_at`; None where one of their dates changed.

    One request looks at 2,500 games.
    """
    parts = [ids[start : start + MOST_ROWS] for start in range(0, len(ids), MOST_ROWS)]
    changed: dict[int, int | None] = {}
    for some in _by(parts, MOST_QUERIES // 2):
        for name, rows in igdb.several(_changes(some, since)).items():
            changes = decode_rows(rows, _CHANGED)
            if name.startswith("games"):
                changed |= {change.id: change.updated_at for change in changes}
            else:
                # More dates changed than one answer holds: any of the games may be meant.
                games = (
                    some[int(name.rpartition(" ")[2])]
                    if len(changes) == MOST_ROWS
                    else [change.game for change in changes]
                )
                changed |= dict.fromkeys(key for key in games if key is not None)
    return changed


def _changes(parts: Sequence[Sequence[int]], since: datetime) -> Mapping[str, tuple[str, str]]:
    after = at_least("updated_at", int(since.timestamp()))
    queries: dict[str, tuple[str, str]] = {}
    for nth, ids in enumerate(parts):
        games = query(("updated_at",), where=both(any_of("id", ids), after), limit=MOST_ROWS)
        dates = query(("game",), where=both(any_of("game", ids), after), limit=MOST_ROWS)
        queries |= {f"games {nth}": ("games", games), f"dates {nth}": ("release_dates", dates)}
    return queries


def _by(parts: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(parts), size):
        yield parts[start : start + size]


def _broken(pages: Iterable[Page]) -> list[msgspec.Raw]:
    return [msgspec.Raw(raw) for page in pages for raw, _ in page.documents.broken]


def _time(written: object) -> datetime | None:
    """Return a time of the cursor; None for one that cannot be read."""
    try:
        return utc(msgspec.convert(written, Time | None))
    except (msgspec.ValidationError, InvalidItem):
        return None


def _seconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp())
