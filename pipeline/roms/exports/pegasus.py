"""metadata.pegasus.txt of the Pegasus front end (https://pegasus-frontend.org/docs/user-guide/meta-files). Pure.

A line `key: value`, and indented ones that go on with it; `game:` and `collection:` begin an entry. A game is of the
collections above it, so a new one goes behind the games of its platform's. Favourites are in a file of Pegasus' own.
"""

import codecs
import re
from collections.abc import Collection, Mapping, Sequence

from models.names import name_key
from pipeline.roms.exports.markup import MOST_BYTES, Unreadable
from pipeline.roms.exports.merging import Listed, plain_path
from pipeline.roms.exports.records import GameToExport

_KEY = re.compile(r"([^\s:#][^:]*?)\s*:\s*(.*)")
_SINGULAR = {
    "files": "file",
    "developers": "developer",
    "publishers": "publisher",
    "genres": "genre",
    "sort_title": "sort-by",
}


class Collected:
    """The platform that new games are of, as Pegasus shows it and in short."""

    def __init__(self, name: str, short: str) -> None:
        self.name, self.short = name, short


class Pegasus:
    """A metadata file; without one, an empty one. It is a `merging.Document`."""

    def __init__(self, existing: bytes | None, collection: Collected) -> None:
        """Read a file; raises `Unreadable`."""
        data = existing or b""
        if len(data) > MOST_BYTES:
            raise Unreadable(f"it is larger than {MOST_BYTES // 2**20} MiB")
        self._existing = existing
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        data = data[len(self._bom) :]
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("it is not UTF-8", data[: error.start].count(b"\n") + 1) from error
        if "\0" in text:
            raise Unreadable("it is no text", text[: text.index("\0")].count("\n") + 1)
        self._end = "\r\n" if "\r\n" in text else "\n"
        # Each with its line break.
        self._lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        self._collection = collection
        # The first line of each game, and where its fields are: a range of lines by name.
        self._games: list[int] = []
        self._ends: list[int] = []
        self._fields: list[dict[str, tuple[int, int]]] = []
        self._collections: list[tuple[int, set[str]]] = []
        self._read()
        self._changes: list[tuple[int, int, list[str]]] = []
        self._inserts: dict[int, list[str]] = {}
        self._added: list[Listed] = []
        self._files = [self._paths(entry) for entry in range(len(self._games))]

    def keys(self) -> Sequence[str | None]:
        return [paths[0] if paths else None for paths in self._files]

    def further_files(self) -> set[str]:
        """Return the other files of games that have several, in the form in which paths are compared."""
        return {plain_path(path) for paths in self._files for path in paths[1:]}

    def hashes(self) -> Mapping[int, Collection[str]]:
        return {}

    def value(self, entry: int, field: str) -> str | None:
        if (lines := self._fields[entry].get(field)) is None:
            return None
        return "\n".join(self._texts(*lines)).strip("\n")

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        return all(self.value(entry, name) == text for name, text in values.items())

    def set(self, entry: int, field: str, value: str) -> None:
        if (lines := self._fields[entry].get(field)) is not None:
            key = self._lines[lines[0]].partition(":")[0]
            self._changes.append((*lines, _written(key, value)))
        else:
            self._inserts.setdefault(self._ends[entry], []).extend(_written(field, value))

    def set_key(self, entry: int, key: str) -> None:
        others = self._files[entry][1:]
        self.set(entry, "file", "\n".join([key, *others]))

    def add(self, listed: Listed) -> None:
        self._added.append(listed)

    def encode(self) -> bytes:
        if not (self._changes or self._inserts or self._added):
            return self._existing if self._existing is not None else b""
        self._append()
        changes = [*self._changes, *((at, at, lines) for at, lines in self._inserts.items())]
        lines = list(self._lines)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += self._end
        # From the end on, so that line numbers hold; what is put in before a place comes after changes of it.
        for start, end, new in sorted(changes, key=lambda change: (change[0], change[1]), reverse=True):
            lines[start:end] = [f"{line}{self._end}" for line in new]
        self._changes, self._inserts, self._added = [], {}, []
        return self._bom + "".join(lines).encode()

    def _read(self) -> None:
        field: str | None = None
        fields: dict[str, tuple[int, int]] = {}
        is_game = False
        for number, line in enumerate(self._lines):
            plain = line.rstrip("\r\n")
            if not plain.strip() or plain.startswith("#"):
                continue
            if plain[0] in " \t":
                if field in fields:
                    fields[field] = (fields[field][0], number + 1)
                    self._reach(number, is_game=is_game)
                continue
            match = _KEY.fullmatch(plain)
            if match is None:
                field = None
                continue
            key = match[1].casefold()
            field = _SINGULAR.get(key, key)
            if field in {"game", "collection"}:
                fields, is_game = {}, field == "game"
                if is_game:
                    self._games.append(number)
                    self._ends.append(number + 1)
                    self._fields.append(fields)
                else:
                    self._collections.append((number, {name_key(match[2])}))
            elif field == "shortname" and not is_game and self._collections:
                self._collections[-1][1].add(name_key(match[2]))
            # Of a field that is there twice only the first is looked at.
            if field not in fields:
                fields[field] = (number, number + 1)
            else:
                field = None
            self._reach(number, is_game=is_game)

    def _reach(self, number: int, *, is_game: bool) -> None:
        if is_game:
            self._ends[-1] = number + 1

    def _texts(self, start: int, end: int) -> list[str]:
        first = self._lines[start].partition(":")[2].strip()
        # Comments between the lines of a value are none of it.
        return [first, *(line.strip() for line in self._lines[start + 1 : end] if line[:1] in {" ", "\t"})]

    def _paths(self, entry: int) -> list[str]:
        lines = self._fields[entry].get("file")
        return [] if lines is None else [text for text in self._texts(*lines) if text]

    def _append(self) -> None:
        written: list[str] = []
        for each in self._added:
            written += ["", *_written("game", each.values["game"]), *_written("file", each.key)]
            for name, text in each.values.items():
                if name != "game":
                    written += _written(name, text)
        if not written:
            return
        wished = {name_key(self._collection.name), name_key(self._collection.short)}
        own = next((number for number, names in reversed(self._collections) if names & wished), None)
        if own is None:
            at = self._last_line(len(self._lines)) + 1
            head = [f"collection: {self._collection.name}", f"shortname: {self._collection.short}"]
            written = [*([""] if at else []), *head, *written]
        else:
            at = (
                self._last_line(next((number for number, _ in self._collections if number > own), len(self._lines))) + 1
            )
        self._inserts.setdefault(at, []).extend(written)

    def _last_line(self, before: int) -> int:
        """Return the last line that has anything on it, -1 where none has; comments before an entry are its own."""
        is_end = before == len(self._lines)
        numbers = (number for number in range(before - 1, -1, -1) if self._lines[number].strip())
        return next((number for number in numbers if is_end or not self._lines[number].startswith("#")), -1)


def listed(game: GameToExport, key: str, tail: str) -> Listed:
    """Return a ROM as a game has it; of a text each line is a paragraph."""
    released = game.released_on.isoformat() if game.released_on is not None else game.year and f"{game.year:04}"
    paragraphs = [" ".join(line.split()) for line in (game.description or "").splitlines() if line.strip()]
    values = {
        "game": " ".join(game.title.split()) or game.dat_name,
        "developer": _line(game.developer),
        "publisher": _line(game.publisher),
        "genre": _line(", ".join(game.genres)),
        "players": game.players or "",
        "release": released or "",
        "rating": "" if game.rating is None else f"{game.rating:.0f}%",
        "description": "\n.\n".join(paragraphs),
    }
    return Listed(game=game, key=key, tail=tail, values={name: text for name, text in values.items() if text})


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _written(key: str, value: str) -> list[str]:
    """Return a field as lines."""
    first, *rest = value.split("\n")
    if rest and key in {"file", "files"}:
        return ["files:", *(f"  {line}" for line in (first, *rest))]
    return [f"{key}: {first}", *(f"  {line}" for line in rest)]
