"""Titles as names of files write them, turned into what people write: articles in front, spaces for dots. Pure."""

import re
from typing import NamedTuple

# Those that No-Intro, Redump and eXoDOS put behind, of all languages that they have.
_ARTICLES = (
    *("The", "An", "A", "Le", "La", "Les", "L'", "L’", "Un", "Une", "Des", "Der", "Die", "Das", "Den", "Dem", "Ein"),
    *("Eine", "El", "Los", "Las", "Lo", "Il", "Gli", "I", "Uno", "Una", "De", "Het", "Een", "Det", "En", "Et", "O"),
    *("Os", "As", "Um", "Uma"),
)
_BEHIND = re.compile(rf"(.*\S), ({'|'.join(_ARTICLES)})", re.IGNORECASE)
_BREAK = re.compile(r"[._]")
# A group's name is no plain word: "Man" of "Spider-Man" is none.
_GROUP = re.compile(r"-(?![A-Z]?[a-z]+$)([A-Za-z0-9]{2,16})$")
_VERSION = re.compile(r"(?<=[._])v\d+(?:[._]\d+)*[a-z]?(?![A-Za-z0-9])", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
# What groups write behind a title, beside versions.
_BEHIND_TITLES = frozenset(
    {
        *("proper", "repack", "rip", "iso", "internal", "readnfo", "nfofix", "dirfix", "multi", "multi2", "multi3"),
        *("multi4", "multi5", "multi6", "multi7", "multi8", "multi9", "multi10", "crackfix", "crackfixed", "update"),
        *("patch", "dlc", "addon", "cracked", "usa", "eur", "jpn", "jap", "pal", "ntsc", "nsw", "ps1", "psx", "ps2"),
        *("ps3", "ps4", "psp", "psv", "vita", "xbox", "xbox360", "x360", "ngc", "wii", "wiiu", "nds", "3ds", "gba"),
        *("retail", "gog", "linux", "macos", "win32", "win64", "x64", "x86", "demo", "beta", "alpha", "dvd", "cd"),
        *("dvd5", "dvd9"),
    }
)


class SceneName(NamedTuple):
    """A name as groups write it: its title, version and what stands behind them, the group last."""

    title: str
    version: str | None
    tags: tuple[str, ...]


def with_articles_in_front(title: str) -> str:
    """Return a title with its articles where people write them, as in "Legend of Zelda, The - A Link to the Past"."""
    if ", " not in title:
        return title
    return " - ".join(map(_turned, title.split(" - ")))


def is_without_spaces(written: str) -> bool:
    """Return whether a name has dots or underscores for its spaces."""
    return " " not in written and ("_" in written or written.count(".") > 1)


def read_scene_name(written: str) -> SceneName:
    """Return what a name without spaces and brackets says: `Title.Of.Game.v1.2-GROUP`."""
    group = _GROUP.search(written)
    text = written[: group.start()] if group is not None else written
    tags = [group[1]] if group is not None else []
    version = _VERSION.search(text)
    if version is not None:
        tags = [word for word in _BREAK.split(text[version.end() :]) if word] + tags
        text = text[: version.start()]
    words = _words(text)
    title = next((n for n, word in enumerate(words) if n and word.casefold() in _BEHIND_TITLES), len(words))
    return SceneName(" ".join(words[:title]), version[0] if version is not None else None, (*words[title:], *tags))


def _turned(part: str) -> str:
    behind = _BEHIND.fullmatch(part)
    if behind is None:
        return part
    between = "" if behind[2].endswith(("'", "’")) else " "
    return f"{behind[2]}{between}{behind[1]}"


def _words(text: str) -> list[str]:
    """Part a name at dots and underscores; initials stay together: `S.T.A.L.K.E.R`."""
    words: list[str] = []
    for word in filter(None, _BREAK.split(text)):
        if words and len(word) == 1 and word.isalpha() and _INITIALS.fullmatch(words[-1]):
            words[-1] = f"{words[-1]}.{word}"
        else:
            words.append(word)
    return words
