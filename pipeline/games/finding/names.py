"""Read how people name games: by titles, IGDB's ids, slugs and addresses, also in lists of text, CSV or JSON. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from models.errors import LootwireError
from pipeline.fetch.shapes import clean

LARGEST_LIST = 16 * 1024 * 1024
MOST_ENTRIES = 20_000
LONGEST = 300
DEEPEST = 10
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?igdb\.com/games/(?P<slug>[a-z0-9-]{1,200})/?(?:[?#].*)?", re.IGNORECASE)
_ID = re.compile(r"igdb:\s*(?P<id>\d{1,18})", re.IGNORECASE)
_YEAR = re.compile(r"\b(19[5-9]\d|20\d\d)\b")
_IDS = ("igdb_id", "igdb", "igdbid")
_SLUGS = ("igdb_slug", "slug", "igdb_url", "url", "link")
_TITLES = ("title", "name", "game", "game_title", "game_name")
_YEARS = ("year", "release_year", "released", "release_date")
_PLATFORMS = ("platform", "platforms", "console", "system")
_MANY = ("games", "data", "items", "entries", "list", "library", "wishlist")
_SPLIT = re.compile(r"[;,|/]")


class GameName(msgspec.Struct, frozen=True, kw_only=True):
    """A game as a person wrote it; an id or a slug says which is meant, a title has to be matched."""

    written: str
    igdb_id: int | None = None
    slug: str | None = None
    year: int | None = None
    platforms: tuple[str, ...] = ()


class ReadGames(msgspec.Struct, frozen=True):
    """The games of a list in its order, and how it was read: `text`, `CSV (title)`, `JSON`."""

    games: tuple[GameName, ...]
    taken_as: str


def read_name(written: str, *, number_is_id: bool = False) -> GameName:
    """Read what a person wrote: `igdb:1020`, an address at igdb.com, or a title.

    A bare number is a title, as 1942 and 2048 are, unless `number_is_id`.
    """
    written = _one_line(written)
    if match := _ID.fullmatch(written):
        return GameName(written=written, igdb_id=int(match["id"]))
    if match := _ADDRESS.fullmatch(written):
        return GameName(written=written, slug=match["slug"].lower())
    if number_is_id and written.isascii() and written.isdigit() and len(written) <= 18:
        return GameName(written=written, igdb_id=int(written))
    return GameName(written=written)


def read_games(data: bytes) -> ReadGames:
    """Return the games of a list; raises `LootwireError` where it is no text, too large, or names none."""
    if len(data) > LARGEST_LIST:
        raise LootwireError(f"a list of games has {LARGEST_LIST // 1024**2} MB at most")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LootwireError("this is no list of games: it is not text in UTF-8") from None
    games, taken_as = _read("".join(sign for sign in text if sign >= " " or sign in "\t\r\n"))
    each = tuple(dict.fromkeys(game for game in games if game.written))
    if not each:
        raise LootwireError(f"this list names no games (read as {taken_as})")
    if len(each) > MOST_ENTRIES:
        raise LootwireError(f"this list names {len(each):,} games; {MOST_ENTRIES:,} at most")
    return ReadGames(each, taken_as)


def _read(text: str) -> tuple[list[GameName], str]:
    if text.lstrip()[:1] in {"[", "{"}:
        return list(_from_json(text)), "JSON"
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    delimiter = _delimiter(lines[0]) if lines else None
    if delimiter is not None:
        return _from_csv(lines, delimiter)
    return [read_name(line) for line in lines], "text"


def _delimiter(first: str) -> str | None:
    """Return the sign between columns. A comma alone proves nothing, it may be a title's: a header or quotes do."""
    for sign in ("\t", ";", ","):
        cells = [_key(cell) for cell in first.split(sign)]
        if any(cell in _TITLES + _IDS + _SLUGS for cell in cells) and (len(cells) > 1 or sign == ","):
            return sign
    if "\t" in first:
        return "\t"
    return "," if first.lstrip().startswith('"') else None


def _from_csv(lines: list[str], delimiter: str) -> tuple[list[GameName], str]:
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error as error:
        raise LootwireError(f"this list begins as CSV does, and cannot be read as such: {error}") from None
    header = [_key(cell) for cell in rows[0]]
    if not any(cell in _TITLES + _IDS + _SLUGS for cell in header):
        return [read_name(row[0]) for row in rows if row], "CSV (first column)"
    named = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    column = next(key for key in (*_IDS, *_SLUGS, *_TITLES) if key in header)
    return [game for row in named if (game := _from_fields(row))], f"CSV ({column})"


def _from_json(text: str) -> Iterator[GameName]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise LootwireError("this list begins as JSON does, and cannot be read as such") from None
    yield from _walk(value, 0)


def _walk(value: Any, depth: int) -> Iterator[GameName]:
    """Find the games in a document: titles and ids in a list, and objects that have one of them."""
    if depth > DEEPEST:
        raise LootwireError("this list is nested too deeply")
    if isinstance(value, list):
        for part in value:
            if isinstance(part, str | int) and not isinstance(part, bool):
                yield read_name(str(part), number_is_id=isinstance(part, int))
            else:
                yield from _walk(part, depth + 1)
    elif isinstance(value, dict):
        fields = {_key(key): part for key, part in value.items()}
        held = [fields[key] for key in _MANY if isinstance(fields.get(key), list)]
        if held:
            for part in held:
                yield from _walk(part, depth + 1)
        elif game := _from_fields(fields):
            yield game
        else:
            for part in value.values():
                yield from _walk(part, depth + 1) if isinstance(part, dict | list) else ()


def _from_fields(fields: dict[str, Any]) -> GameName | None:
    """Return the game of a row or an object; an `id` alone may be any shop's, only IGDB's says which game it is."""
    values = {key: part for key, part in fields.items() if part is not None and part != ""}
    title = next((str(values[key]) for key in _TITLES if isinstance(values.get(key), str | int)), None)
    number = next((str(values[key]).strip() for key in _IDS if str(values.get(key, "")).strip().isdecimal()), None)
    slug = next((match for key in _SLUGS if (match := _slug(str(values.get(key, "")).strip(), key))), None)
    if number is not None:
        name = read_name(number, number_is_id=True)
    elif slug is not None:
        name = GameName(written=slug, slug=slug)
    elif title is not None and _one_line(title):
        name = read_name(title)
    else:
        return None
    written = (_one_line(title) if title else "") or name.written
    return msgspec.structs.replace(name, written=written, year=_year(values), platforms=_platforms(values))


def _slug(written: str, key: str) -> str | None:
    """Return a slug of IGDB's: other shops have slugs and addresses of their own."""
    if match := _ADDRESS.fullmatch(written):
        return match["slug"].lower()
    return written.lower() if key == "igdb_slug" and re.fullmatch(r"[A-Za-z0-9-]{1,200}", written) else None


def _year(values: dict[str, Any]) -> int | None:
    matches = (_YEAR.search(str(values[key])) for key in _YEARS if key in values)
    return next((int(match[1]) for match in matches if match), None)


def _platforms(values: dict[str, Any]) -> tuple[str, ...]:
    value = next((values[key] for key in _PLATFORMS if key in values), "")
    parts = value if isinstance(value, list) else _SPLIT.split(str(value))
    return tuple(platform for part in parts if isinstance(part, str) and (platform := clean(part)))


def _one_line(written: str) -> str:
    return " ".join((clean(written) or "").split())[:LONGEST]


def _key(cell: str) -> str:
    return cell.strip().strip('"').lower().replace(" ", "_").replace("-", "_")
