"""HowLongToBeat's CSV. Pure.

Flags are crosses, several at once; times are `3:00:00`, `46:30` or `32` (seconds), `--` is none; what is not known of a
date is zeros (`2012-00-00`). Ratings go from 1 to 100, 0 is none. A row is one time through.
"""

from collections.abc import Sequence

from pipeline.errors import InvalidItem
from pipeline.library.formats.building import key_of, reading
from pipeline.library.formats.cells import Cells, read_cells
from pipeline.library.formats.dates import date_of
from pipeline.library.formats.look import Look
from pipeline.library.formats.values import note_of, number_of, rating_of, seconds_of, shown, title_of, words_of
from pipeline.library.formats.words import flag_of, is_blank, store_of
from pipeline.library.records import Completion, PlaythroughRecord, Reading, ReadOptions, Record, Status, Store

_NEEDED = ("title", "platform", "completed")
_TELLING = frozenset({"title", "main story", "completionist", "retired"})
_CUSTOM = ("Custom-1", "Custom-2", "Custom-3")
# The greater says more, and its time holds the lesser ones'.
_TIMES: Sequence[tuple[str, Completion | None]] = (
    ("completionist", "all"),
    ("main + extras", "extras"),
    ("main story", "main"),
    ("progress", None),
)


class HowLongToBeat:
    """A HowLongToBeat export."""

    name = "hltb"
    taken_for = "a HowLongToBeat export"

    def recognises(self, look: Look) -> bool:
        return look.columns >= _TELLING

    def read(self, look: Look, options: ReadOptions) -> Reading:
        records, broken = read_cells(look, self.taken_for, _NEEDED, _record, "title")
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _record(cells: Cells) -> Record:
    title = title_of(cells["title"])
    platforms = words_of([cells["platform"]])
    status = _status(cells)
    rating = None
    if not is_blank(cells["review"]):
        number = number_of(cells["review"])
        if number is None:
            raise InvalidItem(f"{shown(cells['review'])} is no rating")
        rating = rating_of(number or None, 100)
    store = _store(cells["storefront"])
    return Record(
        line=cells.line,
        written=title,
        store=store,
        platforms=platforms,
        ownership="owned" if store else None,
        status=status,
        rating=rating[0] if rating else None,
        rating_scale=rating[1] if rating else None,
        tags=tuple(name for name in _CUSTOM if flag_of(cells[name.lower()])),
        notes=note_of(cells["general notes"], cells["review notes"], cells["retired notes"]),
        playthroughs=_playthroughs(cells, title, platforms, status),
    )


def _status(cells: Cells) -> Status | None:
    """Return what the crosses say: who plays is playing, even again; who finished did not give up."""
    flags: Sequence[tuple[str, Status]] = (
        ("playing", "playing"),
        ("completed", "finished"),
        ("retired", "abandoned"),
        ("backlog", "backlog"),
        ("replay", "backlog"),
    )
    return next((status for column, status in flags if flag_of(cells[column])), None)


def _playthroughs(
    cells: Cells, title: str, platforms: Sequence[str], status: Status | None
) -> tuple[PlaythroughRecord, ...]:
    started, finished = date_of(cells["start date"]), date_of(cells["completion date"])
    times = [(seconds, level) for column, level in _TIMES if (seconds := seconds_of(cells[column], "seconds"))]
    completed = bool(flag_of(cells["completed"]))
    if not (completed or started or finished or times or status in {"playing", "abandoned"}):
        return ()
    platform = platforms[0] if platforms else ""
    ended = completed or finished is not None
    return (
        PlaythroughRecord(
            key=key_of("hltb", [title], platform, started),
            status="finished" if ended else _unended(status),
            completion=next((level for _, level in times if level), None) if ended else None,
            platform=platform,
            started=started,
            finished=finished,
            seconds=max((seconds for seconds, _ in times), default=None),
            is_replay="replay" in cells["playthrough"].lower(),
        ),
    )


def _unended(status: Status | None) -> Status:
    return status if status in {"playing", "abandoned"} else "paused"


def _store(cell: str) -> Store | None:
    return None if is_blank(cell) else store_of(cell) or "other"
