"""Read titles as people mean them: which titles are the same, which name only an edition, and which numbers count.

Pure. ROMs, lists and categories are read alike, and so is what a catalogue holds.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from models.names import name_key
from pipeline.games.matching.words import (
    ARTICLES,
    EDITIONS,
    EDITIONS_ALONE,
    PLATFORMS,
    REWORKS,
    ROMANS,
    arabic,
    plain_words,
    roman,
    without_marks,
)

# No title that people look for is this long; comparing costs the product of two lengths.
LONGEST = 300
_BREAK = re.compile(r":\s+|\s+[-–—~|/]+\s+|\s*[([{]|[)\]}]\s*|：|\s*[–—]\s*")
# What any of these breaks has, and a year in parentheses: most titles have neither.
_MAY_BREAK = re.compile(r"[-–—~|/:：()\[\]{}]")
_YEAR = re.compile(r"\s*[([](19[5-9]\d|20[0-4]\d)[)\]]\s*")
LAST_WORDS = frozenset({"edition", "version", "ed"})
# As most names and all slugs are written. What begins with a 0 is written otherwise.
_PLAIN = re.compile(r"[A-Za-z1-9][A-Za-z0-9]*(?:[ -][A-Za-z1-9][A-Za-z0-9]*)*")
# Words that may be more than a word, or be written otherwise.
_TELLING = frozenset({"goty", "versus", *LAST_WORDS, *REWORKS, *ROMANS})


# Words that mean the same as others, or as a sign.
_REWRITTEN = frozenset({"and", "vs", *ROMANS})


class Title(msgspec.Struct, frozen=True, gc=False):
    """A title, read.

    `text` is as it was written, without signs; `words` are plain, with numerals in digits and without articles; `base`
    are those that are left without an edition, a platform or a rework's name at the end; `head` those before the first
    break (":", " - "). `numbers` are all that count, sorted. `year` is one that stood in parentheses.
    """

    text: str
    key: str
    words: tuple[str, ...]
    base: tuple[str, ...]
    head: tuple[str, ...]
    numbers: tuple[str, ...]
    # Which edition it names, in words; empty where it names none.
    edition: tuple[str, ...]
    rework: tuple[str, ...]
    # "Mega Man X" is not "Mega Man 10", while "Final Fantasy X" is its tenth part.
    is_x: bool
    year: int | None


@lru_cache(maxsize=8192)
def read_title(text: str) -> Title:
    """Read a title; any text is one, if only a poor one."""
    return _read_plain(text) or _read_any(text)


def _read_plain(text: str) -> Title | None:
    """Return a title of plain words alone, none of which says more than itself; None for any other."""
    if len(text) > LONGEST or not _PLAIN.fullmatch(text):
        return None
    written = text.lower().replace("-", " ").split(" ")
    if not _TELLING.isdisjoint(written):
        return None
    words = tuple(written) if ARTICLES.isdisjoint(written) else _without_articles(written)
    return Title(
        text=text,
        key="".join(written),
        words=words,
        base=words,
        head=words,
        numbers=_numbers(words),
        edition=(),
        rework=(),
        is_x=False,
        year=None,
    )


def _read_any(text: str) -> Title:
    plain, year = _without_year(without_marks(text)[:LONGEST])
    parts = _BREAK.split(plain) if _MAY_BREAK.search(plain) else [plain]
    segments = [words for part in parts if (words := plain_words(part))]
    numbered = [_in_digits(words, first=n == 0) for n, words in enumerate(segments)]
    words = _without_articles([word for segment in numbered for word in segment])
    base, edition, rework = _base(numbered)
    return Title(
        text=plain,
        key=name_key(plain),
        words=words,
        base=_without_articles(base),
        head=_without_articles(numbered[0]) if numbered else (),
        numbers=_numbers(words),
        edition=edition,
        rework=rework,
        is_x=any(words[-1] == "x" for words in segments),
        year=year,
    )


def keys_of(title: Title) -> tuple[str, ...]:
    """Return the keys under which a catalogue may hold a title that means the same, the likeliest first."""
    spellings = dict.fromkeys([title.key, name_key(title.text.replace("&", " and "))])
    for words in (plain_words(title.text), title.words, title.base, title.head):
        if not words:
            continue
        for spelled in (words, _in_digits(words, first=True), _in_romans(words)):
            without_and = [word for word in spelled if word != "and"]
            spellings |= dict.fromkeys(["".join(spelled), "".join(without_and)])
    return tuple(key for key in spellings if key)


def word_sets(title: Title) -> tuple[tuple[str, ...], ...]:
    """Return the words that a catalogue's title may hold, in each way to write its numerals."""
    words = [word for word in plain_words(title.text) if word not in ARTICLES and word != "and"]
    ways = (words, _in_digits(words, first=True), _in_romans(words))
    return tuple(dict.fromkeys(tuple(dict.fromkeys(way)) for way in ways if way))


