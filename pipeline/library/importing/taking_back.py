"""Take back what settled lines have brought: their entries, playthroughs, what they said, and their places on lists."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from models import Game
from pipeline.games.store.links import games_of
from pipeline.library.records import Record
from pipeline.library.resolving import Resolved, title_of
from pipeline.library.shelf import key_of_through, played
from pipeline.library.store.entries import delete_entries, load_entries
from pipeline.library.store.imports import StoredLine
from pipeline.library.store.placings import note_meant_no_more
from pipeline.library.store.playthroughs import delete_throughs, load_throughs
from pipeline.library.store.states import delete_states, load_states

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


def _works_of(connection: Connection, resolved: Sequence[Resolved]) -> set[int]:
    ids = {each.game_id for each in resolved if each.game_id is not None}
    entries = {each.igdb_id for each in resolved if each.igdb_id is not None}
    ids |= {game_id for some in games_of(connection, entries).values() for game_id in some}
    return set(connection.scalars(_WORKS, {"ids": sorted(ids)}))
