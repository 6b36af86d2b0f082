"""The text format of ClrMamePro, which libretro writes, and the dialect of DOSCenter. Pure.

A word with a value, or with more words in parentheses; a text with spaces stands in quotes. DOSCenter's lists have
their header line by line (`Name: Total DOS Collection`), and names of files without quotes.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn, Union

from models.errors import UsageError
from pipeline.roms.dats import fields, limits
from pipeline.roms.dats.counting import check_files, within_limits
from pipeline.roms.dats.dat import Dat, DatHeader, refuse
from pipeline.roms.dats.naming import stem_of
from pipeline.roms.dats.source import Source, lines
from pipeline.roms.records import DatGameRecord, DatRomRecord

TAKEN_FOR = "a DAT in clrmamepro's format"
BEGINNING = re.compile(rb"\s*(?:clrmamepro|doscenter|emulator|romvault|game|machine|resource)\s*\(", re.IGNORECASE)
# A word, what stands in quotes, or neither; a quote in a text has a backslash before it.
_TOKENS = re.compile(r'"((?:[^"\\]|\\"?+)*+)"|(\S+)')
_WITHOUT_ESCAPES = re.compile(r'"([^"]*+)"|(\S+)')
_DOSCENTER_FILE = re.compile(r"\s*file \( name (.+) size (\d+) (?:date \S+(?: \S+)? )?crc ([0-9A-Fa-f]{1,8}) \)\s*")
_DOSCENTER_FIELD = re.compile(r"\s*(\w[\w ]*):\s*(.*?)\s*")
# A comment in the header may go over some lines.
_LINES_OF_A_TEXT = 200
_LONGEST_LINE = 2**16
_GAMES = frozenset({"game", "machine", "resource"})
_HEADERS = frozenset({"clrmamepro", "doscenter", "emulator", "romvault"})
_FILES = frozenset({"rom", "file"})
_PARENTHESES = frozenset({"(", ")"})

Value = Union[str, "Entries"]
Entries = list[tuple[str, Value]]
Block = tuple[str, Entries]
# A word, and whether it stood in quotes.
Token = tuple[str, bool]


def read_clrmamepro(source: Source, blocks: Iterator[bytes]) -> Dat:
    """Return the DAT of a text; the header comes first, and without a name it goes by its file's."""
    parsed = _Parsing(source).blocks(lines(source, blocks))
    first = next(parsed, None)
    header = _texts(first[1]) if first is not None and first[0] in _HEADERS else {}
    games = _games(source, ([first] if first is not None else []), parsed)
    return Dat(
        kind="clrmamepro",
        header=DatHeader(
            name=fields.text_of(header.get("name") or header.get("description")) or stem_of(source.name),
            version=fields.text_of(header.get("version") or header.get("date")) or "",
            description=fields.text_of(header.get("description")),
        ),
        games=within_limits(games, source.name),
    )


def _games(source: Source, first: Iterable[Block], others: Iterable[Block]) -> Iterator[DatGameRecord]:
    for parsed in (first, others):
        for word, entries in parsed:
            if word in _GAMES:
                yield _game(source, word, entries)


def _game(source: Source, word: str, entries: Entries) -> DatGameRecord:
    texts = _texts(entries)
    name = fields.text_of(texts.get("name")) or ""
    roms: list[DatRomRecord] = []
    for key, value in entries:
        if isinstance(value, list) and (key in _FILES or key == "disk"):
            try:
                roms.append(fields.rom(_texts(value), is_disk=key == "disk"))
            except UsageError as error:
                refuse(source.name, TAKEN_FOR, f"“{name[:60]}” has a file that is not as it should be: {error}")
    check_files(len(roms), source.name, name)
    serial = texts.get("serial") or next(
        (_texts(rom).get("serial") for _, rom in entries if isinstance(rom, list)), None
    )
    return DatGameRecord(
        name=name,
        roms=roms,
        description=fields.text_of(texts.get("description")),
        parent=fields.text_of(texts.get("cloneof")),
        year=fields.year(texts.get("year") or texts.get("releaseyear")),
        maker=fields.text_of(texts.get("manufacturer") or texts.get("publisher") or texts.get("developer")),
        serial=fields.text_of(serial),
        role=fields.role(name, is_bios=word == "resource" or texts.get("isbios") == "yes"),
    )


def _texts(entries: Entries) -> dict[str, str]:
    """Return the words that have a text; of one that stands there twice the first."""
    texts: dict[str, str] = {}
    for key, value in entries:
        if isinstance(value, str):
            texts.setdefault(key, value)
    return texts


