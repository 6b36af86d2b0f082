"""Backloggd, which has no export of its own: `backloggd-transfer` JSON, and the CSV that importers for it read. Pure.

Ratings go from 1 to 10, in half stars. Slugs are IGDB's, and platforms of the JSON are IGDB's ids. The flags say where
a game stands: the status word is what a form sent along, "completed" even for what only waits.
https://github.com/NemoKing1210/backloggd-data-transfer, docs/transfer-format.md
"""

import re

import msgspec

from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import read_value
from pipeline.library.formats.building import key_of, read_elements, reading
from pipeline.library.formats.cells import Cells, read_cells
from pipeline.library.formats.dates import date_of
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, listed
from pipeline.library.formats.values import note_of, number_of, rating_of, seconds_of, shown, title_of, words_of
from pipeline.library.formats.words import PLATFORMS_BY_IGDB_ID, flag_of, is_blank, ownership_of, status_of
from pipeline.library.records import Ownership, PlaythroughRecord, Reading, ReadOptions, Record, Status

_VERSION = 2
_SCALE = 10
_SLUG = re.compile(r"[a-z0-9-]{1,200}")
_MOST = 200
_TEXT = msgspec.json.Decoder(str)
_NUMBER = msgspec.json.Decoder(int)

Number = int | float | None


class _Log(msgspec.Struct):
    game_liked: bool | None = None
    is_play: bool | None = None
    is_playing: bool | None = None
    is_backlog: bool | None = None
    is_wishlist: bool | None = None
    status: str | None = None
    total_hours: Number = None
    total_minutes: Number = None


class _Playthrough(msgspec.Struct):
    rating: Number = None
    review: str | None = None
    platform: int | str | None = None
    hours_played: Number = None
    mins_played: Number = None
    is_master: bool | None = None
    is_replay: bool | None = None
    start_date: str | None = None
    finish_date: str | None = None


class _Range(msgspec.Struct):
    range_start_date: str | None = None
    range_end_date: str | None = None
    note: str | None = None


class _Entry(msgspec.Struct):
    title: str
    slug: str | None = None
    log: _Log | None = None
    playthroughs: list[_Playthrough] = []
    dates: list[_Range] = []


class TransferJson:
    """A file of Backloggd Data Transfer, version 2."""

    name = "backloggd"
    taken_for = "a backloggd-transfer file"

    def recognises(self, look: Look) -> bool:
        return "format" in look.members and read_value(_TEXT, look.members["format"]) == "backloggd-transfer"

    def read(self, look: Look, options: ReadOptions) -> Reading:
        version = read_value(_NUMBER, look.members["version"]) if "version" in look.members else None
        if version != _VERSION:
            refuse(look, self.taken_for, f"is of version {version}; version {_VERSION} can be read: export it again")
        if "entries" not in look.members:
            refuse(look, self.taken_for, "lacks its `entries`")
        records, broken = read_elements(listed(look.members["entries"]), _Entry, _entry)
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _entry(line: int, entry: _Entry) -> Record:
    title = title_of(entry.title)
    log = entry.log or _Log()
    status, ownership = _standing(log, log.status or "")
    ways = entry.playthroughs[:_MOST]
    rated = next((rating for way in ways if (rating := rating_of(way.rating or None, _SCALE))), None)
    playthroughs = tuple(_playthrough(title, way, entry, status) for way in ways if _says_something(way, entry, status))
    return Record(
        line=line,
        written=title,
        igdb_slug=entry.slug if entry.slug and _SLUG.fullmatch(entry.slug) else None,
        platforms=words_of([_platform(way.platform) for way in ways]),
        ownership=ownership,
        status=status,
        rating=rated[0] if rated else None,
        rating_scale=rated[1] if rated else None,
        is_favourite=bool(log.game_liked),
        notes=note_of(*(way.review for way in ways), *(each.note for each in entry.dates[:_MOST])),
        playthroughs=playthroughs,
    )


def _standing(log: _Log, word: str) -> tuple[Status | None, Ownership | None]:
    """Return where a game stands: flags first, then the word, which says how the playing ended."""
    ownership: Ownership | None = "wished" if log.is_wishlist else None
    if log.is_playing:
        return "playing", ownership
    if log.is_play:
        status = status_of(word)
        return (status if status not in {None, "backlog", "playing"} else "paused"), ownership
    if log.is_backlog:
        return "backlog", ownership
    if log.is_wishlist or any(flag is not None for flag in (log.is_play, log.is_playing, log.is_backlog)):
        return None, ownership
    return status_of(word), ownership_of(word)


