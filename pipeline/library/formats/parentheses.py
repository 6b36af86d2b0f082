"""What stands in parentheses behind a title: platforms, repeats, a year, and notes on each. Pure."""

import re
from collections.abc import Collection, Sequence

import msgspec

from pipeline.library.formats.values import words_of
from pipeline.library.formats.words import is_platform, status_of, store_of
from pipeline.library.records import Status, Store

MOST_TIMES = 50
_YEAR = re.compile(r"(?:19[5-9]\d|20\d\d)")
_FINISHED = re.compile(
    r"(?:finished|completed|beaten|beat|durchgespielt|fini|en|in)\s+((?:19[5-9]\d|20\d\d)(?:-\d\d(?:-\d\d)?)?)",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"(?:[x×]\s?(\d{1,3})|(\d{1,3})\s?[x×]|(\d{1,3}) times|(twice|zweimal)|(?:three times|dreimal)|(thrice))",
    re.IGNORECASE,
)
_THRICE = re.compile(r"(?:three times|thrice|dreimal)", re.IGNORECASE)
_AGAIN = re.compile(r"(?:NG\s?\+{1,9}\d?|new game\s?(?:\+|plus)|replay(?:ed)?|again|nochmal|wieder)", re.IGNORECASE)
_ON = re.compile(r"\b(?:on|auf|sur|en|su)\s+(?:the\s+)?(.{1,40})$", re.IGNORECASE)
# The longest name of a platform has six words: "PC (Microsoft Windows)", "Super Nintendo Entertainment System".
_MOST_WORDS = 5


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Once through a game, as its parentheses say."""

    platform: str = ""
    notes: tuple[str, ...] = ()
    finished: str | None = None
    is_replay: bool = False


class _Part(msgspec.Struct):
    """A platform with its notes; `again` are notes of further times through on it."""

    platform: str
    notes: list[str]
    again: list[str | None]
    finished: str | None = None


class Aside(msgspec.Struct, frozen=True):
    """All parentheses behind a title, read."""

    parts: tuple[_Part, ...] = ()
    year: int | None = None
    store: Store | None = None
    status: Status | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms, each once, as they are written."""
        return words_of([part.platform for part in self.parts])

    @property
    def loose(self) -> tuple[str, ...]:
        """Notes that stand with no platform."""
        return tuple(note for part in self.parts if not part.platform for note in part.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes."""
        return tuple(note for part in self.parts for note in (*part.notes, *(again for again in part.again if again)))

    @property
    def times(self) -> int:
        """How many times through the game they name, where they name a repeat; 1 otherwise."""
        return 1 + sum(len(part.again) for part in self.parts)

    def ways(self, platforms: Sequence[str]) -> Sequence[Way]:
        """Return the times through: one for each platform and for each repeat; the later ones are replays.

        `platforms` hold where the parentheses name none: those of the heading.
        """
        parts = self.parts if self.platforms else self._on(platforms)
        ways: list[Way] = []
        for part in parts:
            ways.append(
                Way(platform=part.platform, notes=tuple(part.notes), finished=part.finished, is_replay=bool(ways))
            )
            ways += [Way(platform=part.platform, notes=(note,) if note else (), is_replay=True) for note in part.again]
        return ways[:MOST_TIMES]

    def _on(self, platforms: Sequence[str]) -> Sequence[_Part]:
        platform = platforms[0] if len(platforms) == 1 else ""
        notes = [note for part in self.parts for note in part.notes]
        again = [each for part in self.parts for each in part.again]
        finished = next((part.finished for part in self.parts if part.finished), None)
        return [_Part(platform, notes, again, finished)]


def read_aside(texts: Sequence[str], *, short: Collection[str] = ()) -> Aside:
    """Read what parentheses hold: parts between `;` and `,`, quotation marks keep theirs together.

    A lone year is the game's own, as in "Prey (2017)". `short` are short forms of titles, which are no notes.
    """
    pieces = [piece for text in texts for piece in _pieces(text) if piece not in short]
    parts: list[_Part] = []
    year: int | None = None
    store: Store | None = None
    status: Status | None = None
    for piece in pieces:
        part = parts[-1] if parts else None
        if len(texts) >= 1 and _YEAR.fullmatch(piece) and any(text.strip() == piece for text in texts):
            year = int(piece)
        elif (platform := _platform_in(piece)) is not None:
            parts.append(_Part(platform[0], [platform[1]] if platform[1] else [], []))
        elif (named := store_of(piece)) is not None:
            store = named
        elif match := _FINISHED.fullmatch(piece):
            part = _kept(parts)
            part.finished = match[1]
        elif (stands := status_of(piece)) is not None:
            status = stands
        else:
            part = part or _kept(parts)
            times = _times_in(piece)
            if times is not None:
                part.again += [None] * (times - 1)
            elif _AGAIN.match(piece):
                part.again.append(piece)
            else:
                part.notes.append(piece)
    return Aside(tuple(parts), year, store, status)


def _kept(parts: list[_Part]) -> _Part:
    if not parts:
        parts.append(_Part("", [], []))
    return parts[-1]


def _times_in(piece: str) -> int | None:
    match = _TIMES.fullmatch(piece)
    if match is None:
        return None
    if _THRICE.fullmatch(piece):
        return 3
    number = next((int(figures) for figures in match.groups()[:3] if figures), 2)
    return max(1, min(number, MOST_TIMES))


def _pieces(text: str) -> list[str]:
    pieces: list[str] = [""]
    quoted = False
    for sign in text:
        quoted ^= sign in '"“”'
        if sign in ";," and not quoted:
            pieces.append("")
        else:
            pieces[-1] += sign
    return [piece.strip() for piece in pieces if piece.strip()]


def _platform_in(piece: str) -> tuple[str, str] | None:
    """Return the platform that a piece names and what else it says; None for a piece that names none.

    "SNES as …" begins with it, "again as Dawn of Souls on GBA" ends with it.
    """
    if is_platform(piece):
        return piece, ""
    words = piece.split()
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        if is_platform(" ".join(words[:count])):
            rest = " ".join(words[count:])
            # "DS remake" is a note on a platform; "PC version" says no more than "PC".
            return " ".join(words[:count]), "" if rest.lower() in {"version", "port"} else rest
    if (match := _ON.search(piece)) and is_platform(match[1]):
        return match[1], piece[: match.start()].strip()
    return None
