"""Our own export: JSON Lines, a line that says so, then each list, then each game. Nothing is lost on the way. Pure.

    {"schema":"lootwire.library","version":1}
    {"list":{"name":"Top 25","ranked":true}}
    {"game":{"written":"Ico","status":"finished","playthroughs":[…],"placings":[{"name":"Top 25","place":7}]}}

A game is a `pipeline.library.records.Record` without its `line`; what is not said is left out.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.errors import UsageError
from models.periods import read_period
from models.printable import on_a_line
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import MOST, UNREADABLE
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look
from pipeline.library.formats.table import WRITTEN
from pipeline.library.formats.values import FIRST_YEAR, LAST_YEAR, LONGEST_NOTE, LONGEST_TITLE, MOST_SECONDS
from pipeline.library.records import Broken, ListRecord, Placing, PlaythroughRecord, Reading, ReadOptions, Record

SCHEMA = "lootwire.library"
VERSION = 1
_LONGEST_ID = 500
_LONGEST_ADDRESS = 2000
# As `library set --year` has it.
_FIRST_OWN_YEAR = 1947


class _Head(msgspec.Struct, kw_only=True):
    schema: str
    version: int


class Game(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A game as a line of ours has it: a record without its place in a file."""

    line: int = 0


class _Line(msgspec.Struct, kw_only=True):
    list: ListRecord | None = None
    game: Game | None = None


_HEAD = msgspec.json.Decoder(_Head)
_LINE = msgspec.json.Decoder(_Line)


def export_lines(records: Iterable[Record], lists: Iterable[ListRecord] = ()) -> Iterator[bytes]:
    r"""Yield a library as lines of JSON in UTF-8, each with its `\n`; what `OwnLines` reads is equal but for `line`."""
    yield _line({"schema": SCHEMA, "version": VERSION})
    for each in lists:
        yield _line({"list": each})
    for record in records:
        game = msgspec.to_builtins(record)
        del game["line"]
        yield _line({"game": game})


def _line(value: dict[str, Any]) -> bytes:
    # JSON lets DEL stand as it is, and control characters of a file are nobody's text (`as_text`).
    return msgspec.json.encode(value).replace(b"\x7f", b"\\u007f") + b"\n"


class OwnLines:
    """A library that Lootwire exported."""

    name = "lootwire"
    taken_for = "a library of Lootwire's"

    def recognises(self, look: Look) -> bool:
        return _head(look) is not None

    def read(self, look: Look, _options: ReadOptions, /) -> Reading:
        head = _head(look)
        if head is None:
            refuse(look, self.taken_for, f"does not begin with the line of its schema, `{SCHEMA}`")
        if head.version != VERSION:
            refuse(
                look, self.taken_for, f"is of version {head.version}; this Lootwire reads version {VERSION}: update it"
            )
        records: list[Record] = []
        lists: list[ListRecord] = []
        broken: list[Broken] = []
        has_head = False
        for number, line in enumerate(look.text.split("\n"), 1):
            if not line.strip():
                continue
            if not has_head:
                has_head = True
                continue
            try:
                part = _part(line, number)
            except (InvalidItem, *UNREADABLE) as error:
                broken.append(Broken(line=number, written=on_a_line(line, WRITTEN), reason=_reason(error)))
                continue
            if isinstance(part, ListRecord):
                lists.append(part)
            else:
                records.append(part)
        if not records and not lists and not broken:
            raise UsageError(f"{look.name} was taken for {self.taken_for}, and names no game")
        return Reading(format=self.name, taken_for=self.taken_for, records=records, lists=lists, broken=broken)


def _head(look: Look) -> _Head | None:
    line = look.text.lstrip()[:500].partition("\n")[0]
    if f'"{SCHEMA}"' not in line:
        return None
    try:
        head = _HEAD.decode(line)
    except UNREADABLE:
        return None
    return head if head.schema == SCHEMA else None


