"""A collection as CSV for spreadsheets: a row a ROM. Pure.

It is merged like the others: columns and rows that are not ours stay, and so does a cell that somebody changed.
"""

import codecs
import csv
import io
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC

from pipeline.roms.exports.markup import MOST_BYTES, Unreadable
from pipeline.roms.exports.merging import Listed
from pipeline.roms.exports.records import GameToExport

PATH = "path"
COLUMNS = (
    *("path", "title", "platform", "year", "released", "developer", "publisher", "genre", "players", "rating"),
    *("favourite", "status", "hours", "last_played", "region", "language", "disc", "dat_name", "verdict", "size"),
    *("crc32", "md5", "sha1", "igdb_id", "description"),
)


class Table:
    """A CSV file; without one, an empty one. It is a `merging.Document`."""

    def __init__(self, existing: bytes | None) -> None:
        """Read a file; raises `Unreadable` where its first row names no `path`."""
        self._existing = existing
        data = existing or b""
        if len(data) > MOST_BYTES:
            raise Unreadable(f"it is larger than {MOST_BYTES // 2**20} MiB")
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            text = data[len(self._bom) :].decode()
        except UnicodeDecodeError as error:
            raise Unreadable("it is not UTF-8", data[: error.start].count(b"\n") + 1) from error
        self._end = "\r\n" if "\r\n" in text else "\n"
        head = text.partition("\n")[0]
        self._comma = max(",;\t", key=head.count) if head else ","
        rows = _rows(text, self._comma)
        self._names = rows[0] if rows else list(COLUMNS)
        if PATH not in self._names:
            raise Unreadable(f"its first row has no column {PATH!r}", 1)
        self._rows = rows[1:]
        self._count = len(self._rows)
        self._places = {name: place for place, name in reversed(list(enumerate(self._names)))}
        self._is_changed = False

    def keys(self) -> Sequence[str | None]:
        return [self.value(entry, PATH) for entry in range(self._count)]

    def hashes(self) -> Mapping[int, Collection[str]]:
        cells = ((entry, self.value(entry, "sha1")) for entry in range(self._count))
        return {entry: {cell.casefold()} for entry, cell in cells if cell}

    def value(self, entry: int, field: str) -> str | None:
        place, row = self._places.get(field), self._rows[entry]
        return row[place] if place is not None and place < len(row) else None

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        return all(self.value(entry, name) == text for name, text in values.items())

    def set(self, entry: int, field: str, value: str) -> None:
        # A column that somebody took away stays away.
        if (place := self._places.get(field)) is not None:
            row = self._rows[entry]
            row.extend([""] * (place + 1 - len(row)))
            row[place] = value
            self._is_changed = True

    def set_key(self, entry: int, key: str) -> None:
        self.set(entry, PATH, key)

    def add(self, listed: Listed) -> None:
        self._rows.append([listed.key if name == PATH else listed.values.get(name, "") for name in self._names])
        self._is_changed = True

    def encode(self) -> bytes:
        if not self._is_changed and self._existing is not None:
            return self._existing
        written = io.StringIO()
        sheet = csv.writer(written, delimiter=self._comma, lineterminator=self._end)
        sheet.writerow(self._names)
        sheet.writerows(self._rows)
        return self._bom + written.getvalue().encode()


def listed(game: GameToExport, key: str, tail: str, platform: str) -> Listed:
    """Return a ROM as a row has it; hours have two decimals, ratings go to 10."""
    values = {
        "title": game.title,
        "platform": platform,
        "year": "" if game.year is None else str(game.year),
        "released": "" if game.released_on is None else game.released_on.isoformat(),
        "developer": game.developer or "",
        "publisher": game.publisher or "",
        "genre": ", ".join(game.genres),
        "players": game.players or "",
        "rating": "" if game.rating is None else f"{game.rating / 10:g}",
        "favourite": "yes" if game.is_favourite else "",
        "status": game.status or "",
        "hours": "" if not game.seconds else f"{game.seconds / 3600:.2f}",
        "last_played": "" if game.last_played_at is None else f"{game.last_played_at.astimezone(UTC):%Y-%m-%d}",
        "region": ", ".join(game.regions),
        "language": ", ".join(game.languages),
        "disc": "" if game.disc is None else str(game.disc),
        "dat_name": game.dat_name,
        "verdict": game.verdict,
        "size": "" if game.size is None else str(game.size),
        "crc32": "" if game.crc32 is None else f"{game.crc32:08x}",
        "md5": "" if game.md5 is None else game.md5.hex(),
        "sha1": "" if game.sha1 is None else game.sha1.hex(),
        "igdb_id": "" if game.igdb_id is None else str(game.igdb_id),
        "description": game.description or "",
    }
    said = {name: text for name, text in values.items() if text}
    hashes = () if game.sha1 is None else (game.sha1.hex(),)
    return Listed(game=game, key=key, tail=tail, values=said, hashes=hashes)


def _rows(text: str, comma: str) -> list[list[str]]:
    sheet = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    try:
        return list(sheet)
    except csv.Error as error:
        raise Unreadable(f"it is no CSV: {error}", sheet.line_num) from error
