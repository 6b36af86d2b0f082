"""Give a library away: what is stored of each work, and the lines of a file that say it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from models import GameList, GameListEntry, GameState, Work
from pipeline.library.formats.own import export_lines
from pipeline.library.listing.pages import Entry, Through, load_entries, load_playthroughs
from pipeline.library.listing.works import ListedWork, load_works
from pipeline.library.records import ListRecord, Placing, PlaythroughRecord, Record

# Columns of what somebody said of a work, by the fields of a line that hold them.
_SAID = {
    **{name: name for name in ("status", "rating", "rating_scale", "notes", "series", "genres", "cover_url")},
    "own_name": "name",
    "own_year": "year",
}


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A work with all that an export holds of it; `said` is what somebody said of it, and not what follows.

    `title` is what the work is called, whatever its person calls it; `said` goes by the fields of `Record`.
    """

    work: ListedWork
    title: str
    entries: list[Entry]
    throughs: list[Through]
    placings: list[Placing]
    said: Mapping[str, Any]


def load_exported(connection: Connection, person_id: int) -> tuple[list[Exported], list[ListRecord]]:
    """Return a person's whole library, by name, and their lists; what they forgot is not in it."""
    entries: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in load_entries(connection, person_id):
        if entry.removed_at is None:
            entries[entry.work_id].append(entry)
    throughs: defaultdict[int, list[Through]] = defaultdict(list)
    for through in load_playthroughs(connection, person_id):
        throughs[through.work_id].append(through)
    states = select(GameState.work_id, *(getattr(GameState, column).label(field) for field, column in _SAID.items()))
    said = {
        row["work_id"]: {**row, "genres": tuple(row["genres"] or ())}
        for row in connection.execute(states.where(GameState.person_id == person_id)).mappings()
    }
    works = load_works(connection, person_id)
    ids = bindparam("ids", type_=ARRAY(BigInteger))
    titles: dict[int, str] = dict(
        connection.execute(
            select(Work.id, Work.name).where(Work.id == func.any(ids)), {"ids": [work.work_id for work in works]}
        ).all()
    )
    placings, lists = _lists(connection, person_id)
    exported = [
        Exported(
            work=work,
            title=titles[work.work_id],
            entries=entries[work.work_id],
            throughs=sorted(throughs[work.work_id], key=lambda through: through.id),
            placings=placings[work.work_id],
            said=said.get(work.work_id, {}),
        )
        for work in works
    ]
    return sorted(exported, key=lambda each: (each.work.name.casefold(), each.work.work_id)), lists


def as_lines(exported: Iterable[Exported], lists: Iterable[ListRecord]) -> Iterator[bytes]:
    """Yield a library as our own lines of JSON, which `lootwire library import` reads back as they are."""
    records = [record for each in exported for record in records_of(each)]
    return export_lines(records, lists)


def records_of(exported: Exported) -> list[Record]:
    """Return a work as the lines of a file: one for each entry, and one for an edition that was only played. Pure.

    What is said of the work as a whole is on the first of them.
    """
    editions: list[Record] = [_record_of(entry, exported) for entry in exported.entries]
    for through in exported.throughs:
        edition = through.igdb_id or exported.work.igdb_id
        if not any(record.igdb_id == edition for record in editions):
            editions.append(Record(line=0, written=exported.title, igdb_id=edition))
    if not editions:
        editions.append(Record(line=0, written=exported.title, igdb_id=exported.work.igdb_id))
    return [_with_more(record, exported, editions, number) for number, record in enumerate(editions)]


def _with_more(record: Record, exported: Exported, editions: Sequence[Record], number: int) -> Record:
    work = exported.work
    is_first_of_it = all(other.igdb_id != record.igdb_id for other in editions[:number])
    mine = [each for each in exported.throughs if (each.igdb_id or work.igdb_id) == record.igdb_id]
    record = msgspec.structs.replace(record, playthroughs=tuple(map(playthrough_of, mine)) if is_first_of_it else ())
    if number:
        return record
    return msgspec.structs.replace(
        record,
        **{name: exported.said[name] for name in _SAID if name in exported.said},
        is_favourite=work.is_favourite,
        tags=tuple(work.tags),
        placings=tuple(exported.placings),
    )


def _record_of(entry: Entry, exported: Exported) -> Record:
    work = exported.work
    is_ours = entry.external_id.startswith("game/")
    return Record(
        line=0,
        written=entry.title,
        igdb_id=entry.igdb_id or work.igdb_id,
        year=work.year if work.igdb_id is None and exported.said.get("own_year") is None else None,
        store=entry.store,  # type: ignore[arg-type] # the column holds no other
        external_id=None if is_ours else entry.external_id,
        platforms=(entry.platform,) if entry.platform else (),
        ownership=entry.ownership,  # type: ignore[arg-type] # the column holds no other
        acquired_on=entry.acquired_on,
        playtime_seconds=entry.playtime_seconds,
        last_played_at=entry.last_played_at,
        is_hidden=entry.hidden_at is not None,
    )


def playthrough_of(through: Through) -> PlaythroughRecord:
    """Return a playthrough as a line has it; its key tells this journal, to which it may come back."""
    values = {name: getattr(through, name) for name in PlaythroughRecord.__struct_fields__ if name != "key"}
    return PlaythroughRecord(key=through.import_key or f"playthrough/{through.id}", **values)


def _lists(connection: Connection, person_id: int) -> tuple[defaultdict[int, list[Placing]], list[ListRecord]]:
    """Return the places of works on a person's lists, and these lists."""
    rows = connection.execute(
        select(GameList.name, GameList.ranked, GameList.description, GameList.wants)
        .where(GameList.person_id == person_id)
        .order_by(GameList.name)
    )
    lists = [ListRecord(**row) for row in rows.mappings()]
    places = connection.execute(
        select(GameListEntry.work_id, GameList.name, GameListEntry.position)
        .join(GameList, GameList.id == GameListEntry.list_id)
        .where(GameList.person_id == person_id, GameListEntry.work_id.is_not(None))
        .order_by(GameList.name, GameListEntry.position)
    )
    placings: defaultdict[int, list[Placing]] = defaultdict(list)
    for work_id, name, place in places:
        placings[work_id or 0].append(Placing(name=name, place=place))
    return placings, lists
