"""What a file or a shop says of one game of a person, as every format and every sync gives it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

Ownership = Literal["owned", "subscription", "shared", "lent", "sold", "wished"]
Status = Literal["backlog", "playing", "paused", "finished", "mastered", "abandoned", "endless"]
Completion = Literal["main", "extras", "all"]
Store = Literal[
    "steam",
    "gog",
    "epic",
    "amazon",
    "xbox",
    "playstation",
    "nintendo",
    "itch",
    "ea",
    "ubisoft",
    "physical",
    "rom",
    "other",
]
# What these sell runs on computers, of which files and people name one or the other, or none.
COMPUTER_STORES: frozenset[Store] = frozenset({"steam", "gog", "epic", "amazon", "itch", "ea", "ubisoft"})


class PlaythroughRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Once through a game. `started` and `finished` are written as `models.periods` does: a year is no day.

    `key` tells it from the line's other ones, and is the same whenever the file comes again.
    """

    key: str
    status: Status
    completion: Completion | None = None
    platform: str = ""
    started: str | None = None
    finished: str | None = None
    seconds: int | None = None
    # 0 to 100.
    rating: float | None = None
    rating_scale: int | None = None
    notes: str | None = None
    is_replay: bool = False


class Placing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place on a list; `place` counts from 1 on a ranked one, and is the line's order on any other."""

    name: str
    place: int


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a file, or a game of an answer: what is written, what that may be recognised by, and what it says.

    `line` counts as a person counts, from 1 on. With a `no_game` it is something else, and why: a film, a tool, DLC.
    Who has the game nowhere (a journal, a ranking) has no `ownership`; what is None or empty the file does not say, and
    overwrites nothing. Texts are as the file has them; times are aware.
    """

    line: int
    written: str
    no_game: str | None = None
    # What the title is looked up by, where it is not as written: without "(PS2, x3)".
    title: str | None = None
    year: int | None = None
    igdb_id: int | None = None
    igdb_slug: str | None = None
    # A store's own id: IGDB knows those of Steam, GOG and some others.
    store: Store | None = None
    external_id: str | None = None
    # As the file writes them.
    platforms: tuple[str, ...] = ()
    ownership: Ownership | None = None
    acquired_on: date | None = None
    playtime_seconds: int | None = None
    last_played_at: datetime | None = None
    is_hidden: bool = False
    status: Status | None = None
    # 0 to 100, and the scale that it came in.
    rating: float | None = None
    rating_scale: int | None = None
    is_favourite: bool = False
    tags: tuple[str, ...] = ()
    notes: str | None = None
    series: str | None = None
    # What a person calls the game, and says of it in place of IGDB's; it is not looked up by these.
    own_name: str | None = None
    own_year: int | None = None
    genres: tuple[str, ...] = ()
    cover_url: str | None = None
    playthroughs: tuple[PlaythroughRecord, ...] = ()
    placings: tuple[Placing, ...] = ()


class ListRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list that a file holds; its lines name it in their `placings`."""

    name: str
    ranked: bool = False
    description: str | None = None
    wants: bool = False


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A line that cannot be read, and why, in a sentence."""

    line: int
    written: str
    reason: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A file as its format read it.

    `taken_for` says so to a person: "a Grouvee export". `is_whole` says that it lists all that its store has, so that
    what it lacks is absent. `notes` are sentences on what of the file was left out.
    """

    format: str
    taken_for: str
    records: Sequence[Record]
    lists: Sequence[ListRecord] = ()
    broken: Sequence[Broken] = ()
    is_whole: bool = False
    notes: Sequence[str] = ()


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a person says that a file is to be read: its format, columns by field, and the scale of its ratings."""

    format: str | None = None
    columns: Mapping[str, str] = {}
    rating_scale: int | None = None
    store: Store | None = None
    platform: str | None = None
