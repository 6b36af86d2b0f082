"""The source `igdb.mirror`: keeps a complete mirror fresh with the games that IGDB updated, some pages a round."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

import msgspec
from sqlalchemy import Connection, RowMapping

from pipeline.fetch.http import Client
from pipeline.games.mirror.state import MIRROR, SWEEP_EVERY, MirrorState, read_state
from pipeline.games.take_in import AppendNews, Clock, Intake
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.igdb.apicalypse import Condition, at_least
from pipeline.services.igdb.client import Igdb, Page, decode_rows
from pipeline.services.igdb.documents import split_documents
from pipeline.services.igdb.shapes import GAME_FIELDS, Id

# IGDB may list a change some time after the moment that it is dated to.
LOOK_BACK = timedelta(hours=1)
# Twenty megabytes, and a minute of a slow IGDB; more changes take more rounds, one after the other.
PAGES_AT_ONCE = 8
GO_ON_AFTER = timedelta(seconds=1)


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a round; `asked_at` is when its first request was sent."""

    asked_at: datetime
    documents: list[msgspec.Raw]


class _Date(msgspec.Struct):
    game: Id | None = None


_DATE = msgspec.json.Decoder(_Date)
_SWEPT = msgspec.json.Decoder(Swept)


class IgdbMirror:
    """A source of rounds of `pages`, once the mirror is complete. New games are news, unlike in the first pass."""

    name = MIRROR
    service: Literal["igdb"] = "igdb"
    asks = "igdb"

    def __init__(
        self, open_igdb: Callable[[Client], Igdb], clock: Clock, append_news: AppendNews, *, pages: int = PAGES_AT_ONCE
    ) -> None:
        self._open_igdb = open_igdb
        self._clock = clock
        self._append_news = append_news
        self._pages = pages

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the games that changed since the last sweep; raises `SourceError`."""
        now, state = self._clock(), read_state(validators.cursor)
        if state.swept_to is None:
            # No pass has been completed: there is nothing to keep fresh.
            return Answer(payload=None, refresh_after=SWEEP_EVERY, validators=validators)
        igdb = self._open_igdb(client)
        since = at_least("updated_at", int((min(state.swept_to, now) - LOOK_BACK).timestamp()))
        read = _games_of_dates if state.sweep_dates else _games
        swept, more = read(igdb, since, state.sweep_after, self._pages, now)
        state, over = moved(state, more, now)
        return Answer(
            payload=msgspec.json.encode(swept),
            refresh_after=SWEEP_EVERY if over else GO_ON_AFTER,
            validators=Validators(cursor=state.cursor()),
        )

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store the games of a round."""
        if answer.payload is None:
            return Ingested(outcome="unchanged")
        swept = _SWEPT.decode(answer.payload)
        intake = Intake(
            connection=connection, source_id=row["id"], origin=self.name, append_news=self._append_news, now=now
        )
        taken = intake.take(split_documents(msgspec.json.encode(swept.documents)), swept.asked_at, silent=False)
        return Ingested(
            outcome="ok" if taken.written else "unchanged",
            items=taken.listed,
            changed=taken.written,
            invalid=taken.set_aside,
            events=taken.events,
        )


def moved(state: MirrorState, more: int | None, now: datetime) -> tuple[MirrorState, bool]:
    """Return the state after a round, and whether the sweep is over: it reads the games, then their dates."""
    began_at = min(state.sweep_began_at or now, now)
    if more is not None:
        return msgspec.structs.replace(state, sweep_began_at=began_at, sweep_after=more), False
    if not state.sweep_dates:
        return msgspec.structs.replace(state, sweep_began_at=began_at, sweep_after=0, sweep_dates=True), False
    over = msgspec.structs.replace(state, swept_to=began_at, sweep_began_at=None, sweep_after=0, sweep_dates=False)
    return over, True


def _games(igdb: Igdb, since: Condition, after: int, pages: int, now: datetime) -> tuple[Swept, int | None]:
    """Return the games that changed, and the id behind which the next round goes on; None at the end."""
    documents, more = list[msgspec.Raw](), after
    for page in islice(igdb.pages("games", GAME_FIELDS, since, after), pages):
        documents += _rows(page)
        if page.more is None:
            return Swept(asked_at=now, documents=documents), None
        more = page.more
    return Swept(asked_at=now, documents=documents), more


def _games_of_dates(igdb: Igdb, since: Condition, after: int, pages: int, now: datetime) -> tuple[Swept, int | None]:
    """Return the games whose release dates changed, and the id behind which the next round goes on; None at the end.

    IGDB does not say whether such a game counts as updated.
    """
    more: int | None = after
    ids = set[int]()
    for page in islice(igdb.pages("release_dates", ("game",), since, after), max(pages // 2, 1)):
        ids |= {date.game for date in decode_rows(_rows(page), _DATE) if date.game is not None}
        more = page.more
    documents = [row for page in igdb.games(ids) for row in _rows(page)]
    return Swept(asked_at=now, documents=documents), more


def _rows(page: Page) -> list[msgspec.Raw]:
    broken = [raw for raw, _ in page.documents.broken]
    return [msgspec.Raw(raw) for raw in (*(document.raw for document in page.documents.documents), *broken)]
