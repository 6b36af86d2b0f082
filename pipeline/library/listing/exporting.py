"""Give a library away: as our own lines of JSON, as a table, or as other trackers read it.

What Yamtrack and Grouvee cannot hold is written into the notes: a year that is no day, a status that they lack.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from models import GameList, GameListEntry, GameState
from models.periods import read_period
from pipeline.library.formats.own import export_lines
from pipeline.library.listing.pages import Entry, Through, load_entries, load_playthroughs
from pipeline.library.listing.works import ListedWork, load_works
from pipeline.library.records import ListRecord, Placing, PlaythroughRecord, Record

_YAMTRACK = (
    *("media_id", "source", "media_type", "title", "image", "season_number", "episode_number", "score", "progress"),
    *("status", "start_date", "end_date", "notes", "progressed_at"),
)
_GROUVEE = (
    *("id", "name", "shelves", "platforms", "rating", "review_title", "review", "review_platform", "dates", "statuses"),
    *("genres", "franchises", "series", "developers", "publishers", "release_date", "date_added_to_collection", "url"),
    *("giantbomb_id", "igdb_id"),
)
_TABLE = (
    *("title", "igdb_id", "year", "platform", "store", "ownership", "status", "rating /10", "hours", "started"),
    *("finished", "completion", "last_played", "acquired", "favourite", "series", "tags", "notes"),
)
_SAID = ("status", "rating", "rating_scale", "notes", "series")
_YAMTRACK_STATUS = {
    "backlog": "Planning",
    "playing": "In progress",
    "endless": "In progress",
    "paused": "Paused",
    "finished": "Completed",
    "mastered": "Completed",
    "abandoned": "Dropped",
}
_SHELVES = {"backlog": "Backlog", "playing": "Playing", "endless": "Playing", "paused": "Playing"}
_LEVELS = {"main": "Main Story", "extras": "Main Story + Extras", "all": "100% Completion"}
_COMPLETION = {"main": "main story", "extras": "main story and extras", "all": "100 %"}


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A work with all that an export holds of it; `said` is what somebody said of it, and not what follows."""

    work: ListedWork
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
    states = select(GameState.work_id, *(getattr(GameState, name) for name in _SAID))
    said = {
        row["work_id"]: dict(row)
        for row in connection.execute(states.where(GameState.person_id == person_id)).mappings()
    }
    placings, lists = _lists(connection, person_id)
    exported = [
        Exported(
            work=work,
            entries=entries[work.work_id],
            throughs=sorted(throughs[work.work_id], key=lambda through: through.id),
            placings=placings[work.work_id],
            said=said.get(work.work_id, {}),
        )
        for work in load_works(connection, person_id)
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
    editions: list[Record] = [_record_of(entry, exported.work) for entry in exported.entries]
    for through in exported.throughs:
        edition = through.igdb_id or exported.work.igdb_id
        if not any(record.igdb_id == edition for record in editions):
            editions.append(Record(line=0, written=exported.work.name, igdb_id=edition))
    if not editions:
        editions.append(Record(line=0, written=exported.work.name, igdb_id=exported.work.igdb_id))
    return [_with_more(record, exported, editions, number) for number, record in enumerate(editions)]


def _with_more(record: Record, exported: Exported, editions: Sequence[Record], number: int) -> Record:
    work = exported.work
    is_first_of_it = all(other.igdb_id != record.igdb_id for other in editions[:number])
    mine = [each for each in exported.throughs if (each.igdb_id or work.igdb_id) == record.igdb_id]
    record = msgspec.structs.replace(record, playthroughs=tuple(map(_playthrough, mine)) if is_first_of_it else ())
    if number:
        return record
    return msgspec.structs.replace(
        record,
        **{name: exported.said.get(name) for name in _SAID},
        is_favourite=work.is_favourite,
        tags=tuple(work.tags),
        placings=tuple(exported.placings),
    )


def _record_of(entry: Entry, work: ListedWork) -> Record:
    is_ours = entry.external_id.startswith("game/")
    return Record(
        line=0,
        written=entry.title,
        igdb_id=entry.igdb_id or work.igdb_id,
        year=work.year if work.igdb_id is None else None,
        store=entry.store,  # type: ignore[arg-type] # the column holds no other
        external_id=None if is_ours else entry.external_id,
        platforms=(entry.platform,) if entry.platform else (),
        ownership=entry.ownership,  # type: ignore[arg-type] # the column holds no other
        acquired_on=entry.acquired_on,
        playtime_seconds=entry.playtime_seconds,
        last_played_at=entry.last_played_at,
        is_hidden=entry.hidden_at is not None,
    )


def _playthrough(through: Through) -> PlaythroughRecord:
    values = {name: getattr(through, name) for name in PlaythroughRecord.__struct_fields__ if name != "key"}
    return PlaythroughRecord(key=through.import_key or f"playthrough/{through.id}", **values)


def as_table(exported: Iterable[Exported]) -> Iterator[str]:
    """Yield a library as CSV that `lootwire library import` and any spreadsheet read: a row an entry or playthrough."""
    yield _csv_row(_TABLE)
    for each in exported:
        for row in _table_rows(each):
            yield _csv_row([row.get(name, "") for name in _TABLE])


def _table_rows(exported: Exported) -> Iterator[dict[str, Any]]:
    work = exported.work
    shared = {"title": work.name, "igdb_id": work.igdb_id or "", "year": work.year or ""}
    said = {
        "rating /10": "" if work.rating is None else f"{work.rating / 10:g}",
        "favourite": "yes" if work.is_favourite else "",
        "series": work.series or "",
        "tags": ", ".join(work.tags),
        "notes": work.notes or "",
    }
    rows: list[dict[str, Any]] = [_entry_row(entry) for entry in exported.entries]
    free = list(rows)
    for through in exported.throughs:
        # A row holds an entry and a playthrough on its platform; each further one has a row of its own.
        row = next((row for row in free if through.platform in {"", row["platform"]}), None)
        if row is None:
            rows.append(_through_row(through))
        else:
            free.remove(row)
            row |= {key: value for key, value in _through_row(through).items() if value}
    if not rows:
        rows.append({})
    if not exported.throughs:
        said["status"] = work.status or ""
    rows[0] |= {key: value for key, value in said.items() if value}
    for row in rows:
        yield shared | row


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "igdb_id": entry.igdb_id or "",
        "platform": entry.platform,
        "store": entry.store,
        "ownership": entry.ownership,
        "hours": _hours(entry.playtime_seconds),
        "last_played": "" if entry.last_played_at is None else f"{entry.last_played_at.astimezone(UTC):%Y-%m-%d}",
        "acquired": entry.acquired_on or "",
    }


