"""Any table that names games: a spreadsheet that a person keeps, saved as CSV. Pure.

Columns are known by their names, or by `--map column=field`; days and ratings are judged by their column as a whole, so
that one row does not decide what another means. What stands in columns without a name is a legend, and is no game's.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

import msgspec

from models.errors import UsageError
from models.periods import read_period
from models.printable import on_a_line
from pipeline.library.formats.building import key_of, read_rows, reading
from pipeline.library.formats.columns import Columns, Field, has_title
from pipeline.library.formats.dates import Order, date_of, order_of
from pipeline.library.formats.look import Look
from pipeline.library.formats.table import Row, Table
from pipeline.library.formats.values import (
    Unit,
    note_of,
    number_of,
    platforms_of,
    rating_of,
    seconds_of,
    shown,
    title_of,
    whole_of,
    words_of,
    written_rating,
    year_of,
)
from pipeline.library.formats.words import (
    completion_of,
    flag_of,
    is_blank,
    ownership_of,
    status_of,
    store_of,
)
from pipeline.library.records import (
    Completion,
    ListRecord,
    Ownership,
    Placing,
    PlaythroughRecord,
    Reading,
    ReadOptions,
    Record,
    Status,
    Store,
)

_TIMES: tuple[tuple[Field, Unit], ...] = (("hours", "hours"), ("minutes", "minutes"), ("seconds", "seconds"))
_DAYS: tuple[Field, ...] = ("started", "finished", "last_played", "acquired")
_SCALES = (5, 10, 20, 100)
_NAMED = 5
_SLUG = re.compile(r"[a-z0-9-]{1,200}")
# Who plays a game that has begun and not ended; the others say themselves how it stands.
_UNDER_WAY: tuple[Status, ...] = ("finished", "mastered", "abandoned", "playing", "paused", "endless")
# "Other" as a store says nothing, "Free" neither.
_NO_STORES = frozenset({"other", "free", "andere", "sonstige", "autre", "otro", "kostenlos", "gratuit", "gratis"})


class AnyCsv:
    """A table whose header names a column of titles."""

    name = "csv"
    taken_for = "a table of games"

    def recognises(self, look: Look) -> bool:
        table = look.table
        return table is not None and (has_title(table.header) or table.is_even)

    def read(self, look: Look, options: ReadOptions) -> Reading:
        table = look.table
        if table is None:
            raise UsageError(f"{look.name} is no table: its first line has to name the columns")
        columns = Columns(table, options.columns, look.name)
        if "title" not in columns.at:
            raise UsageError(
                f"{look.name} was taken for {self.taken_for}, and none of its columns is known to hold titles: "
                f"{_listed(table.header)}. Name it: --map COLUMN=title"
            )
        rows = _Rows(table, columns, options)
        records, broken = read_rows(table, rows.record, columns.at["title"])
        return reading(
            self.name,
            self.taken_for,
            records,
            broken,
            name=look.name,
            options=options,
            lists=rows.lists(records),
            notes=rows.notes(),
        )


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(f"`{on_a_line(name, 40)}`" for name in names[:12])
    return f"{some} and {len(names) - 12} more" if len(names) > 12 else some


class _Judged(msgspec.Struct):
    """What columns say as a whole."""

    orders: dict[Field, Order]
    scale: int | None = None
    is_scale_guessed: bool = False
    # Columns of crosses where days could stand: "Finished: x".
    flags: frozenset[Field] = frozenset()


class _Rows:
    """Reads the rows of a table, by what its columns say as a whole."""

    def __init__(self, table: Table, columns: Columns, options: ReadOptions) -> None:
        self._columns = columns
        self._judged = _judge(table, columns, options)
        self._unknown: Counter[str] = Counter()
        # Columns of which a day may be two, and only the year was kept.
        self._shortened: set[Field] = set()

    def record(self, row: Row) -> Record | None:
        """Return a row as a record, None for a legend or a line that says nothing of a game."""
        if not any(cell for place, cell in enumerate(row.cells) if place in self._columns.named):
            return None
        cells = _Cells(row, self._columns.at)
        title = title_of(cells["title"])
        started, finished = self._date(cells, "started"), self._date(cells, "finished")
        status, ownership = self._standing(cells)
        completion = completion_of(cells["completion"])
        if completion is not None or finished is not None:
            status = status if status in _UNDER_WAY else "finished"
        elif started is not None and status is None:
            status = "playing"
        platforms = platforms_of(cells["platform"])
        seconds = self._seconds(cells)
        store, owned = self._store(cells)
        appid, gog_id = whole_of(cells["steam_id"]), whole_of(cells["gog_id"])
        if appid is not None or gog_id is not None:
            store, owned = ("steam" if appid is not None else "gog"), True
        year = year_of(cells["year"])
        rating = self._rating(cells)
        ways = self._ways(title, year, platforms, status, started, finished, completion, seconds)
        return Record(
            line=row.line,
            written=title,
            year=year,
            igdb_id=whole_of(cells["igdb_id"].lower().removeprefix("igdb:")),
            igdb_slug=_slug(cells["igdb_slug"]),
            store=store,
            external_id=None if appid is None and gog_id is None else str(appid or gog_id),
            platforms=platforms,
            ownership=ownership or ("owned" if owned else None),
            acquired_on=_day(self._date(cells, "acquired")),
            playtime_seconds=None if ways else seconds,
            last_played_at=_noon(self._date(cells, "last_played")),
            status=status,
            rating=rating[0] if rating else None,
            rating_scale=rating[1] if rating else None,
            is_favourite=bool(flag_of(cells["favourite"])) if "favourite" in self._columns.at else False,
            tags=words_of(cells["tags"].replace(";", ",").split(",")),
            notes=note_of(cells["notes"]),
            series=next(iter(words_of([cells["series"]])), None),
            playthroughs=ways,
            placings=_placings(cells),
        )

    def lists(self, records: Sequence[Record]) -> Sequence[ListRecord]:
        names = dict.fromkeys(placing.name for record in records for placing in record.placings)
        return [ListRecord(name=name, ranked="place" in self._columns.at) for name in names]

    def notes(self) -> Sequence[str]:
        """Return what was left out or assumed, in sentences."""
        said = []
        if self._columns.left_out:
            said.append(f"These columns were left out: {_listed(self._columns.left_out)}.")
        if self._judged.is_scale_guessed:
            said.append(f"Ratings were taken as out of {self._judged.scale}: --rating-scale says otherwise.")
        said += [
            f"`{field}` may have the day or the month first, so only its years were kept where both fit: "
            f"--map COLUMN={field}:dmy or {field}:mdy says which."
            for field in sorted(self._shortened)
        ]
        words = [f"{shown(word)} ({count})" for word, count in self._unknown.most_common(_NAMED)]
        if words:
            said.append(f"These words are no status that is known, and were left out: {', '.join(words)}.")
        return said

    def _date(self, cells: "_Cells", field: Field) -> str | None:
        if field in self._judged.flags:
            return None
        order = self._judged.orders.get(field, "either")
        written = date_of(cells[field], order)
        if written is not None and order == "either" and len(written) == 4 and not cells[field].strip().isdecimal():
            self._shortened.add(field)
        return written

    def _standing(self, cells: "_Cells") -> tuple[Status | None, Ownership | None]:
        status: Status | None = None
        ownership: Ownership | None = None
        word = cells["status"]
        if not is_blank(word):
            status, ownership = status_of(word), ownership_of(word)
            if status is None and ownership is None:
                self._unknown[on_a_line(word, 40)] += 1
        if "finished" in self._judged.flags and flag_of(cells["finished"]):
            status = "finished"
        elif "started" in self._judged.flags and flag_of(cells["started"]) and status is None:
            status = "playing"
        had = cells["ownership"]
        if not is_blank(had):
            ownership = ownership_of(had) or ("owned" if flag_of(had) else ownership)
        return status, ownership

    def _seconds(self, cells: "_Cells") -> int | None:
        each = (seconds_of(cells[field], unit) for field, unit in _TIMES if field in self._columns.at)
        return next((seconds for seconds in each if seconds is not None), None)

    def _store(self, cells: "_Cells") -> tuple[Store | None, bool]:
        """Return the store, and whether the game is had there; who names one has the game from it."""
        word = cells["store"]
        if is_blank(word) or word.lower() in _NO_STORES:
            return None, False
        return store_of(word) or "other", True

    def _rating(self, cells: "_Cells") -> tuple[float, int] | None:
        rated = written_rating(cells["rating"])
        if rated is None:
            return None
        number, scale = rated
        return rating_of(number, scale or self._judged.scale or 100)

    def _ways(
        self,
        title: str,
        year: int | None,
        platforms: Sequence[str],
        status: Status | None,
        started: str | None,
        finished: str | None,
        completion: Completion | None,
        seconds: int | None,
    ) -> tuple[PlaythroughRecord, ...]:
        if status not in _UNDER_WAY or not (started or finished or completion or status in {"finished", "mastered"}):
            return ()
        return (
            PlaythroughRecord(
                key=key_of("csv", [title, year], *platforms, started),
                status=status,
                completion=completion,
                platform=platforms[0] if len(platforms) == 1 else "",
                started=started,
                finished=finished,
                seconds=seconds,
            ),
        )


class _Cells:
    def __init__(self, row: Row, at: Mapping[Field, int]) -> None:
        self._row = row.cells
        self._at = at

    def __getitem__(self, field: Field) -> str:
        place = self._at.get(field)
        return "" if place is None or place >= len(self._row) else self._row[place]


def _judge(table: Table, columns: Columns, options: ReadOptions) -> _Judged:
    """Read the columns of days and ratings once as a whole, before any row."""
    wanted = {field: columns.at[field] for field in (*_DAYS, "rating") if field in columns.at}
    cells: dict[str, list[str]] = {field: [] for field in wanted}
    if wanted:
        for row in table.rows():
            if isinstance(row, Row):
                for field, place in wanted.items():
                    if place < len(row.cells) and not is_blank(row.cells[place]):
                        cells[field].append(row.cells[place])
    by_hand: dict[str, Order] = {"dmy": "day first", "mdy": "month first"}
    orders: dict[Field, Order] = {
        field: by_hand.get(columns.orders.get(field, "")) or order_of(cells[field])
        for field in _DAYS
        if field in wanted
    }
    flags = frozenset(
        field for field in _DAYS if cells.get(field) and all(flag_of(cell) is not None for cell in cells[field])
    )
    if options.rating_scale is not None:
        return _Judged(orders, options.rating_scale, flags=flags)
    scale, is_guessed = _scale(cells.get("rating", ()))
    return _Judged(orders, scale, is_guessed, flags)


def _scale(cells: Iterable[str]) -> tuple[int | None, bool]:
    """Return the scale that a column of ratings fits, and whether another one would fit as well."""
    numbers = list(_bare_numbers(cells))
    if not numbers:
        return None, False
    most = max(numbers)
    scale = next((each for each in _SCALES if most <= each), 100)
    return scale, scale in {5, 20}


def _bare_numbers(cells: Iterable[str]) -> Iterator[float]:
    for cell in cells:
        if (number := number_of(cell)) is not None:
            yield number


def _day(written: str | None) -> date | None:
    """Return a day, of a date that is one: what is less precise is no day to keep."""
    period = read_period(written)
    return period.first if period is not None and period.day is not None else None


def _noon(written: str | None) -> datetime | None:
    """Return the noon of a day in UTC, which is that day nearly everywhere; None for what is no day."""
    day = _day(written)
    return None if day is None else datetime.combine(day, time(12), UTC)


def _slug(cell: str) -> str | None:
    slug = cell.rstrip("/").rpartition("/")[2].lower()
    return slug if _SLUG.fullmatch(slug) else None


def _placings(cells: _Cells) -> tuple[Placing, ...]:
    name, place = next(iter(words_of([cells["list"]])), None), whole_of(cells["place"])
    return () if name is None else (Placing(name=name, place=place or 1),)
