"""Finds words in conditions that can mean nothing, and says what may be meant. Pure."""

import unicodedata
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from functools import cache

from babel import Locale

from models.events import EventKind
from models.names import nearest
from notifiers.conditions.conditions import LIBRARY_WORDS, LibraryWord
from notifiers.conditions.kinds import takes_kind
from notifiers.errors import TargetError

# What Twitch says of a stream beside languages: American Sign Language, and any other.
_OF_TWITCH = frozenset({"asl", "other"})
# "Deutsch" is too much like "Dutch".
_OWN_NAMES = {
    "Deutsch": "de",
    "Español": "es",
    "Français": "fr",
    "Italiano": "it",
    "Polski": "pl",
    "Português": "pt",
    "Türkçe": "tr",
    "Русский": "ru",
    "中文": "zh",
    "日本語": "ja",
    "한국어": "ko",
}


def mistake_of_kinds(patterns: Collection[str]) -> str | None:
    """Return what is wrong with kinds that somebody wrote, and what may be meant; None where each names a kind."""
    unknown = [pattern for pattern in sorted(set(patterns)) if not _names_a_kind(pattern)]
    if not unknown:
        return _mistake_of_all(tuple(patterns))
    families = sorted({f"{kind.family}.*" for kind in EventKind})
    near = [kind for name in unknown for kind in nearest(name, sorted({*EventKind, *families}))]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    names = ", ".join(name or "''" for name in unknown)
    return f"Unknown kind {names}.{meant} Kinds: {', '.join(EventKind)}. Whole families: {', '.join(families)}."


def mistake_of_languages(languages: Iterable[str]) -> str | None:
    """Return what is wrong with languages of streams, and what may be meant; None where each can be one's."""
    wrong = next((language for language in languages if not _is_language(language)), None)
    if wrong is None:
        return None
    near = nearest(wrong, _languages(), 1)
    meant = _languages()[near[0]] if near else wrong.replace("_", "-")
    advice = f"; did you mean {meant}?" if _is_language(meant) else ""
    return f"{wrong!r} is no language of streams, which are written as en, de or pt-BR{advice}"


def mistake_of_words(words: Iterable[str]) -> str | None:
    """Return what is wrong with words to look for: signs of punctuation alone are none; None where nothing is."""
    wrong = next((word for word in words if word.strip() and all(map(_is_punctuation, word))), None)
    return None if wrong is None else f"{wrong!r} is no word: it has punctuation alone"


def library_words(written: Iterable[str]) -> tuple[LibraryWord, ...]:
    """Return what games may be to somebody, as written in words with commas between: `owned,playing`.

    Raises TargetError for a word that is none.
    """
    words = [word.strip() for each in written for word in each.split(",")]
    known = {str(word): word for word in LIBRARY_WORDS}
    for word in words:
        if word.lower() not in known:
            near = nearest(word, LIBRARY_WORDS, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise TargetError(f"{word!r} is nothing that a game is to you; it is {', '.join(LIBRARY_WORDS)}.{meant}")
    return tuple(dict.fromkeys(known[word.lower()] for word in words))


def _mistake_of_all(patterns: tuple[str, ...]) -> str | None:
    if not patterns or any(takes_kind(patterns, kind) for kind in EventKind):
        return None
    return f"No kind is left by {', '.join(patterns)}"


def _names_a_kind(pattern: str) -> bool:
    return any(fnmatchcase(kind, pattern.removeprefix("!")) for kind in EventKind)


def _is_language(written: str) -> bool:
    """Return whether a stream can have a language, such as `de`, `zh-HK`, `other`; CLDR knows which there are."""
    first, *parts = written.lower().split("-")
    is_known = first in _OF_TWITCH or first in _languages().values()
    return is_known and all(part.isalnum() for part in parts)


@cache
def _languages() -> dict[str, str]:
    """Return languages by their names in English and by their own: `{"German": "de", "Deutsch": "de"}`."""
    by_name = {name: code.lower() for code, name in Locale("en").languages.items() if "_" not in code}
    return by_name | _OWN_NAMES


def _is_punctuation(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign).startswith("P")
