"""A person's words for what a shop's id or a title means: kept for ever, asked by imports, syncs, lists and scans."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from models import Game, LibraryImport, TitleDecision
from models.names import name_key, public_id
from pipeline.games.platforms import called_all
from pipeline.games.store.links import Link, link

OWN = "own"
# So many bytes of an import's digest are that of its file; what follows says by which program it was read.
OF_CONTENT = 24


class DecisionKey(NamedTuple):
    """What a decision is about: a shop's id, or a title with a platform and a year where the line had them."""

    store: str = ""
    external_id: str = ""
    name_key: str = ""
    platform_key: str = ""
    year: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says: it `is` an entry of IGDB, our `own` game that IGDB lacks, or to `skip`: no game of theirs."""

    verdict: Literal["is", "own", "skip"]
    igdb_id: int | None = None
    game_id: int | None = None


class Decisions(msgspec.Struct, frozen=True):
    """All decisions of a person."""

    answers: Mapping[DecisionKey, Answer]

    def find(
        self,
        title: str,
        *,
        platforms: Iterable[str] = (),
        year: int | None = None,
        store: str = "",
        external_id: str = "",
    ) -> Answer | None:
        """Return the answer for a game: by its shop's id, or by its title, the more precise one first."""
        if not self.answers:
            return None
        by_store = self.answers.get(DecisionKey(store=store, external_id=external_id)) if external_id else None
        if by_store is not None:
            return by_store
        exact = key_of_title(title, platforms, year)
        wider = (exact, exact._replace(year=0), exact._replace(platform_key=""))
        keys = dict.fromkeys([*wider, exact._replace(platform_key="", year=0)])
        return next((self.answers[key] for key in keys if key in self.answers), None)


def key_of_title(title: str, platforms: Iterable[str] = (), year: int | None = None) -> DecisionKey:
    """Return the key of a title; of several platforms none is meant more than another."""
    known = called_all(platforms)
    return DecisionKey(
        name_key=name_key(title), platform_key=name_key(known[0]) if len(known) == 1 else "", year=year or 0
    )


def key_of(
    title: str, *, platforms: Iterable[str] = (), year: int | None = None, store: str = "", external_id: str = ""
) -> DecisionKey:
    """Return what a decision on a game is kept under: its shop's id where it has one, and else its title."""
    if store and external_id:
        return DecisionKey(store=store, external_id=external_id)
    return key_of_title(title, platforms, year)


def load_decisions(connection: Connection, person_id: int) -> Decisions:
    """Return a person's decisions."""
    query = select(
        *(getattr(TitleDecision, name) for name in DecisionKey._fields),
        TitleDecision.verdict,
        TitleDecision.igdb_id,
        TitleDecision.game_id,
    ).where(TitleDecision.person_id == person_id)
    return Decisions(
        {
            DecisionKey(*row[:5]): Answer(verdict=row.verdict, igdb_id=row.igdb_id, game_id=row.game_id)
            for row in connection.execute(query)
        }
    )


def decide(connection: Connection, person_id: int, key: DecisionKey, answer: Answer, now: datetime) -> None:
    """Keep a person's answer, in place of an earlier one on the same."""
    values = msgspec.structs.asdict(answer) | {"made_at": now}
    row = upsert(TitleDecision).values(person_id=person_id, **key._asdict(), **values)
    keys = ["person_id", *DecisionKey._fields]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
    _look_again(connection, person_id)


def forget(connection: Connection, person_id: int, key: DecisionKey) -> bool:
    """Take back what a person said of something; False where nothing was said."""
    is_it = [getattr(TitleDecision, name) == value for name, value in key._asdict().items()]
    gone = connection.execute(delete(TitleDecision).where(TitleDecision.person_id == person_id, *is_it)).rowcount
    _look_again(connection, person_id)
    return bool(gone)


def _look_again(connection: Connection, person_id: int) -> None:
    """Have files that come again be read again, though they are the same: their lines may mean other games now."""
    its = (LibraryImport.person_id == person_id) & (LibraryImport.finished_at.is_not(None))
    connection.execute(update(LibraryImport).where(its).values(digest=func.substr(LibraryImport.digest, 1, OF_CONTENT)))


def own_game(connection: Connection, title: str, year: int | None, now: datetime) -> int:
    """Return our own game of a title that IGDB lacks, which is made where it is not there yet.

    It has the same public id in every database. Belongs in a transaction that took the turn to store.
    """
    shown = " ".join(title.split())
    ours = public_id(OWN, name_key(shown), str(year or ""))
    known = connection.scalar(select(Game.id).where(Game.public_id == ours, Game.name_key == name_key(shown)))
    if known is not None:
        return known
    row = {"name": shown, "name_key": name_key(shown), "public_id": ours}
    game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
    # So that nobody looks for it at IGDB again.
    link(connection, [Link(game_id=game_id, igdb_id=None, how="hand", confidence=1.0, pinned_at=now)])
    return game_id
