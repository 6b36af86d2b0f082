"""Finds whole words in texts of any language. Pure.

A word is what stands between spaces and signs: its letters and digits, with the marks on them (vowel signs, accents,
points) and what joins letters without being seen.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Scripts that put no space between words: there a word may stand anywhere.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Phones write another apostrophe than keyboards, and Ukrainian and Hebrew have their own. Whether an
# emoji is drawn in colours is no part of it. A hyphen at which no line breaks is a hyphen. Turkish has two letters of
# which other languages write one in small and the other as a capital.
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u05f3", "'")
    | dict.fromkeys("\u2010\u2011", "-")
    | dict.fromkeys("\u0130\u0131", "i")
    | dict.fromkeys(range(0xFE00, 0xFE10))
)
# What is left of a capital with a dot where the dot is a mark of its own.
_DOTTED = "i\u0307"
# Between letters of Persian, and of the scripts of India.
_JOINERS = "\u200c\u200d"
# Korean writes particles behind a word without a space. These end hardly any other word, as "이" and "가" do.
_PARTICLES = re.compile(r"(?:에서는|에서도|으로는|에는|에도|에서|에게|으로|까지|부터|은|는|을|를|의|에|용)(?!\w)")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_MARKS = frozenset({"Mn", "Mc", "Me"})


def has_word(texts: Iterable[str], word: str) -> bool:
    """Return whether a text has a word, or words in a row; case, width and apostrophes do not count."""
    wanted = _wanted(word)
    return wanted is not None and any(wanted.is_in(folded(text)) for text in texts)


# The same few texts are judged for many subscriptions.
@functools.lru_cache(256)
def folded(text: str) -> str:
    """Return a text in the form in which words are compared."""
    plain = unicodedata.normalize("NFKC", text).translate(_SAME).casefold().replace(_DOTTED, "i")
    return unicodedata.normalize("NFKC", plain)


@dataclass(frozen=True)
class _Wanted:
    """A word, or several in a row, and whether other letters, or Korean particles, may stand beside it."""

    pattern: re.Pattern[str]
    begins_anywhere: bool
    ends_anywhere: bool
    takes_particles: bool

    def is_in(self, text: str) -> bool:
        match = self.pattern.search(text)
        while match is not None:
            if self._stands_alone(text[: match.start()][-1:], text[match.end() :]):
                return True
            match = self.pattern.search(text, match.start() + 1)
        return False

    def _stands_alone(self, before: str, rest: str) -> bool:
        # In every script a mark belongs to the letter before it.
        begins, after = self.begins_anywhere or not _is_of_a_word(before), rest[:1]
        ends = self.ends_anywhere or not _is_of_a_word(after) or (self.takes_particles and _PARTICLES.match(rest))
        return bool(begins and not _is_mark(after) and ends)


@functools.lru_cache(4096)
def _wanted(word: str) -> _Wanted | None:
    parts = folded(word).split()
    if not parts:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, parts)))
    takes_particles = _HANGUL.match(parts[-1][-1]) is not None
    return _Wanted(pattern, _is_unspaced(parts[0]), _is_unspaced(parts[-1][::-1]), takes_particles)


def _is_unspaced(letters: str) -> bool:
    """Return whether the first of some letters, marks aside, may have letters of other words beside it."""
    letter = next((c for c in letters if not _is_mark(c)), "")
    # A sign, as in "C++", has no letters of its own word beside it.
    return bool(_UNSPACED.match(letter)) or not _is_of_a_word(letter)


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_" or _is_mark(letter)


def _is_mark(letter: str) -> bool:
    return letter != "" and (letter in _JOINERS or unicodedata.category(letter) in _MARKS)
