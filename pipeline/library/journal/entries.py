"""Write which games a person has, by hand: add, hide, forget and bring back.

What a shop or a file said stays a row with a `removed_at`, so that no sync and no import brings it back.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Update, func, insert, select, update

from models import Game, LibraryEntry, Playthrough
from models.errors import UsageError
from pipeline.games.platforms import COMPUTERS
from pipeline.library.journal.games import GameOfWork
from pipeline.library.journal.states import EMPTY, HAND, load_state, write_state
from pipeline.library.journal.turns import end_writing
from pipeline.library.records import COMPUTER_STORES, Ownership, Store

HIDDEN = "hidden"
ELSEWHERE: Store = "other"
Outcome = Literal["added", "same", "changed", "restored"]


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """A game that a person says they have or wish for, and where."""

    game: GameOfWork
    store: Store = ELSEWHERE
    platform: str = ""
    ownership: Ownership = "owned"
    acquired_on: date | None = None


def add_entry(connection: Connection, person_id: int, addition: Addition, now: datetime) -> Outcome:
    """Write down that a person has a game, or wishes for it; belongs in a turn.

    A wish that they wrote down before comes true, and what they had removed is brought back.
    """
    game = addition.game
    known = _entries(connection, person_id, game.work_id)
    on_computers = not addition.platform and addition.store in COMPUTER_STORES
    if on_computers:
        # As imports write it; an export that comes back would add it a second time otherwise.
        addition = msgspec.structs.replace(addition, platform="PC")
    key = (addition.store, f"game/{_public_id(connection, game.game_id)}", addition.platform)
    same = next((row for row in known if (row.store, row.external_id, row.platform) == key), None)
    if same is None and on_computers:
        # Whichever computer it was said to run on: it is the one that they have from there.
        same = next((row for row in known if _is_for_computers(row, addition)), None)
        if same is not None:
            addition = msgspec.structs.replace(addition, platform=same.platform)
    wish = next((row for row in known if row.game_id == game.game_id and _is_wish_by_hand(row)), None)
    outcome: Outcome
    removed = [row.removed_at for row in known if row.removed_at is not None]
    if known and len(removed) == len(known):
        outcome = "restored"
        _restore(connection, person_id, game.work_id, max(removed))
        if same is not None:
            _rewrite(connection, same.id, addition)
    elif same is not None:
        is_same = same.ownership == addition.ownership and same.removed_at is None
        outcome = "same" if is_same else "changed"
        _rewrite(connection, same.id, addition)
    elif wish is not None and addition.ownership != "wished":
        outcome = "changed"
        _rewrite(connection, wish.id, addition)
    else:
        outcome = "added"
        _insert(connection, person_id, addition, key[1], now)
    _give_back_status(connection, person_id, game.work_id, now)
    end_writing(connection, person_id, [game.work_id], now)
    return outcome


def hide_work(connection: Connection, person_id: int, work_id: int, now: datetime) -> int:
    """Hide a work's entries, whatever machines say of them later; returns how many were shown before.

    Raises `UsageError` where the person has none of it.
    """
    return _mark(connection, person_id, work_id, LibraryEntry.hidden_at.is_(None), now, hidden_at=now)


def unhide_work(connection: Connection, person_id: int, work_id: int, now: datetime) -> int:
    """Show a work's entries again; returns how many were hidden. Raises `UsageError` where the person has none."""
    return _mark(connection, person_id, work_id, LibraryEntry.hidden_at.is_not(None), now, hidden_at=None)


def forget_work(connection: Connection, person_id: int, work_id: int, now: datetime) -> tuple[int, int]:
    """Take a work out of a person's library and journal; returns how many entries and playthroughs that took away.

    They stay as rows that are removed: no import and no sync brings them back, `add_entry` does, and with them the
    rating and the notes. Belongs in a turn.
    """
    entries = connection.execute(
        _of(person_id, work_id).where(LibraryEntry.removed_at.is_(None)).values(removed_at=now)
    ).rowcount
    playthroughs = connection.execute(
        _played(person_id, work_id).where(Playthrough.removed_at.is_(None)).values(removed_at=now)
    ).rowcount
    # That nothing is said of its status is a person's word from now on, or the next import would set one.
    state = load_state(connection, person_id, work_id) or {**EMPTY, "rating_scale": None, "set_by": {}}
    said = {**state, "status": None, "set_by": {**state["set_by"], "status": HAND}}
    write_state(connection, person_id, work_id, said, now)
    end_writing(connection, person_id, [work_id], now)
    return entries, playthroughs


