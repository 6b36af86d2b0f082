"""Read names of ROMs as No-Intro, Redump, TOSEC, GoodTools, eXoDOS and groups write them. Pure."""

import re
from collections.abc import Iterable

from pipeline.roms.names.tags import UNKNOWN, Tag, read_tag
from pipeline.roms.names.titles import is_without_spaces, read_scene_name, with_articles_in_front
from pipeline.roms.records import RomName

# No file system takes a name so long; of a longer one the rest is not looked at.
_LONGEST = 1000
_BRACKET = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\[([^\[\]]*)\]")
# TOSEC has a version in the title: "Alien 3 Rev 0", "Abuse v2.00".
_VERSION = re.compile(r"(.*\S) (?:(v\d+\.[0-9][0-9a-z.]*)|rev ?([0-9a-z]))", re.IGNORECASE)


def parse_name(written: str, *, this_year: int) -> RomName:
    """Return what a name without its ending says; any text is a name, if only a title.

    A year counts from 1950 to the one after `this_year`, and only where it stands in parentheses.
    """
    text = written[:_LONGEST]
    if is_without_spaces(text):
        if "(" not in text and "[" not in text:
            scene = read_scene_name(text)
            return RomName(title=scene.title or text, revision=scene.version, tags=scene.tags)
        text = text.replace("_", " ")
    title, brackets = _parted(text, this_year + 1)
    title = " ".join(title.split())
    revision = None
    # "Adventure Kit v2.3 (2002)" is eXoDOS's, whose titles have no more than a year behind them.
    is_tosec = any(tag.year is None for _, tag in brackets)
    if is_tosec and (version := _VERSION.fullmatch(title)) is not None:
        title, revision = version[1], version[2] or version[3].upper()
    shown = with_articles_in_front(title) or " ".join(text.split()) or text
    return _name(shown, revision, brackets)


def _parted(text: str, last_year: int) -> tuple[str, list[tuple[str, Tag]]]:
    """Return the title, and the brackets as they are written; one that nobody knows before words is of the title."""
    matches = list(_BRACKET.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    followed = [n for n, match in enumerate(matches) if text[match.end() : ends[n]].strip()]
    pieces: list[str] = []
    brackets: list[tuple[str, Tag]] = []
    at, is_after_year = 0, False
    for n, match in enumerate(matches):
        pieces.append(text[at : match.start()])
        is_square = match[2] is not None
        inner = match[2] if is_square else match[1]
        # TOSEC has the maker behind the year: "(1994)(Elf)", and one may be called as a region is.
        is_maker = is_after_year and match.start() == at and not is_square
        tag = UNKNOWN if is_maker else read_tag(inner, is_square=is_square, last_year=last_year)
        if not tag.is_known and followed and n <= followed[-1]:
            pieces.append(match[0])
        else:
            brackets.append((inner.strip(), tag))
        at, is_after_year = match.end(), tag.year is not None
    pieces.append(text[at:])
    return "".join(pieces), brackets


def _name(title: str, revision: str | None, brackets: Iterable[tuple[str, Tag]]) -> RomName:
    """Return the name: of each thing the first bracket that says it counts, what more there is stays a tag."""
    year: int | None = None
    disc: int | None = None
    regions: dict[str, None] = {}
    languages: dict[str, None] = {}
    flags: dict[str, None] = {}
    tags: list[str] = []
    for written, tag in brackets:
        is_more = tag.keep
        if tag.year is not None:
            year, is_more = (year, True) if year is not None else (tag.year, is_more)
        if tag.disc is not None:
            disc, is_more = (disc, True) if disc is not None else (tag.disc, is_more)
        if tag.revision is not None:
            revision, is_more = (revision, True) if revision is not None else (tag.revision, is_more)
        if tag.is_letter and regions:
            is_more = True
        elif tag.regions:
            regions |= dict.fromkeys(tag.regions)
        if tag.languages:
            languages |= dict.fromkeys(tag.languages)
        if tag.flags:
            flags |= dict.fromkeys(tag.flags)
        if is_more and written:
            tags.append(written)
    return RomName(
        title=title,
        year=year,
        regions=tuple(regions),
        languages=tuple(languages),
        disc=disc,
        revision=revision,
        flags=tuple(flags),
        tags=tuple(tags),
    )
