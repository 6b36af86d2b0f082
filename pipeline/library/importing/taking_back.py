"""Take back what settled lines have brought: entries, playthroughs, what they said, places on lists, and events."""

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from models import Event, Game
from models.events import EventKind
from pipeline.events.append import append_events
from pipeline.events.withdrawing import withdraw_events
from pipeline.games.store.links import games_of
from pipeline.library.details import HAD, Happened, happened, key_of_finish, of_several
from pipeline.library.lines import key_of_through, played
from pipeline.library.records import Record
from pipeline.library.resolving import Resolved, title_of
from pipeline.library.store.entries import delete_entries, load_entries
from pipeline.library.store.imports import StoredLine, load_lines
from pipeline.library.store.placings import note_meant_no_more
from pipeline.library.store.playthroughs import delete_throughs, load_throughs
from pipeline.library.store.states import delete_states, load_states

_NAMES = select(Game.id, Game.name).where(Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
_WORKS = select(Game.work_id).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))), Game.work_id.is_not(None)
)


def take_back(
    connection: Connection, person_id: int, settled: Sequence[tuple[StoredLine, Record, Resolved]]
) -> set[int]:
    """Remove what lines alone have brought, by the answer that holds for them still; returns the works that it touched.

    What a person has edited stays. What files say of a work stays where the person has anything else of it.
    """
    works = _works_of(connection, [resolved for *_, resolved in settled])
    origins = {(line.import_id, line.waiting.line) for line, *_ in settled}
    entries = [
        stored
        for stored in load_entries(connection, person_id).values()
        if (stored.import_id, stored.import_line) in origins
    ]
    delete_entries(connection, [stored.id for stored in entries])
    works |= {stored.work_id for stored in entries if stored.work_id is not None}
    plain = {key_of_through(line.format, record, through) for line, record, _ in settled for through in played(record)}
    throughs = load_throughs(connection, person_id)
    brought = {
        key
        for stored in throughs
        if (key := stored.import_key) is not None and not stored.is_fixed and stored.work_id in works
        if not plain.isdisjoint({key, key.rpartition("#")[0]})
    }
    delete_throughs(connection, person_id, brought)
    _withdraw(connection, person_id, [line for line, *_ in settled], brought)
    note_meant_no_more(connection, person_id, works, {title_of(record) for _, record, _ in settled})
    left = {
        *(stored.work_id for stored in load_entries(connection, person_id).values()),
        *(stored.work_id for stored in throughs if stored.import_key not in brought),
    }
    states = load_states(connection, person_id)
    delete_states(
        connection,
        person_id,
        [work_id for work_id in works - left if work_id in states and not states[work_id].by_hand],
    )
    return works


def _withdraw(connection: Connection, person_id: int, lines: Sequence[StoredLine], brought: Collection[str]) -> None:
    """Take back what was made known as lines were settled; nobody was sent it, for a person knows what they answer.

    Of games that were settled at the same time and stay, it is made known again.
    """
    silent = (Event.person_id == person_id) & Event.silent
    keys = [key_of_finish(person_id, key) for key in brought]
    ids = set(connection.scalars(select(Event.id).where(silent, Event.event_key.in_(keys))))
    undone = {line.id for line in lines}
    others = [line for line in load_lines(connection, person_id) if line.settled_at is not None]
    again = []
    for origin, at in {(line.origin, line.settled_at) for line in lines if line.settled_at is not None}:
        added = (Event.kind == EventKind.LIBRARY_ADDED) & (Event.occurred_at == at)
        of_file = select(Event.id).where(silent, added, Event.detail["origin"].astext == origin)
        known = set(connection.scalars(of_file))
        ids |= known
        left = [line for line in others if (line.origin, line.settled_at) == (origin, at) and line.id not in undone]
        if known and left:
            again += of_several(
                EventKind.LIBRARY_ADDED, _brought_by(connection, person_id, left), person_id, origin, at
            )
    withdraw_events(connection, ids)
    for event in again:
        append_events(connection, [event], source_id=None, silent=True, now=event.occurred_at)


def _brought_by(connection: Connection, person_id: int, lines: Sequence[StoredLine]) -> list[Happened]:
    """Return the games that lines have brought, as their event has them."""
    origins = {(line.import_id, line.waiting.line) for line in lines}
    entries = {
        key: stored.facts.game_id
        for key, stored in load_entries(connection, person_id).items()
        if (stored.import_id, stored.import_line) in origins and stored.hidden_at is None
        if stored.facts.ownership in HAD
    }
    names: dict[int, str] = dict(connection.execute(_NAMES, {"ids": sorted(set(entries.values()))}).all())
    return [happened(key, game_id, names[game_id]) for key, game_id in entries.items()]


def _works_of(connection: Connection, resolved: Sequence[Resolved]) -> set[int]:
    ids = {each.game_id for each in resolved if each.game_id is not None}
    entries = {each.igdb_id for each in resolved if each.igdb_id is not None}
    ids |= {game_id for some in games_of(connection, entries).values() for game_id in some}
    return set(connection.scalars(_WORKS, {"ids": sorted(ids)}))