class _Parsing:
    """Makes blocks of lines: a word at the outermost level with all that stands in its parentheses."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._line = 0
        self._is_doscenter = False
        self._stack: list[Entries] = []
        self._word = ""
        # The word whose value comes next.
        self._key: str | None = None

    def blocks(self, texts: Iterator[str]) -> Iterator[Block]:
        """Yield the blocks one after the other; raises `UsageError` with the line of what is wrong."""
        for tokens in self._tokens(texts):
            for text, is_quoted in tokens:
                if is_quoted or text not in _PARENTHESES:
                    self._take_text(text)
                elif text == "(":
                    self._open()
                elif (block := self._close()) is not None:
                    yield block
        if self._stack or self._key is not None:
            self._refuse("ends within a parenthesis: the file was cut off")

    def _take_text(self, text: str) -> None:
        key = self._key
        if key is None:
            self._key = text.lower()
            return
        if not self._stack:
            self._refuse(f"has “{key[:60]}” where a word with parentheses should stand")
        entries = self._stack[-1]
        entries.append((key, text))
        self._key = None
        if len(entries) > limits.MAX_ROMS_OF_A_GAME:
            self._refuse(f"has more than {limits.MAX_ROMS_OF_A_GAME:,} words in one parenthesis")

    def _open(self) -> None:
        key, self._key = self._key, None
        if key is None:
            self._refuse("opens a parenthesis without a word before it")
        entries: Entries = []
        if self._stack:
            self._stack[-1].append((key, entries))
        else:
            self._word = key
            self._is_doscenter = self._is_doscenter or key == "doscenter"
        self._stack.append(entries)
        if len(self._stack) > limits.MAX_DEPTH:
            self._refuse(f"has parentheses more than {limits.MAX_DEPTH} deep")

    def _close(self) -> Block | None:
        if not self._stack:
            self._refuse("closes a parenthesis that nothing opened")
        entries = self._stack.pop()
        if self._key is not None:
            # A word without a value, as in `rom ( name a.bin size 3 nodump )`.
            entries.append((self._key, ""))
            self._key = None
        return None if self._stack else (self._word, entries)

    def _tokens(self, texts: Iterator[str]) -> Iterator[list[Token]]:
        for line in texts:
            self._line += 1
            if len(line) > _LONGEST_LINE:
                self._refuse(f"has more than {_LONGEST_LINE:,} characters")
            tokens = _of_doscenter(line) if self._is_doscenter else None
            if tokens is None:
                tokens = _tokens_of(line, _TOKENS)
            yield tokens if tokens is not None else self._joined(line, texts)

    def _joined(self, line: str, texts: Iterator[str]) -> list[Token]:
        """Return the words of a line with a quote that its end does not close: the next lines may."""
        begun = self._line
        # A backslash may be the end of a text.
        while (tokens := _tokens_of(line, _WITHOUT_ESCAPES)) is None:
            more = next(texts, None)
            self._line += 1
            if more is None or self._line - begun > _LINES_OF_A_TEXT or len(line) > _LONGEST_LINE:
                self._line = begun
                self._refuse("has a quote that nothing closes")
            line = f"{line}\n{more}"
        return tokens

    def _refuse(self, why: str) -> NoReturn:
        refuse(self._source.name, TAKEN_FOR, f"line {self._line:,} {why}")


def _tokens_of(line: str, pattern: re.Pattern[str]) -> list[Token] | None:
    """Return the words of a line, None where a quote is not closed in it."""
    tokens: list[Token] = []
    for quoted, bare in pattern.findall(line):
        if not bare:
            tokens.append((quoted.replace('\\"', '"') if "\\" in quoted else quoted, True))
        elif bare[0] == '"':
            return None
        elif len(bare) > 1 and ("(" in bare or ")" in bare):
            tokens += _apart(bare)
        else:
            tokens.append((bare, False))
    return tokens


def _apart(bare: str) -> list[Token]:
    """Return a word without the parentheses that stand next to it: `(name`, `3B2)`, but not `a(b).zip`."""
    opened, closed = bare.count("("), bare.count(")")
    before: list[Token] = []
    after: list[Token] = []
    while opened > closed and bare.startswith("("):
        before.append(("(", False))
        bare, opened = bare[1:], opened - 1
    while closed > opened and bare.endswith(")"):
        after.append((")", False))
        bare, closed = bare[:-1], closed - 1
    return [*before, *([(bare, False)] if bare else []), *after]


def _of_doscenter(line: str) -> list[Token] | None:
    """Return the words of a line of DOSCenter, where names have spaces and no quotes; None for any other."""
    if (file := _DOSCENTER_FILE.fullmatch(line)) is not None:
        name, size, crc = file.groups()
        return [
            *(("file", False), ("(", False), ("name", False), (name, True)),
            *(("size", False), (size, True), ("crc", False), (crc, True), (")", False)),
        ]
    if (field := _DOSCENTER_FIELD.fullmatch(line)) is not None:
        return [(field[1], True), (field[2], True)]
    return None