def _through_row(through: Through) -> dict[str, Any]:
    return {
        "platform": through.platform,
        "status": through.status,
        "hours": _hours(through.seconds),
        "started": through.started or "",
        "finished": through.finished or "",
        "completion": _COMPLETION.get(through.completion or "", ""),
        "notes": through.notes or "",
    }


def as_yamtrack(exported: Iterable[Exported]) -> Iterator[str]:
    """Yield a library as Yamtrack imports it: games alone, each time through in a row of its own."""
    yield _csv_row(_YAMTRACK, quoting=csv.QUOTE_ALL)
    for each in exported:
        throughs: Sequence[Through | None] = each.throughs or (None,)
        for through in throughs:
            yield _csv_row(_yamtrack_row(each.work, through), quoting=csv.QUOTE_ALL)


def _yamtrack_row(work: ListedWork, through: Through | None) -> Sequence[Any]:
    seconds = work.seconds if through is None else through.seconds
    hours, minutes = divmod(round((seconds or 0) / 60), 60)
    started, finished, notes = _days(work, through)
    # A wish is planned too, and so is what is only rated.
    status = _YAMTRACK_STATUS.get((work.status if through is None else through.status) or "backlog", "Planning")
    return (
        *("" if work.igdb_id is None else work.igdb_id, "manual" if work.igdb_id is None else "igdb", "game"),
        *(work.name, "", "", "", "" if work.rating is None else f"{work.rating / 10:.1f}"),
        *(f"{hours}h {minutes:02}min" if seconds else "", status, started, finished, notes, ""),
    )


def as_grouvee(exported: Iterable[Exported]) -> Iterator[str]:
    """Yield a library as Grouvee writes it since 2026, in 20 columns."""
    yield _csv_row(_GROUVEE)
    for each in exported:
        row = _grouvee_row(each)
        yield _csv_row([row.get(name, "") for name in _GROUVEE])


def _grouvee_row(exported: Exported) -> dict[str, Any]:
    work = exported.work
    added = "" if work.added_at is None else f"{work.added_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    shelf = "Wish List" if "wished" in work.words else _SHELVES.get(work.status or "", "Played")
    notes = [_days(work, through)[2] for through in exported.throughs] or [work.notes or ""]
    dates = [
        {
            "date_started": started or "None",
            "date_finished": finished or "None",
            "seconds_played": through.seconds or 0,
            "level_of_completion": _LEVELS.get(through.completion or ""),
        }
        for through in exported.throughs
        for started, finished, _ in [_days(work, through)]
    ]
    return {
        "id": f"lootwire-{work.work_id}",
        "name": work.name,
        "shelves": _json({name: {"date_added": added} for name in (shelf, *work.tags)}),
        "platforms": _json({name: {} for name in work.platforms}),
        # Grouvee has no half stars, and none at all means nothing.
        "rating": "" if work.rating is None else max(1, int(work.rating / 20 + 0.5)),
        "review": "\n".join(dict.fromkeys(filter(None, notes))),
        "dates": _json(dates),
        "statuses": "[]",
        "genres": _json({name: {} for name in work.genres}),
        "franchises": "{}",
        "series": _json({} if work.series is None else {work.series: {}}),
        "developers": "{}",
        "publishers": "{}",
        "release_date": work.year or "",
        "date_added_to_collection": added[:10],
        "igdb_id": work.igdb_id or "",
    }


def _days(work: ListedWork, through: Through | None) -> tuple[str, str, str]:
    """Return the first and the last day of a playthrough, and the notes with what is no day: "finished 1999-Q3"."""
    if through is None:
        return "", "", work.notes or ""
    days, rest = [], []
    for name, written in (("started", through.started), ("finished", through.finished)):
        period = read_period(written)
        is_day = period is not None and period.day is not None
        days.append(written or "" if is_day else "")
        if written is not None and not is_day:
            rest.append(f"{name} {written}")
    notes = [through.notes, work.notes if work.notes != through.notes else None, "; ".join(rest)]
    return days[0], days[1], "\n".join(note for note in notes if note)


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


def _hours(seconds: int | None) -> str:
    return "" if not seconds else f"{seconds / 3600:.2f}".rstrip("0").rstrip(".")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _csv_row(cells: Iterable[Any], quoting: Any = csv.QUOTE_MINIMAL) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=quoting, lineterminator="\n").writerow(cells)
    return written.getvalue()


TEXTS: Mapping[str, Callable[[Iterable[Exported]], Iterator[str]]] = {
    "csv": as_table,
    "yamtrack": as_yamtrack,
    "grouvee": as_grouvee,
}
