"""Grouvee's CSV: 15 columns until about 2021, 20 since, with `igdb_id`. Pure.

Cells hold JSON: shelves, platforms and series by name, and under `dates` each time through, where `"None"` is a text.
Ratings go from 1 to 5. A time through that ended, or reached a level of completion, says more than the shelf that the
game was left on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import UNREADABLE
from pipeline.library.formats.building import key_of, reading
from pipeline.library.formats.cells import Cells, read_cells
from pipeline.library.formats.dates import date_of
from pipeline.library.formats.look import Look
from pipeline.library.formats.values import (
    MOST_SECONDS,
    count_of,
    note_of,
    number_of,
    rating_of,
    title_of,
    whole_of,
    words_of,
    year_of,
)
from pipeline.library.formats.words import completion_of, is_blank, ownership_of, status_of
from pipeline.library.records import Ownership, PlaythroughRecord, Reading, ReadOptions, Record, Status

_NEEDED = ("id", "name", "shelves")
_TELLING = frozenset({"name", "shelves", "giantbomb_id"})
# Grouvee has no other shelf for what is finished; those that a person made are tags.
_SHELVES: Mapping[str, Status | None] = {
    "played": "finished",
    "playing": "playing",
    "backlog": "backlog",
    "wish list": None,
}
_MOST_DATES = 200


class _Dates(msgspec.Struct):
    date_started: str | None = None
    date_finished: str | None = None
    seconds_played: int | float | None = None
    level_of_completion: str | None = None


_NAMED: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_LISTED: msgspec.json.Decoder[list[_Dates]] = msgspec.json.Decoder(list[_Dates])


class Grouvee:
    """A Grouvee export."""

    name = "grouvee"
    taken_for = "a Grouvee export"

    def recognises(self, look: Look) -> bool:
        return look.columns >= _TELLING

    def read(self, look: Look, options: ReadOptions) -> Reading:
        records, broken = read_cells(look, self.taken_for, _NEEDED, _record, "name")
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _record(cells: Cells) -> Record:
    title = title_of(cells["name"])
    shelves = _names(cells["shelves"], "shelves")
    platforms = words_of(_names(cells["platforms"], "platforms"))
    dates = _dates(cells["dates"])
    playthroughs = _playthroughs(cells["id"] or title, dates, shelves, platforms)
    rating = rating_of(number_of(cells["rating"]) or None, 5) if not is_blank(cells["rating"]) else None
    return Record(
        line=cells.line,
        written=title,
        year=year_of(cells["release_date"]),
        igdb_id=whole_of(cells["igdb_id"]),
        platforms=platforms,
        ownership=_ownership(shelves),
        status=_status(shelves, playthroughs),
        rating=rating[0] if rating else None,
        rating_scale=rating[1] if rating else None,
        tags=words_of([shelf for shelf in shelves if shelf.lower() not in _SHELVES]),
        notes=note_of(cells["review_title"], cells["review"]),
        series=next(
            iter(words_of([*_names(cells["series"], "series"), *_names(cells["franchises"], "franchises")])), None
        ),
        playthroughs=playthroughs,
    )


def _names(cell: str, column: str) -> Sequence[str]:
    if is_blank(cell):
        return []
    try:
        return list(_NAMED.decode(cell))
    except UNREADABLE as error:
        raise InvalidItem(f"`{column}` holds JSON that cannot be read: {error}") from error


def _dates(cell: str) -> Sequence[_Dates]:
    if is_blank(cell):
        return []
    try:
        return _LISTED.decode(cell)[:_MOST_DATES]
    except UNREADABLE as error:
        raise InvalidItem(f"`dates` holds JSON that cannot be read: {error}") from error


def _playthroughs(
    game: str, dates: Sequence[_Dates], shelves: Sequence[str], platforms: Sequence[str]
) -> tuple[PlaythroughRecord, ...]:
    ways: list[PlaythroughRecord] = []
    for each in dates:
        started, finished = date_of(each.date_started or ""), date_of(each.date_finished or "")
        completion = completion_of(each.level_of_completion or "")
        seconds = count_of(each.seconds_played, "seconds_played", MOST_SECONDS) or None
        if not (started or finished or completion or seconds):
            continue
        ended = finished is not None or completion is not None
        ways.append(
            PlaythroughRecord(
                key=key_of("grouvee", [game], started),
                status="finished" if ended else _unended(shelves),
                completion=completion,
                platform=platforms[0] if len(platforms) == 1 else "",
                started=started,
                finished=finished,
                seconds=seconds,
            )
        )
    return tuple(ways)


def _unended(shelves: Sequence[str]) -> Status:
    """Return how a time through stands that has no end: as its shelf says, and on a backlog it rests."""
    status = next((status for shelf in shelves if (status := _SHELVES.get(shelf.lower())) is not None), None)
    return status if status in {"finished", "playing"} else "paused"


def _status(shelves: Sequence[str], ways: Sequence[PlaythroughRecord]) -> Status | None:
    on = {shelf.lower() for shelf in shelves}
    if "playing" in on and (not ways or any(way.status == "playing" for way in ways)):
        return "playing"
    if any(way.status == "finished" for way in ways):
        return "finished"
    by_shelf = [_SHELVES.get(shelf.lower()) or status_of(shelf) for shelf in shelves]
    return next((status for status in by_shelf if status is not None), None)


def _ownership(shelves: Sequence[str]) -> Ownership | None:
    return next((had for shelf in shelves if (had := ownership_of(shelf)) is not None), None)