def is_said_in_words(title: Title) -> bool:
    """Return whether every title that is the same, or the same but for an edition, holds these very words.

    Numerals, "&" and "versus" may be written otherwise, and an edition may be missing.
    """
    return bool(title.words) and title.words == title.base and not title.numbers and _REWRITTEN.isdisjoint(title.words)


def is_executable(text: str) -> bool:
    """Return whether an alternative name is a program's file: `Game.exe` is the name of hundreds of games."""
    return text.strip().casefold().endswith((".exe", ".app", ".bat", ".elf"))


def is_acronym(text: str) -> bool:
    """Return whether a name is so short, or so much of capitals, that several games share it: `PoE`, `SMB`, `HM`."""
    key = name_key(text)
    if len(key) > 6 or not key.isascii():
        return False
    upper = sum(c.isupper() for c in text)
    return len(key) <= 4 or upper >= sum(c.islower() for c in text)


def _without_year(text: str) -> tuple[str, int | None]:
    year = _YEAR.search(text) if "(" in text or "[" in text else None
    if year is None or not (rest := (text[: year.start()] + " " + text[year.end() :]).strip()):
        return text, None
    return rest, int(year[1])


def _in_digits(words: Sequence[str], *, first: bool) -> tuple[str, ...]:
    """Write numerals in digits; the first word of a title and an "i" within a sentence are none."""
    return tuple(_digits(word, n, len(words)) if n or not first else word for n, word in enumerate(words))


def _digits(word: str, place: int, of: int) -> str:
    if word in {"i", "x"} and place < of - 1:
        return word
    if word.isascii() and word.isdigit():
        return word.lstrip("0") or "0"
    return arabic(word) or word


def _in_romans(words: Sequence[str]) -> tuple[str, ...]:
    return tuple((roman(word) or word) if n else word for n, word in enumerate(words))


def _without_articles(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)


def _numbers(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(word for word in words if not word.isalpha() and any(c.isdigit() for c in word)))


def _base(segments: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the words without the title's edition at its end, the words of that edition, and those of a rework."""
    if not segments or not _ending(segments):
        return tuple(word for segment in segments for word in segment), (), ()
    left, edition, rework = [list(segment) for segment in segments], list[str](), list[str]()
    while left and (cut := _ending(left)):
        taken = left[-1][len(left[-1]) - cut :]
        rework += [word for word in taken if word in REWORKS]
        edition += [word for word in taken if word not in REWORKS | ARTICLES | LAST_WORDS]
        left[-1] = left[-1][: len(left[-1]) - cut]
        left = left if left[-1] else left[:-1]
    return tuple(word for segment in left for word in segment), tuple(sorted({*edition})), tuple(sorted({*rework}))


def _ending(segments: Sequence[Sequence[str]]) -> int:
    """Return how many of the last words name an edition; never all of a title."""
    last, alone = segments[-1], len(segments) == 1
    if not alone and (last[-1] in LAST_WORDS or tuple(last) in EDITIONS_ALONE or PLATFORMS.issuperset(last)):
        return len(last)
    cut = 0
    if last[-1] in LAST_WORDS:
        cut = 1 + _run(last[:-1])
    elif last[-1] in REWORKS or last[-1] == "goty":
        cut = 1
    return cut if cut < len(last) or not alone else 0


def _run(words: Sequence[str]) -> int:
    """Return how many of the last words say which edition it is."""
    return next((n for n, word in enumerate(reversed(words)) if word not in EDITIONS | ARTICLES), len(words))
