"""A query with its hints, the candidates found for it, and scores that explain themselves."""

from typing import Literal

import msgspec

from pipeline.games.matching.normalise import Title, read_title

# Of how many entries more is read than their titles.
MOST_CANDIDATES = 40
Verdict = Literal["sure", "unsure", "none"]
# What IGDB's numbers for a game's type say: https://api-docs.igdb.com/#game-type.
MAIN_GAME = 0
GAME_TYPES = {
    0: "main game",
    1: "DLC",
    2: "expansion",
    3: "bundle",
    4: "standalone expansion",
    5: "mod",
    6: "episode",
    7: "season",
    8: "remake",
    9: "remaster",
    10: "expanded game",
    11: "port",
    12: "fork",
    13: "pack",
    14: "update",
}

# Games of their own, though IGDB names a parent: standalone expansions, remakes, remasters, expanded games.
OWN_GAMES = frozenset({4, 8, 9, 10})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A title that is looked for, and what else is known of the game.

    `year` is that of a release; `platforms` are names or abbreviations as a person writes them. `official` says that a
    service gave the title, spelled as its publisher does: then small differences tell two entries apart. `whole` says
    that it is known to be a game's whole title: then one with a subtitle more or less, or that only resembles it, is
    never sure, whatever else fits.
    """

    title: Title
    official: bool = False
    whole: bool = False
    year: int | None = None
    platforms: tuple[str, ...] = ()


class FoundTitle(msgspec.Struct, frozen=True, gc=False):
    """A title of an entry, of the kind that game_titles says."""

    text: str
    kind: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the catalogue that may be meant, with the titles under which it was found."""

    igdb_id: int
    name: str
    titles: tuple[FoundTitle, ...]
    game_type: int | None = None
    parent_igdb_id: int | None = None
    version_parent_igdb_id: int | None = None
    year: int | None = None
    platforms: tuple[str, ...] = ()
    rating_count: int = 0


class Part(msgspec.Struct, frozen=True, gc=False):
    """The points that one consideration gave or cost."""

    what: str
    points: float


class Scored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A candidate with its score, 0 to 1: the likeness of its best title, and what was added or taken away."""

    candidate: Candidate
    title: FoundTitle
    likeness: float
    parts: tuple[Part, ...]
    score: float

    @property
    def points(self) -> float:
        """The sum that candidates are compared by, also above 1."""
        return sum(part.points for part in self.parts)

    @property
    def explanation(self) -> str:
        """The score in words, for a person."""
        named = "" if self.title.text == self.candidate.name else f" ({self.title.kind} title)"
        parts = "; ".join(f"{part.what} {part.points:+.2f}" for part in self.parts)
        return f"{self.title.text}{named}: {parts}"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on all candidates. `ranked` are all of them, best first; `why` is a sentence for a person.

    `best` is also there where the verdict is unsure or none, so that a person can decide.
    """

    verdict: Verdict
    best: Scored | None
    margin: float | None
    why: str
    ranked: tuple[Scored, ...] = ()

    @property
    def igdb_id(self) -> int | None:
        """The entry that is meant, where that is sure."""
        return self.best.candidate.igdb_id if self.best is not None and self.verdict == "sure" else None


def wanted(
    text: str,
    *,
    year: int | None = None,
    platforms: tuple[str, ...] = (),
    official: bool = False,
    whole: bool = False,
) -> Wanted:
    """Make a query of a title; a year that stands in parentheses after it counts as a hint."""
    title = read_title(text)
    return Wanted(title=title, year=year or title.year, platforms=platforms, official=official, whole=whole)
