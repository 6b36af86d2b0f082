"""Lists that people write by hand, in Markdown or plain text. Pure.

A heading over games is their series, unless it says where they stand ("Backlog"), on what they were played ("SNES") or
when ("2021"). Parentheses hold platforms and notes; "x3" and "NG+" are further times through. A numbered list is a
ranked list with the name of its heading, and ranks alone. Short forms that the same file explains are written out.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from models.errors import UsageError
from models.printable import on_a_line
from pipeline.errors import InvalidItem
from pipeline.library.formats.building import key_of, reading
from pipeline.library.formats.look import Look
from pipeline.library.formats.parentheses import Aside, read_aside
from pipeline.library.formats.short_forms import ShortForms
from pipeline.library.formats.table import WRITTEN
from pipeline.library.formats.values import LONGEST_TITLE, note_of, title_of, words_of
from pipeline.library.formats.words import is_no_series, is_platform, ownership_of, status_of, store_of
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

MOST_LINES = 200_000
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_UNDERLINE = re.compile(r"(=+|-{3,})\s*$")
_BULLET = re.compile(r"\s*[-*+•–]\s+(.+)$")
_NUMBERED = re.compile(r"\s*(\d{1,5})[.)]\s+(.+)$")
_CHECKBOX = re.compile(r"\[([ xX✓])\]\s+(.+)$")
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\(([^()\s]{1,500})\)")
_IGDB = re.compile(r"(?:https?://)?(?:www\.)?igdb\.com/games/([a-z0-9-]{1,200})/?$", re.IGNORECASE)
_MARKUP = re.compile(r"(\*\*|__|~~|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))")
_ASIDE = re.compile(r"\s\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_RANKING = re.compile(
    r"\b(?:top|best|favou?rites?|ranking|ranked|hall of fame|liebling\w*|beste\w*|meilleurs?|mejores)\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19[5-9]\d|20\d\d)$")
_WORDS = re.compile(r"[\w'’-]+")
_FENCE = ("```", "~~~")


class _Line(msgspec.Struct, frozen=True):
    """An item of a list, or a line of plain text that is a title."""

    line: int
    text: str
    number: int | None
    is_done: bool | None
    headings: tuple[tuple[int, str], ...]


class _Document(msgspec.Struct):
    lines: list[_Line]
    headings: list[tuple[int, str]]
    prose: list[tuple[int, str]]
    is_markdown: bool


class HandWritten:
    """A list in Markdown or plain text: what any text is that is nothing else."""

    name = "markdown"
    taken_for = "a list written by hand"

    def recognises(self, look: Look) -> bool:
        return not look.begins_as_json and not look.text.lstrip().startswith("<")

    def read(self, look: Look, options: ReadOptions) -> Reading:
        document = _document(look.text, look.name)
        if not document.lines:
            raise UsageError(
                f"{look.name} was taken for {self.taken_for}, and holds no list: neither bullets nor numbers"
            )
        explained = [*document.prose, *((at, text) for at, text in document.headings), *_items(document)]
        reader = _Reader(document, ShortForms([text for _, text in explained], [line.text for line in document.lines]))
        records: list[Record] = []
        broken: list[Broken] = []
        for line in document.lines:
            try:
                record = reader.record(line)
            except InvalidItem as error:
                broken.append(Broken(line=line.line, written=on_a_line(line.text, WRITTEN), reason=str(error)))
            else:
                records += [] if record is None else [record]
        return reading(
            self.name,
            self.taken_for if document.is_markdown else "a list of titles",
            records,
            broken,
            name=look.name,
            options=options,
            lists=[ListRecord(name=name, ranked=True) for name in reader.lists],
            notes=reader.notes(),
        )


def _items(document: _Document) -> Iterator[tuple[int, str]]:
    return ((line.line, line.text) for line in document.lines)


def _document(text: str, name: str) -> _Document:
    """Cut a text into headings, items and prose; in a text without any bullet or heading every line is an item."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise UsageError(f"{name} has {len(lines):,} lines; a list written by hand has {MOST_LINES:,} at most")
    is_markdown = any(_HEADING.match(line) or _BULLET.match(line) or _NUMBERED.match(line) for line in lines)
    document = _Document([], [], [], is_markdown)
    path: list[tuple[int, str]] = []
    fenced = False
    for at, line in enumerate(lines):
        words = line.strip()
        fenced ^= words.startswith(_FENCE)
        if not words or fenced or words.startswith((*_FENCE, "<!--", "|")) or _UNDERLINE.fullmatch(words):
            continue
        heading = _heading_of(lines, at, is_markdown=is_markdown)
        if heading is not None:
            path = [*(each for each in path if each[0] < heading[0]), heading]
            document.headings.append((at + 1, heading[1]))
            continue
        number, item, done = _item_of(line, is_markdown=is_markdown)
        if item is None:
            document.prose.append((at + 1, _plain(words)))
        else:
            document.lines.append(_Line(at + 1, item, number, done, tuple(path)))
    return document