def _is_for_computers(row: Any, addition: Addition) -> bool:
    return row.store == addition.store and row.game_id == addition.game.game_id and row.platform in COMPUTERS


def _give_back_status(connection: Connection, person_id: int, work_id: int, now: datetime) -> None:
    """Undo that nothing is to be said of a status, as `forget_work` wrote it."""
    state = load_state(connection, person_id, work_id)
    if state is not None and state["status"] is None and "status" in state["set_by"]:
        set_by = {field: whose for field, whose in state["set_by"].items() if field != "status"}
        write_state(connection, person_id, work_id, {**state, "set_by": set_by}, now)


def _restore(connection: Connection, person_id: int, work_id: int, removed_at: datetime) -> None:
    """Bring back what was removed at once the last time."""
    for statement, column in (
        (_of(person_id, work_id), LibraryEntry.removed_at),
        (_played(person_id, work_id), Playthrough.removed_at),
    ):
        connection.execute(statement.where(column == removed_at).values(removed_at=None))


def _mark(
    connection: Connection,
    person_id: int,
    work_id: int,
    condition: ColumnElement[bool],
    now: datetime,
    **values: datetime | None,
) -> int:
    if not any(row.removed_at is None for row in _entries(connection, person_id, work_id)):
        raise UsageError("there is no entry of it to hide: nothing but the journal or a rating speaks of it")
    live = _of(person_id, work_id).where(LibraryEntry.removed_at.is_(None))
    count = connection.execute(live.where(condition).values(**values)).rowcount
    # A file that says otherwise has no say from now on (pipeline/library/shelf.py).
    state = load_state(connection, person_id, work_id) or {**EMPTY, "rating_scale": None, "set_by": {}}
    write_state(connection, person_id, work_id, {**state, "set_by": {**state["set_by"], HIDDEN: HAND}}, now)
    end_writing(connection, person_id, [work_id], now)
    return count


def _of(person_id: int, work_id: int) -> Update:
    games = select(Game.id).where(Game.work_id == work_id)
    return update(LibraryEntry).where(LibraryEntry.person_id == person_id, LibraryEntry.game_id.in_(games))


def _played(person_id: int, work_id: int) -> Update:
    games = select(Game.id).where(Game.work_id == work_id)
    return update(Playthrough).where(Playthrough.person_id == person_id, Playthrough.game_id.in_(games))


def _entries(connection: Connection, person_id: int, work_id: int) -> Sequence[LibraryEntry]:
    query = (
        select(*LibraryEntry.__table__.c)
        .join(Game, Game.id == LibraryEntry.game_id)
        .where(Game.work_id == work_id, LibraryEntry.person_id == person_id)
        .order_by(LibraryEntry.id)
        .with_for_update(of=LibraryEntry)
    )
    return connection.execute(query).all()  # type: ignore[return-value]


def _is_wish_by_hand(row: LibraryEntry) -> bool:
    is_by_hand = row.source_id is None and row.import_id is None
    return is_by_hand and row.ownership == "wished" and row.removed_at is None


def _public_id(connection: Connection, game_id: int) -> str:
    return connection.scalars(select(Game.public_id).where(Game.id == game_id)).one()


def _rewrite(connection: Connection, entry_id: int, addition: Addition) -> None:
    values = {
        "store": addition.store,
        "platform": addition.platform,
        "ownership": addition.ownership,
        "acquired_on": func.coalesce(addition.acquired_on, LibraryEntry.acquired_on),
        "removed_at": None,
        "last_seen_at": None,
    }
    connection.execute(update(LibraryEntry).where(LibraryEntry.id == entry_id).values(**values))


def _insert(connection: Connection, person_id: int, addition: Addition, external_id: str, now: datetime) -> None:
    connection.execute(
        insert(LibraryEntry).values(
            person_id=person_id,
            game_id=addition.game.game_id,
            igdb_id=addition.game.igdb_id,
            store=addition.store,
            external_id=external_id,
            platform=addition.platform,
            title=addition.game.name,
            ownership=addition.ownership,
            acquired_on=addition.acquired_on,
            first_seen_at=now,
        )
    )
