"""Give a library away as a table, or as other trackers read it. Pure.

What Yamtrack and Grouvee cannot hold is written into the notes: a year that is no day, a status that they lack. Beside
each row stands our own line of what it is about (`pipeline.library.formats.marks`), so that it comes back whole.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec

from models.periods import read_period
from pipeline.library.formats.marks import COLUMN, mark
from pipeline.library.listing.exporting import Exported, playthrough_of, records_of
from pipeline.library.listing.pages import Entry, Through
from pipeline.library.listing.works import ListedWork
from pipeline.library.records import Record

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
_SAID_OF_WORK = (
    *("status", "rating", "rating_scale", "is_favourite", "tags", "notes", "series"),
    *("own_name", "own_year", "genres", "cover_url"),
)
_COMPLETION = {"main": "main story", "extras": "main story and extras", "all": "100 %"}


def as_table(exported: Iterable[Exported]) -> Iterator[str]:
    """Yield a library as CSV that `lootwire library import` and any spreadsheet read: a row an entry or playthrough."""
    return _rows(_TABLE, (row for each in exported for row in _table_rows(each)))


def _rows(columns: Sequence[str], rows: Iterable[tuple[Mapping[str, Any], Record]], **how: Any) -> Iterator[str]:
    """Yield a table with our own line in its last column: what is written of a row, and what it is about."""
    yield _csv_row([*columns, COLUMN], **how)
    for row, record in rows:
        cells = [row.get(name, "") for name in columns]
        yield _csv_row([*cells, mark(cells, msgspec.structs.replace(record, placings=()))], **how)


def _table_rows(exported: Exported) -> Iterator[tuple[dict[str, Any], Record]]:
    work = exported.work
    shared = {"title": work.name, "igdb_id": work.igdb_id or "", "year": work.year or ""}
    said = {
        "rating /10": "" if work.rating is None else f"{work.rating / 10:g}",
        "favourite": "yes" if work.is_favourite else "",
        "series": work.series or "",
        "tags": ", ".join(work.tags),
        "notes": work.notes or "",
    }
    lines = [msgspec.structs.replace(record, playthroughs=()) for record in records_of(exported)]
    rows: list[dict[str, Any]] = [_entry_row(entry) for entry in exported.entries]
    lines = lines[: len(rows)] or lines[:1]
    free = list(range(len(rows)))
    for through in exported.throughs:
        # A row holds an entry and a playthrough of its edition and platform; each further one has a row of its own.
        edition = through.igdb_id or work.igdb_id
        place = next(
            (at for at in free if through.platform in {"", rows[at]["platform"]} and lines[at].igdb_id == edition), None
        )
        if place is None:
            rows.append(_through_row(through))
            line = lines[0] if len(rows) == 1 else Record(line=0, written=exported.title)
            lines[len(rows) - 1 :] = [msgspec.structs.replace(line, igdb_id=edition)]
            place = len(rows) - 1
        else:
            free.remove(place)
            rows[place] |= {key: value for key, value in _through_row(through).items() if value}
        lines[place] = msgspec.structs.replace(lines[place], playthroughs=(playthrough_of(through),))
    if not rows:
        rows.append({})
    if not exported.throughs:
        said["status"] = work.status or ""
    rows[0] |= {key: value for key, value in said.items() if value}
    for row, line in zip(rows, lines, strict=True):
        yield shared | row, line


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
    rows = (row for each in exported for row in _yamtrack_rows(each))
    return _rows(_YAMTRACK, rows, quoting=csv.QUOTE_ALL)


def _yamtrack_rows(exported: Exported) -> Iterator[tuple[dict[str, Any], Record]]:
    """Yield the rows of a work; the first has with it what is said of the work, and where it is had."""
    throughs: Sequence[Through | None] = exported.throughs or (None,)
    first = msgspec.structs.replace(records_of(exported)[0], playthroughs=())
    editions = [exported.work.igdb_id if each is None else each.igdb_id or exported.work.igdb_id for each in throughs]
    if editions[0] != first.igdb_id:
        first = _without_entry(first, exported.title, editions[0])
    for nth, (through, edition) in enumerate(zip(throughs, editions, strict=True)):
        line = first if not nth else Record(line=0, written=exported.title, igdb_id=edition)
        if through is not None:
            line = msgspec.structs.replace(line, playthroughs=(playthrough_of(through),))
        yield dict(zip(_YAMTRACK, _yamtrack_row(exported.work, through), strict=True)), line


def _without_entry(record: Record, title: str, edition: int | None) -> Record:
    """Return what a line says of its work, as a line of another edition that is had nowhere."""
    said = {name: getattr(record, name) for name in _SAID_OF_WORK}
    return Record(line=0, written=title, igdb_id=edition, **said)


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
    return _rows(_GROUVEE, (row for each in exported for row in _grouvee_rows(each)))


def _grouvee_rows(exported: Exported) -> Iterator[tuple[dict[str, Any], Record]]:
    """Yield a row for each edition, since each is a game of its own there; a wish and what is played nowhere too."""
    by_edition: dict[int | None, Record] = {}
    for record in records_of(exported):
        by_edition.setdefault(record.igdb_id, record)
    for nth, (edition, line) in enumerate(by_edition.items()):
        throughs = [each for each in exported.throughs if (each.igdb_id or exported.work.igdb_id) == edition]
        if nth and not throughs:
            continue
        row = _grouvee_row(msgspec.structs.replace(exported, throughs=throughs))
        yield row | {"id": row["id"] + (f"-{nth}" if nth else ""), "igdb_id": edition or ""}, line


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
