"""DATs in XML, event by event: nothing is held but the game that is read.

Expat does the parsing: it loads nothing from anywhere, and takes half as long as building trees with lxml. Entities are
refused where they are declared, since no DAT has any.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol
from xml.parsers import expat

from models.errors import UsageError
from pipeline.roms.dats import limits
from pipeline.roms.dats.counting import within_limits
from pipeline.roms.dats.dat import Dat, DatHeader, refuse
from pipeline.roms.dats.logiqx import LogiqxReader
from pipeline.roms.dats.softwarelist import SoftwareListReader
from pipeline.roms.dats.source import Source
from pipeline.roms.records import DatGameRecord, DatKind

# Parts of a text that are kept: each has up to 8 KiB, and a text that goes on is cut anyway.
_PARTS = 64


class Reader(Protocol):
    """Takes the elements of a format and makes games of them, which the caller takes away."""

    kind: DatKind
    taken_for: str
    games: list[DatGameRecord]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        ...

    def end(self, name: str, text: str) -> None:
        """Take the end of an element, with the text since its start or the last element in it."""
        ...

    def header(self) -> DatHeader:
        """Return the header, as far as it was read."""
        ...


def read_xml(source: Source, blocks: Iterator[bytes]) -> Dat:
    """Return the DAT that an XML file is, by its root element; raises `UsageError` where it is none."""
    parsing = _Parsing(source)
    games = within_limits(parsing.games(blocks), source.name)
    # With the first game the header is over.
    first = next(games, None)
    reader = parsing.reader
    return Dat(kind=reader.kind, header=reader.header(), games=_with(first, games))


def _with(first: DatGameRecord | None, games: Iterator[DatGameRecord]) -> Iterator[DatGameRecord]:
    if first is not None:
        yield first
        yield from games


class _Parsing:
    """Feeds a parser and hands its elements to the reader that the root element asks for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._reader: Reader | None = None
        self._depth = 0
        self._text: list[str] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        self._parser = parser

    @property
    def reader(self) -> Reader:
        if self._reader is None:
            # Expat takes a file without an element for not well-formed.
            self._refuse("has no element")
        return self._reader

    def games(self, blocks: Iterator[bytes]) -> Iterator[DatGameRecord]:
        fed = 0
        for block in blocks:
            fed += len(block)
            self._feed(block, is_last=False)
            # Expat reads an element's start or a comment anew with each block until it ends.
            if fed - max(self._parser.CurrentByteIndex, 0) > limits.MAX_TOKEN:
                self._refuse(f"has more than {limits.MAX_TOKEN >> 20} MiB between two signs that belong together")
            yield from self._take()
        self._feed(b"", is_last=True)
        yield from self._take()

    def _take(self) -> list[DatGameRecord]:
        if self._reader is None:
            return []
        games, self._reader.games = self._reader.games, []
        return games

    def _feed(self, block: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(block, is_last)
        except expat.ExpatError as error:
            self._refuse(f"is not well-formed: {expat.ErrorString(error.code)}", error.lineno)
        except UsageError as error:
            if str(error).startswith(self._source.name):
                raise
            self._refuse(f"is not as it should be: {error}", self._parser.CurrentLineNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._reader is None:
            self._reader = _reader_of(name, self._source)
        self._depth += 1
        if self._depth > limits.MAX_DEPTH:
            self._refuse(f"has elements more than {limits.MAX_DEPTH} deep")
        self._text.clear()
        self._reader.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.reader.end(name, "".join(self._text))
        self._text.clear()

    def _characters(self, text: str) -> None:
        if len(self._text) < _PARTS:
            self._text.append(text)

    def _entity(self, name: str, *_: Any) -> None:
        self._refuse(f"has the entity “{name[:60]}”: DATs have none, and none is read", self._parser.CurrentLineNumber)

    def _refuse(self, why: str, line: int | None = None) -> NoReturn:
        taken_for = "an XML file" if self._reader is None else self._reader.taken_for
        refuse(self._source.name, taken_for, f"in line {line:,} it {why}" if line else f"it {why}")


def _reader_of(root: str, source: Source) -> Reader:
    if root in {"softwarelist", "softwarelists"}:
        return SoftwareListReader(source.name)
    if root not in {"datafile", "mame"}:
        why = f"its outermost element is “{root[:60]}”: that of a DAT is “datafile”, “mame” or “softwarelist”"
        refuse(source.name, "an XML file", why)
    return LogiqxReader(source.name)