def _heading_of(lines: Sequence[str], at: int, *, is_markdown: bool) -> tuple[int, str] | None:
    line = lines[at]
    if match := _HEADING.match(line.strip()):
        return len(match[1]), _plain(match[2])[:LONGEST_TITLE]
    words = line.strip()
    below = lines[at + 1].strip() if at + 1 < len(lines) else ""
    if below and (match := _UNDERLINE.fullmatch(below)) and not _BULLET.match(line) and len(words) <= LONGEST_TITLE:
        return (1 if match[1][0] == "=" else 2), _plain(words)
    is_alone = not _BULLET.match(line) and not _NUMBERED.match(line)
    if words.endswith(":") and is_alone and len(words) <= 80 and (not is_markdown or _begins_a_list(lines, at)):
        return 6, _plain(words[:-1].strip())
    return None


def _begins_a_list(lines: Sequence[str], at: int) -> bool:
    """Whether the next line that says something is an item: only then is "Backlog:" a heading, and no sentence."""
    following = next((line for line in lines[at + 1 : at + 4] if line.strip()), "")
    return bool(_BULLET.match(following) or _NUMBERED.match(following)) and len(_WORDS.findall(lines[at])) <= 6


def _item_of(line: str, *, is_markdown: bool) -> tuple[int | None, str | None, bool | None]:
    """Return an item's number, its text and whether its box is ticked; no text for prose."""
    if match := _NUMBERED.match(line):
        return int(match[1]), match[2].strip(), None
    if match := _BULLET.match(line):
        words = match[1].strip()
        if box := _CHECKBOX.match(words):
            return None, box[2].strip(), box[1] != " "
        return None, words, None
    return None, (None if is_markdown else line.strip()), None


def _plain(text: str) -> str:
    return _MARKUP.sub("", _LINK.sub(r"\1", text)).strip()


class _Reader:
    """Reads the items of a document by what stands above them."""

    def __init__(self, document: _Document, short_forms: ShortForms) -> None:
        self._short_forms = short_forms
        self._title = _title_of(document)
        self._general = self._said_in_general(document)
        self._placed: dict[str, int] = {}
        self._counted = _counted(document)
        self._is_silent = False

    @property
    def lists(self) -> Sequence[str]:
        return list(self._placed)

    def notes(self) -> Sequence[str]:
        if not self._is_silent:
            return []
        sentence = (
            "Some lines do not say whether their game is finished, owned or waits: a heading such as “Finished” or "
            "“Backlog” over them does."
        )
        return [sentence]

    def record(self, item: _Line) -> Record | None:
        """Return an item as a record; None for a line that explains a short form."""
        text = item.text
        slug = next((m[1].lower() for link in _LINK.finditer(text) if (m := _IGDB.match(link[2]))), None)
        plain = _plain(text)
        if self._short_forms.explains(plain):
            return None
        cut = _ASIDE.search(plain)
        written = title_of(plain[: cut.start()] if cut else plain)
        asides = [match[1] for match in _ASIDE.finditer(plain)]
        behind = _ASIDE.sub("", plain[cut.start() :]).strip(" -–—:,.") if cut else ""
        aside = read_aside(asides, short=self._short_forms.names)
        title = self._short_forms.written_out(written)
        if item.number is not None and item.headings and _ranks(item.headings[-1][1]):
            return self._ranked(item, written, title, aside, slug)
        return self._had(item, written, title, aside, slug, behind)

    def _ranked(self, item: _Line, written: str, title: str, aside: Aside, slug: str | None) -> Record:
        name = item.headings[-1][1]
        self._placed[name] = self._placed.get(name, 0) + 1
        place = item.number if name in self._counted and item.number else self._placed[name]
        return Record(
            line=item.line,
            written=written,
            title=title if title != written else None,
            year=aside.year,
            igdb_slug=slug,
            platforms=aside.platforms,
            notes=note_of(*aside.loose) if not aside.platforms else None,
            placings=(Placing(name=name, place=place),),
        )

    def _had(self, item: _Line, written: str, title: str, aside: Aside, slug: str | None, behind: str) -> Record:
        above = _Above.of([heading for heading in item.headings if heading[1] != self._title], self._general)
        status, ownership = above.status, above.ownership
        if item.is_done is not None:
            status = "finished" if item.is_done else "backlog"
        status = aside.status or status
        if aside.times > 1 and status is None:
            status = "finished"
        if status is None and ownership is None:
            self._is_silent = True
        platforms = aside.platforms or above.platforms
        ways = _ways(title, platforms, aside, status, above.year) if status in {"finished", "mastered"} else ()
        store = aside.store or above.store
        return Record(
            line=item.line,
            written=written,
            title=title if title != written else None,
            year=aside.year,
            igdb_slug=slug,
            store=store,
            platforms=platforms,
            ownership=ownership or ("owned" if store else None),
            status=status,
            notes=note_of(behind, *(() if ways else aside.notes)),
            series=above.series,
            playthroughs=ways,
        )

    def _said_in_general(self, document: _Document) -> tuple[Status | None, Ownership | None]:
        """Return how all games of a document stand, by its title or what stands before its first item."""
        first = document.lines[0].line
        texts = [self._title, *(text for at, text in document.prose if at < first)]
        for text in texts:
            status = _status_in(text)
            ownership = _ownership_in(text)
            if status is not None or ownership is not None:
                return status, ownership
        return None, None