def _part(line: str, number: int) -> ListRecord | Record:
    part = _LINE.decode(line)
    if part.list is not None:
        return _checked_list(part.list)
    if part.game is None:
        raise InvalidItem("it has neither a `list` nor a `game`")
    return checked(part.game, number)


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidItem):
        return str(error)
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"it is no line of an export: {error}"


def _checked_list(each: ListRecord) -> ListRecord:
    _check_text("name", each.name, LONGEST_TITLE, needed=True)
    _check_text("description", each.description, LONGEST_NOTE)
    return each


def checked(game: Game, line: int) -> Record:
    """Return a record that can be stored, raising `InvalidItem`: a file may have been changed by hand."""
    values = {name: getattr(game, name) for name in game.__struct_fields__}
    record = Record(**{**values, "line": line, "last_played_at": _moment(game.last_played_at)})
    _check_text("written", record.written, LONGEST_TITLE, needed=True)
    for name in ("title", "no_game", "series", "own_name"):
        _check_text(name, getattr(record, name), LONGEST_TITLE)
    _check_text("cover_url", record.cover_url, _LONGEST_ADDRESS)
    if record.cover_url is not None and not record.cover_url.startswith(("https://", "http://")):
        raise InvalidItem("`cover_url` is no address of a picture: it begins with https://")
    _check_text("external_id", record.external_id, _LONGEST_ID)
    _check_text("igdb_slug", record.igdb_slug, _LONGEST_ID)
    _check_text("notes", record.notes, LONGEST_NOTE)
    for text in (*record.platforms, *record.tags, *record.genres):
        _check_text("platforms, tags and genres", text, LONGEST_TITLE, needed=True)
    _check_number("igdb_id", record.igdb_id, 1, MOST)
    _check_number("year", record.year, FIRST_YEAR, LAST_YEAR)
    _check_number("own_year", record.own_year, _FIRST_OWN_YEAR, LAST_YEAR)
    _check_number("playtime_seconds", record.playtime_seconds, 0, MOST_SECONDS)
    _check_rating(record.rating, record.rating_scale)
    for playthrough in record.playthroughs:
        _check_playthrough(playthrough)
    for placing in record.placings:
        _check_placing(placing)
    return record


def _check_playthrough(each: PlaythroughRecord) -> None:
    _check_text("key", each.key, _LONGEST_ID, needed=True)
    _check_text("platform", each.platform, LONGEST_TITLE)
    _check_text("notes", each.notes, LONGEST_NOTE)
    _check_number("seconds", each.seconds, 0, MOST_SECONDS)
    _check_rating(each.rating, each.rating_scale)
    for name, written in (("started", each.started), ("finished", each.finished)):
        period = read_period(written)
        if written is not None and (period is None or period.year is None):
            raise InvalidItem(f"`{name}` is no date: 2026-07-26, 2026-07, 1999-Q3 and 2026 are")


def _check_placing(each: Placing) -> None:
    _check_text("name", each.name, LONGEST_TITLE, needed=True)
    _check_number("place", each.place, 1, MOST)


def _check_text(name: str, text: str | None, longest: int, *, needed: bool = False) -> None:
    if (needed and not (text or "").strip()) or "\0" in (text or ""):
        raise InvalidItem(f"`{name}` is empty, or holds what no database keeps")
    if text is not None and len(text) > longest:
        raise InvalidItem(f"`{name}` is longer than {longest:,} characters")


def _check_number(name: str, number: int | None, least: int, most: int) -> None:
    if number is not None and not least <= number <= most:
        raise InvalidItem(f"`{name}` is not within {least} and {most}")


def _check_rating(rating: float | None, scale: int | None) -> None:
    if rating is not None and not 0 <= rating <= 100:
        raise InvalidItem("`rating` is not within 0 and 100")
    _check_number("rating_scale", scale, 1, 1000)


def _moment(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    try:
        utc = at.astimezone(UTC) if at.tzinfo is not None else None
    except OverflowError:
        utc = None
    if utc is None or not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise InvalidItem("`last_played_at` is no time with a zone")
    return utc
