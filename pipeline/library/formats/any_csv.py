"""Any table that names games: a spreadsheet that a person keeps, saved as CSV. Pure.

Columns are known by their names, or by `--map column=field`; days and ratings are judged by their column as a whole, so
that one row does not decide what another means. What stands in columns without a name is a legend, and is no game's.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from models.errors import UsageError
from models.periods import read_period
from models.printable import on_a_line
from pipeline.library.formats.building import key_of, read_rows, reading
from pipeline.library.formats.columns import Columns, Field, has_title, listed
from pipeline.library.formats.dates import Order, date_of, order_of
from pipeline.library.formats.look import Look
from pipeline.library.formats.marks import with_marks
from pipeline.library.formats.table import Row
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
    LONGEST_BLANK,
    completion_of,
    flag_of,
    is_blank,
    ownership_of,
    status_of,
    store_of,
)
from pipeline.library.records import (
    Broken,
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
                f"{listed(table.header)}. Name it: --map COLUMN=title"
            )
        lines = list(table.rows())
        rows = _Rows(lines, columns, options)
        records, broken = read_rows(lines, with_marks(table.header, rows.record), columns.at["title"])
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


def _slug(cell: str) -> str | None:
    slug = cell.rstrip("/").rpartition("/")[2].lower()
    return slug if _SLUG.fullmatch(slug) else None


# The cells of a row that say something.
Cells = Mapping[Field, str]
_PLAIN: Mapping[Field, tuple[str, Callable[[str], Any]]] = {
    "year": ("year", year_of),
    "platform": ("platforms", platforms_of),
    "igdb_id": ("igdb_id", lambda cell: whole_of(cell.lower().removeprefix("igdb:"))),
    "igdb_slug": ("igdb_slug", _slug),
    "favourite": ("is_favourite", lambda cell: bool(flag_of(cell))),
    "tags": ("tags", lambda cell: words_of(cell.replace(";", ",").split(","))),
    "notes": ("notes", note_of),
    "series": ("series", lambda cell: next(iter(words_of([cell])), None)),
}
_IDS: tuple[tuple[Field, Store], ...] = (("steam_id", "steam"), ("gog_id", "gog"))


class _Judged(msgspec.Struct):
    """What columns say as a whole."""

    orders: dict[Field, Order]
    scale: int | None = None
    is_scale_guessed: bool = False
    # Columns of crosses where days could stand: "Finished: x".
    flags: frozenset[Field] = frozenset()


class _Rows:
    """Reads the rows of a table, by what its columns say as a whole."""

    def __init__(self, lines: Sequence[Row | Broken], columns: Columns, options: ReadOptions) -> None:
        self._columns = columns
        self._judged = _judge(lines, columns, options)
        self._unknown: Counter[str] = Counter()
        # Columns of which a day may be two, and only the year was kept.
        self._shortened: set[Field] = set()

    def record(self, row: Row) -> Record | None:
        """Return a row as a record; None for a legend, or a line that says nothing of a game."""
        cells: Cells = {
            field: cell
            for field, place in self._columns.at.items()
            if place < len(row.cells)
            and (cell := row.cells[place])
            and (len(cell) > LONGEST_BLANK or not is_blank(cell))
        }
        if not cells:
            return None
        title = title_of(cells.get("title"))
        values: dict[str, Any] = {}
        for field in cells.keys() & _PLAIN.keys():
            name, convert = _PLAIN[field]
            values[name] = convert(cells[field])
        status, ownership = self._standing(cells)
        store, external_id, is_had = _at_store(cells)
        way = self._way(title, cells, values, status)
        if "rating" in cells:
            values |= self._rating(cells["rating"])
        if "last_played" in cells:
            values["last_played_at"] = _noon(self._date(cells, "last_played"))
        if "acquired" in cells:
            values["acquired_on"] = _day(self._date(cells, "acquired"))
        if way is not None:
            values |= {"playthroughs": (way,), "status": way.status}
        else:
            values |= {"playtime_seconds": _seconds(cells), "status": status}
        if "list" in cells:
            values["placings"] = (Placing(name=cells["list"], place=whole_of(cells.get("place", "")) or 1),)
        return Record(
            line=row.line,
            written=title,
            store=store,
            external_id=external_id,
            ownership=ownership or ("owned" if is_had else None),
            **values,
        )

    def lists(self, records: Sequence[Record]) -> Sequence[ListRecord]:
        names = dict.fromkeys(placing.name for record in records for placing in record.placings)
        return [ListRecord(name=name, ranked="place" in self._columns.at) for name in names]

    def notes(self) -> Sequence[str]:
        """Return what was left out or assumed, in sentences."""
        said = []
        if self._columns.left_out:
            said.append(f"These columns were left out: {listed(self._columns.left_out)}.")
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

    def _date(self, cells: Cells, field: Field) -> str | None:
        if field not in cells or field in self._judged.flags:
            return None
        order = self._judged.orders.get(field, "either")
        written = date_of(cells[field], order)
        if written is not None and order == "either" and len(written) == 4 and not cells[field].isdecimal():
            self._shortened.add(field)
        return written

    def _standing(self, cells: Cells) -> tuple[Status | None, Ownership | None]:
        status: Status | None = None
        ownership: Ownership | None = None
        if (word := cells.get("status")) is not None:
            status, ownership = status_of(word), ownership_of(word)
            if status is None and ownership is None:
                self._unknown[on_a_line(word, 40)] += 1
        if "finished" in self._judged.flags and flag_of(cells.get("finished", "")):
            status = "finished"
        elif "started" in self._judged.flags and flag_of(cells.get("started", "")) and status is None:
            status = "playing"
        if (had := cells.get("ownership")) is not None:
            ownership = ownership_of(had) or ("owned" if flag_of(had) else ownership)
        return status, ownership

    def _rating(self, cell: str) -> dict[str, Any]:
        rated = written_rating(cell)
        rating = None if rated is None else rating_of(rated[0], rated[1] or self._judged.scale or 100)
        return {} if rating is None else {"rating": rating[0], "rating_scale": rating[1]}

    def _way(
        self, title: str, cells: Cells, values: Mapping[str, Any], status: Status | None
    ) -> PlaythroughRecord | None:
        """Return the time through a game that a row says; None where it says none.

        Who has ended, or reached a level of completion, is through, whatever else the row says of waiting.
        """
        started, finished = self._date(cells, "started"), self._date(cells, "finished")
        completion = completion_of(cells.get("completion", ""))
        if (completion is not None or finished is not None) and status not in _UNDER_WAY:
            status = "finished"
        elif started is not None and status is None:
            status = "playing"
        if status not in _UNDER_WAY or not (started or finished or completion or status in {"finished", "mastered"}):
            return None
        platforms = values.get("platforms", ())
        return PlaythroughRecord(
            key=key_of("csv", (title, values.get("year")), *platforms, started),
            status=status,
            completion=completion,
            platform=platforms[0] if len(platforms) == 1 else "",
            started=started,
            finished=finished,
            seconds=_seconds(cells),
        )


def _seconds(cells: Cells) -> int | None:
    return next((seconds_of(cells[field], unit) for field, unit in _TIMES if field in cells), None)


def _at_store(cells: Cells) -> tuple[Store | None, str | None, bool]:
    """Return the store, the game's id there, and whether the game is had; who names a store has the game from it."""
    for field, store in _IDS:
        if field in cells and (number := whole_of(cells[field])) is not None:
            return store, str(number), True
    word = cells.get("store")
    if word is None or word.lower() in _NO_STORES:
        return None, None, False
    return store_of(word) or "other", None, True