def _says_something(way: _Playthrough, entry: _Entry, status: Status | None) -> bool:
    dated = way.start_date or way.finish_date or entry.dates or way.hours_played or way.mins_played
    return bool(dated) or status in {"finished", "mastered", "abandoned", "playing"}


def _playthrough(title: str, way: _Playthrough, entry: _Entry, status: Status | None) -> PlaythroughRecord:
    started, finished = date_of(way.start_date or ""), date_of(way.finish_date or "")
    log = entry.log or _Log()
    # Ranges are of the game; only where there is one time through it is known whose they are.
    is_only = len(entry.playthroughs) == 1
    if is_only:
        begins = [date for each in entry.dates[:_MOST] if (date := date_of(each.range_start_date or ""))]
        ends = [date for each in entry.dates[:_MOST] if (date := date_of(each.range_end_date or ""))]
        started = started or min(begins, default=None)
        finished = finished or (max(ends, default=None) if status in {"finished", "mastered", "abandoned"} else None)
    platform = _platform(way.platform)
    seconds = _seconds(way.hours_played, way.mins_played)
    if seconds is None and is_only:
        seconds = _seconds(log.total_hours, log.total_minutes)
    ended: Status = status or "finished" if status != "backlog" else "finished"
    return PlaythroughRecord(
        key=key_of("backloggd", [entry.slug or title], platform, started),
        status=ended if finished or status in {"finished", "mastered", "abandoned", "playing"} else "paused",
        completion="all" if way.is_master else "main" if status == "finished" else None,
        platform=platform,
        started=started,
        finished=finished,
        seconds=seconds,
        is_replay=bool(way.is_replay),
    )


def _platform(number: int | str | None) -> str:
    if isinstance(number, str):
        number = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None
    return PLATFORMS_BY_IGDB_ID.get(number or 0, "")


def _seconds(hours: Number, minutes: Number) -> int | None:
    if not hours and not minutes:
        return None
    if not (0 <= (hours or 0) < 10**6 and 0 <= (minutes or 0) < 10**8):
        raise InvalidItem(f"{shown(hours)} hours and {shown(minutes)} minutes are no time played")
    return round((hours or 0) * 3600 + (minutes or 0) * 60)


_COLUMNS = ("game name", "platform", "is_play", "is_playing", "is_backlog", "is_wishlist")


class ImporterCsv:
    """A CSV for importers of Backloggd: a game, its platform, flags, status and score."""

    name = "backloggd-csv"
    taken_for = "a list for Backloggd"

    def recognises(self, look: Look) -> bool:
        return {"is_play", "is_playing", "is_backlog", "is_wishlist"} <= look.columns

    def read(self, look: Look, options: ReadOptions) -> Reading:
        records, broken = read_cells(look, self.taken_for, _COLUMNS, _row, "game name")
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _row(cells: Cells) -> Record:
    title = title_of(cells["game name"])
    platforms = words_of([cells["platform"]])
    log = _Log(
        is_play=flag_of(cells["is_play"]),
        is_playing=flag_of(cells["is_playing"]),
        is_backlog=flag_of(cells["is_backlog"]),
        is_wishlist=flag_of(cells["is_wishlist"]),
    )
    status, ownership = _standing(log, cells["status"])
    rating = None
    if not is_blank(cells["score"]):
        number = number_of(cells["score"])
        if number is None:
            raise InvalidItem(f"{shown(cells['score'])} is no rating")
        rating = rating_of(number or None, _SCALE)
    playthroughs: tuple[PlaythroughRecord, ...] = ()
    if status in {"finished", "mastered", "abandoned", "playing", "paused"}:
        playthroughs = (
            PlaythroughRecord(
                key=key_of("backloggd", [title], *platforms),
                status=status,
                platform=platforms[0] if platforms else "",
                seconds=seconds_of(cells["hours"], "hours"),
            ),
        )
    return Record(
        line=cells.line,
        written=title,
        platforms=platforms,
        ownership=ownership,
        status=status,
        rating=rating[0] if rating else None,
        rating_scale=rating[1] if rating else None,
        notes=note_of(cells["review"]),
        playthroughs=playthroughs,
    )
