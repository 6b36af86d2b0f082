"""The words that titles are made of: plain spelling, numerals, and words that only name an edition or a platform."""

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.utils import default_process

_MARKS = dict.fromkeys(map(ord, "™®©℠"))
_APOSTROPHES = dict.fromkeys(map(ord, "'’ʼ`´"))
# The marks that make か into が are no accents: they make other words.
_VOICING = "\u3099\u309a"
_WORD = re.compile(r"[^\W_]+")
_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?![^\W_])|(?<![^\W_])(?:[^\W\d_]\.){2,}[^\W\d_](?![^\W_])")
HIGHEST_ROMAN = 39

ARTICLES = frozenset({"the", "a", "an"})
# Adjectives that stand before "edition" and name no other game.
EDITIONS = frozenset(
    {
        *("deluxe", "ultimate", "complete", "definitive", "special", "standard", "gold", "golden", "premium", "legacy"),
        *("collectors", "collector", "limited", "anniversary", "enhanced", "extended", "goty", "digital", "launch"),
        *("founders", "starter", "legendary", "platinum", "silver", "royal", "champions", "day", "one", "game", "of"),
        *("year", "full", "trial", "early", "access", "next", "gen", "expanded", "base", "console", "mobile"),
    }
)
# What names an edition after a break, also without the word.
EDITIONS_ALONE = frozenset(
    {("game", "of", "the", "year"), ("goty",), ("deluxe",), ("definitive",), ("early", "access")}
)
# Words that make another game of it, although the title is the same before them.
REWORKS = frozenset({"remastered", "remaster", "remake", "hd", "reloaded", "redux", "reimagined", "demake", "vr"})
PLATFORMS = frozenset(
    {
        *("pc", "windows", "mac", "macos", "linux", "steam", "android", "ios", "web", "microsoft", "sony", "nintendo"),
        *("playstation", "ps1", "ps2", "ps3", "ps4", "ps5", "psp", "psvita", "vita", "xbox", "360", "one", "series"),
        *("s", "x", "switch", "wii", "u", "wiiu", "3ds", "ds", "gamecube", "gba", "gbc", "n64", "snes", "nes"),
        *("dreamcast", "1", "2", "3", "4", "5"),
    }
)


def without_marks(text: str) -> str:
    """Return a text in one line without trademark signs, in composed letters; halves of pairs become spaces."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    one_line = "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else " " for c in text)
    return " ".join(unicodedata.normalize("NFKC", one_line.translate(_MARKS)).split())


def letters_of(text: str) -> str:
    """Return a text as its letters compare: in lower case, without accents, with a space for each sign."""
    plain = text if text.isascii() else without_accents(text)
    return default_process(plain) or text


# Whoever looks for a title asks for its words several times.
@lru_cache(maxsize=64)
def plain_words(text: str) -> tuple[str, ...]:
    """Return all words of a text in order: lower case, without accents and apostrophes; "S.T.A.L.K.E.R." is one."""
    joined = text.replace("'", "").replace("`", "") if text.isascii() else text.translate(_APOSTROPHES)
    if "." in joined:
        joined = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), joined)
    words = _WORD.findall(without_accents(joined.replace("&", " and ")))
    return tuple("vs" if word == "versus" else word for word in words) if "versus" in words else tuple(words)


def without_accents(text: str) -> str:
    """Return a text in lower case without accents; the marks that make か into が stay."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c) or c in _VOICING)
    return unicodedata.normalize("NFC", plain)


def _as_roman(number: int) -> str:
    left, written = number, ""
    for sign, worth in (("x", 10), ("ix", 9), ("v", 5), ("iv", 4), ("i", 1)):
        written += sign * (left // worth)
        left %= worth
    return written


_ROMAN = {str(number): _as_roman(number) for number in range(1, HIGHEST_ROMAN + 1)}
_ARABIC = {numeral: digits for digits, numeral in _ROMAN.items()}
ROMANS = frozenset(_ARABIC)


def arabic(word: str) -> str | None:
    """Return the number that a Roman numeral up to 39 means, in digits; None for any other word."""
    return _ARABIC.get(word)


def roman(digits: str) -> str | None:
    """Return a number from 1 to 39, given in digits, as a Roman numeral; None for any other word."""
    return _ROMAN.get(digits.removeprefix("0") if len(digits) == 2 else digits)
