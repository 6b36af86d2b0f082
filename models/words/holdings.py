"""What a game is to a person, in words: "yours on Steam, 41 h, last played in May". Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

import msgspec

from models.periods import Period, read_period

# How a month is written for whoever reads it.
Month = Callable[[date], str]

# As shops write themselves.
STORES = {
    "steam": "Steam",
    "gog": "GOG",
    "epic": "Epic",
    "amazon": "Amazon",
    "xbox": "Xbox",
    "playstation": "PlayStation",
    "nintendo": "Nintendo",
    "itch": "itch.io",
    "ea": "EA",
    "ubisoft": "Ubisoft",
}
# What is no shop; of others nothing can be said.
_COPIES = {"physical": "as a physical copy", "rom": "as a ROM"}
_STATES = {"playing": "playing", "backlog": "on your backlog", "abandoned": "given up"}
_REASONS = {
    "playing": "you are playing it",
    "backlog": "it is on your backlog",
    "wished": "it is on your wish list",
    "finished": "you finished it",
    "abandoned": "you gave it up",
    "rom": "you have a ROM of it",
}
_MINUTE, _HOUR = 60, 3600


class Holding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a game, in whichever edition, is to a person: as `models.PersonWork` has it.

    `words` are of `owned`, `playing`, `backlog`, `wished`, `finished`, `abandoned` and `rom`; `stores` name where it is
    owned; `seconds` is how long it was played. `finished` is when it was finished last, as `models.periods` writes it.
    """

    words: tuple[str, ...] = ()
    status: str | None = None
    stores: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    seconds: int | None = None
    last_played_at: datetime | None = None
    finished: str | None = None


def in_words(holding: Holding, month: Month) -> str:
    """Return what a game is to a person, as a part of a sentence; "" where it is nothing.

    Such as "yours on Steam, 41 h, last played in May", "on your backlog", "finished in 2022".
    """
    return ", ".join(_parts(holding, month))


def in_few_words(holding: Holding) -> str:
    """Return what a game is to a person in one part and without times: "yours on Steam", "finished"."""
    finish = _finish_word(holding) if "finished" in holding.words else ""
    return next(filter(None, (_possession(holding), finish, *_states(holding))), "")


def reason_in_words(word: str, holding: Holding) -> str:
    """Return why a word holds of a game, as a sentence to its person: "you own it on Steam", "you finished it"."""
    return f"you own it {where_owned(holding.stores)}".rstrip() if word == "owned" else _REASONS[word]


def where_owned(stores: Iterable[str]) -> str:
    """Return where a game is owned: "on Steam and GOG", "as a ROM"; "" where nobody knows."""
    shops, copies = [], []
    for store in stores:
        shops += [STORES[store]] if store in STORES else []
        copies += [_COPIES[store]] if store in _COPIES else []
    return _joined([*([f"on {_joined(shops)}"] if shops else []), *copies])


def _parts(holding: Holding, month: Month) -> Iterator[str]:
    possession, played = _possession(holding), _played(holding.seconds)
    if possession:
        yield possession
    if played:
        yield played if possession else f"played for {played}"
    yield from _states(holding)
    if "finished" in holding.words:
        period = read_period(holding.finished)
        yield f"{_finish_word(holding)}{f' in {_when(period, month)}' if period and period.year else ''}"
    elif holding.last_played_at is not None:
        yield f"last played in {month(holding.last_played_at)}"


def _possession(holding: Holding) -> str:
    if "owned" in holding.words:
        return f"yours {where_owned(holding.stores)}".rstrip()
    return "on your wish list" if "wished" in holding.words else ""


def _states(holding: Holding) -> list[str]:
    return [said for word, said in _STATES.items() if word in holding.words]


def _finish_word(holding: Holding) -> str:
    return "mastered" if holding.status == "mastered" else "finished"


def _when(period: Period, month: Month) -> str:
    """Return a period no more precisely than by its month."""
    return month(date(period.year or 1, period.month, 1)) if period.month else period.words


def _played(seconds: int | None) -> str:
    """Return how long something was played, in hours unless it is less than one."""
    if not seconds or seconds < _MINUTE:
        return ""
    return f"{round(seconds / _HOUR)} h" if seconds >= _HOUR else f"{seconds // _MINUTE} min"


def _joined(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