def _judge(lines: Sequence[Row | Broken], columns: Columns, options: ReadOptions) -> _Judged:
    """Read the columns of days and ratings as a whole, before any row."""
    rows = [line.cells for line in lines if isinstance(line, Row)]
    wanted: tuple[Field, ...] = tuple(field for field in (*_DAYS, "rating") if field in columns.at)
    cells: dict[Field, set[str]] = {}
    for field in wanted:
        place = columns.at[field]
        cells[field] = {cell for cell in {row[place] for row in rows if place < len(row)} if not is_blank(cell)}
    by_hand: dict[str, Order] = {"dmy": "day first", "mdy": "month first"}
    orders: dict[Field, Order] = {
        field: by_hand.get(columns.orders.get(field, "")) or order_of(cells[field])
        for field in _DAYS
        if field in wanted
    }
    flags = frozenset(
        field for field in _DAYS if cells.get(field) and all(flag_of(cell) is not None for cell in cells[field])
    )
    if (said := options.rating_scale or columns.rating_scale) is not None:
        return _Judged(orders, said, flags=flags)
    scale, is_guessed = _scale(cells.get("rating", ()))
    return _Judged(orders, scale, is_guessed, flags)


def _scale(cells: Iterable[str]) -> tuple[int | None, bool]:
    """Return the scale that a column of ratings fits, and whether another one would fit as well.

    One 11 among ratings of up to ten makes none of them a rating of twenty: it is set aside.
    """
    numbers = sorted(set(_bare_numbers(cells)))
    if not numbers:
        return None, False
    most = numbers[-1]
    if len(numbers) > 2 and numbers[-2] <= 10 < most <= 20:
        return 10, True
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
