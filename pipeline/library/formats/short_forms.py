"""Short forms of titles that a list explains itself: "TTYD = The Thousand-Year Door", "## Final Fantasy (FF)". Pure.

What it does not explain stays as written: somebody else's FF may be Fatal Fury.
"""

import re
from collections.abc import Iterable, Sequence

_EQUALS = re.compile(r"\W*([A-Z][A-Za-z0-9&+.']{1,9})\s*(?:=|:=|→|->)\s*(\S.{1,120})$")
_IN_PARENTHESES = re.compile(r"^(.{3,120}?)\s+\(([A-Z][A-Za-z0-9&+]{1,9})[;,)]")
_WITH_NUMBER = re.compile(r"([A-Z][A-Za-z&]{0,8}?)[ ]?(\d{1,2}|[IVX]{1,5})(-\d)?")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SMALL = frozenset({"of", "the", "and", "a", "an", "in", "to", "for", "de", "la", "und", "der", "die", "das"})


class ShortForms:
    """The short forms that a text explains, and titles written out by them."""

    def __init__(self, explaining: Iterable[str], titles: Sequence[str]) -> None:
        self.names: dict[str, str] = {}
        self._lines: set[str] = set()
        for text in explaining:
            if match := _EQUALS.match(text):
                self.names.setdefault(match[1], match[2].strip(" .,;"))
                self._lines.add(text)
            elif (match := _IN_PARENTHESES.match(text)) and _are_initials(match[2], match[1]):
                self.names.setdefault(match[2], match[1].strip())
        self.titles = titles

    def explains(self, text: str) -> bool:
        """Whether a line does nothing but explain a short form."""
        return text in self._lines

    def written_out(self, title: str) -> str:
        """Return a title without its short form, where the text explains it; with it otherwise.

        With "FF" explained, "FF7" and "FFIX" are parts of Final Fantasy.
        """
        if title in self.names:
            return self.names[title]
        first, _, rest = title.partition(" ")
        if rest and first.rstrip(":") in self.names:
            return f"{self.names[first.rstrip(':')]}{':' if first.endswith(':') else ''} {rest}"
        # The longest short form first: "FFT2" is a part of FFT where that is one.
        match = _WITH_NUMBER.fullmatch(title)
        if match is None or match[1] not in self.names:
            return title
        return f"{self.names[match[1]]} {match[2]}{match[3] or ''}"


def _are_initials(short: str, title: str) -> bool:
    """Whether these are the first letters of a title's words, with or without the small ones."""
    words = _WORD.findall(title.replace("-", " "))
    letters = "".join(sign for sign in short.upper() if sign.isalnum())
    every = "".join(word[0] for word in words).upper()
    large = "".join(word[0] for word in words if word.lower() not in _SMALL).upper()
    # Of "Paper Mario: The Thousand-Year Door" people take what is behind the colon.
    return len(letters) > 1 and (every.endswith(letters) or large.endswith(letters))