def _title_of(document: _Document) -> str:
    """Return a document's title: its first heading of the first level, where no item stands right below it."""
    for at, heading in document.headings:
        following = next((line for line in document.lines if line.line > at), None)
        top = [text for level, text in (following.headings if following else ()) if level == 1]
        is_last = following is not None and following.headings and following.headings[-1][1] == heading
        return heading if heading in top and not is_last else ""
    return ""


class _Above(msgspec.Struct, frozen=True):
    """What the headings over an item say, the nearest first."""

    status: Status | None
    ownership: Ownership | None
    platforms: tuple[str, ...]
    store: Store | None
    year: str | None
    series: str | None

    @classmethod
    def of(cls, headings: Sequence[tuple[int, str]], general: tuple[Status | None, Ownership | None]) -> "_Above":
        status, ownership = None, None
        platform, year, series = "", None, None
        store: Store | None = None
        for _, heading in reversed(headings):
            if _YEAR.match(heading):
                year = year or heading
            elif is_platform(heading):
                platform = platform or heading
            elif (named := store_of(heading)) is not None:
                store = store or named
            elif (stands := _status_in(heading)) is not None:
                status = status or stands
                year = year or _year_in(heading)
            elif (had := _ownership_in(heading)) is not None:
                ownership = ownership or had
            elif series is None and not is_no_series(heading):
                series = heading
        if status is None and ownership is None:
            status, ownership = general
        return cls(status, ownership, words_of([platform]), store, year, series)


def _ranks(heading: str) -> bool:
    """Whether a numbered list below this heading ranks: one below "Finished in 2021" only counts."""
    if _RANKING.search(heading):
        return True
    return not _YEAR.match(heading) and _status_in(heading) is None and _ownership_in(heading) is None


def _counted(document: _Document) -> frozenset[str]:
    """Return the lists whose numbers are all different, up or down; in Markdown all may be 1."""
    numbers: dict[str, list[int]] = {}
    for line in document.lines:
        if line.number is not None and line.headings:
            numbers.setdefault(line.headings[-1][1], []).append(line.number)
    return frozenset(name for name, each in numbers.items() if len(set(each)) == len(each) and 0 not in each)


def _year_in(heading: str) -> str | None:
    return next((word for word in _WORDS.findall(heading) if _YEAR.match(word)), None)


def _status_in(text: str) -> Status | None:
    """Return the status that a heading or a sentence names: "RPGs I have completed", "Played 2021", "Now playing"."""
    words = [word for word in _WORDS.findall(text) if not _YEAR.match(word)][:20]
    for length in range(min(4, len(words)), 0, -1):
        for begin in range(len(words) - length + 1):
            status = status_of(" ".join(words[begin : begin + length]))
            if status is not None and not _is_plain_word(words[begin : begin + length]):
                return status
    return None


def _ownership_in(text: str) -> Ownership | None:
    words = _WORDS.findall(text)[:20]
    for length in range(min(3, len(words)), 0, -1):
        for begin in range(len(words) - length + 1):
            if (ownership := ownership_of(" ".join(words[begin : begin + length]))) is not None:
                return ownership
    return None


def _is_plain_word(words: Sequence[str]) -> bool:
    """Whether these words also are everyday ones, which say nothing inside a sentence: "next", "perfect"."""
    return " ".join(words).lower() in {"next", "current", "perfect", "multiplayer", "started", "gram", "done", "fin"}


def _ways(
    title: str, platforms: Sequence[str], aside: Aside, status: Status, year: str | None
) -> tuple[PlaythroughRecord, ...]:
    """Return the times through a game: one for each platform, and one more for each repeat."""
    ways = []
    for each in aside.ways(platforms):
        finished = each.finished or (year if not each.is_replay else None)
        ways.append(
            PlaythroughRecord(
                key=key_of("markdown", [title], each.platform),
                status=status,
                platform=each.platform,
                finished=finished,
                notes=note_of(*each.notes),
                is_replay=each.is_replay,
            )
        )
    return tuple(ways)
