"""Add a library up: games, hours and finishes by month, platform, store, genre and series, and what is best. Pure.

The hours of a year are those that shops saw a game's playtime grow by; where they saw less, those of the playthroughs
that ended in it. Who only knows the year of an end finished the game in that year, and in no month of it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from models.periods import read_period

BEST = 10
# A work and the name of a platform or a store.
_Part = tuple[int, str]
MONTHS = tuple(range(1, 13))


class Game(msgspec.Struct, frozen=True, kw_only=True):
    """A work, as far as it adds up."""

    work_id: int
    name: str
    is_owned: bool
    is_wished: bool
    status: str | None = None
    seconds: int = 0
    rating: float | None = None
    added_at: datetime | None = None
    stores: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    series: str | None = None


class Playing(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough, as far as it adds up."""

    work_id: int
    status: str
    platform: str = ""
    started: str | None = None
    finished: str | None = None
    seconds: int = 0


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """How much a work's playtime in a store grew until a moment."""

    work_id: int
    store: str
    platform: str
    until_at: datetime
    seconds: int


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """How long a work was played in a store on a platform, as the store says."""

    work_id: int
    store: str
    platform: str
    seconds: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a library is of a platform, a store, a genre or a series; games of several count for each.

    Their hours are told apart by platform and store, and their finishes by platform, where anything says so.
    """

    name: str
    games: int
    seconds: int
    finishes: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A month or a year, as `models.periods` writes it: how many games came and ended in it, and how long was played.

    In a year that is split by months a span that is the year itself holds ends of which nobody knows the month.
    """

    when: str
    added: int
    finishes: int
    seconds: int


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """A game among the best or the most played."""

    name: str
    rating: float | None
    seconds: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """A library in figures, of all times or of one `year`; seconds are played ones, ratings go from 0 to 100.

    Of a year `games` are those that were played or finished in it, and shares are of these.
    """

    year: int | None
    games: int
    owned: int
    wished: int
    backlog: int
    statuses: Mapping[str, int]
    seconds: int
    finishes: int
    rated: int
    mean_rating: float | None
    spans: Sequence[Span]
    platforms: Sequence[Share]
    stores: Sequence[Share]
    genres: Sequence[Share]
    series: Sequence[Share]
    best: Sequence[Rated]
    most_played: Sequence[Rated]


def add_up(
    games: Sequence[Game],
    playings: Sequence[Playing],
    growths: Sequence[Growth],
    totals: Sequence[Total],
    year: int | None = None,
) -> Statistics:
    """Return a library's figures, of one year where it is given; `totals` are those of all times."""
    ends = [playing for playing in playings if _is_end(playing) and (year is None or _year(playing.finished) == year)]
    grown = [growth for growth in growths if year is None or growth.until_at.astimezone(UTC).year == year]
    played = _seconds(ends, grown)
    if year is None:
        seconds = {game.work_id: game.seconds for game in games}
        counted = list(games)
    else:
        seconds = {work_id: sum(times.values()) for work_id, times in played.items()}
        ended = {playing.work_id for playing in ends}
        counted = [game for game in games if seconds.get(game.work_id) or game.work_id in ended]
    finishes = Counter(playing.work_id for playing in ends)
    rated = [game for game in counted if game.rating is not None]
    share = _Sharing(counted, seconds, finishes).by
    shops: Sequence[Total | Growth] = totals if year is None else grown
    # The union of two counters is the greater of both.
    on_platforms = _sums((each.work_id, each.platform, each.seconds) for each in shops) | _sums(
        (each.work_id, each.platform, each.seconds) for each in ends
    )
    in_stores = _sums((each.work_id, each.store, each.seconds) for each in shops)
    ended_on = Counter((playing.work_id, playing.platform) for playing in ends)
    return Statistics(
        year=year,
        games=len(counted),
        owned=sum(game.is_owned for game in counted),
        wished=sum(game.is_wished for game in counted),
        backlog=sum(game.status == "backlog" for game in counted),
        statuses=dict(Counter(game.status for game in counted if game.status is not None).most_common()),
        seconds=sum(seconds.get(game.work_id, 0) for game in counted),
        finishes=len(ends),
        rated=len(rated),
        mean_rating=round(sum(game.rating or 0 for game in rated) / len(rated), 1) if rated else None,
        spans=_spans(games, ends, played, year),
        platforms=share(lambda game: game.platforms, on_platforms, ended_on),
        stores=share(lambda game: game.stores, in_stores),
        genres=share(lambda game: game.genres),
        series=share(lambda game: () if game.series is None else (game.series,)),
        best=_top(rated, seconds, lambda game: (game.rating or 0, seconds.get(game.work_id, 0))),
        most_played=_top(
            [game for game in counted if seconds.get(game.work_id)], seconds, lambda game: (seconds[game.work_id],)
        ),
    )


class _Sharing:
    """Adds games up by what they are of."""

    def __init__(self, games: Sequence[Game], seconds: Mapping[int, int], finishes: Mapping[int, int]) -> None:
        self._games = games
        self._seconds = seconds
        self._finishes = finishes

    def by(
        self,
        names_of: Callable[[Game], Sequence[str]],
        seconds: Mapping[_Part, int] | None = None,
        finishes: Mapping[_Part, int] | None = None,
    ) -> list[Share]:
        """Return what is of each name, the one of most games first; parts say what of a work is of which name."""
        shares: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for game in self._games:
            names = tuple(dict.fromkeys(names_of(game)))
            for name in names:
                part, is_only_one = (game.work_id, name), len(names) == 1
                share = shares[name]
                share[0] += 1
                share[1] += _part_of(part, self._seconds, None if is_only_one else seconds)
                share[2] += _part_of(part, self._finishes, None if is_only_one else finishes)
        listed = [Share(name=name, games=each[0], seconds=each[1], finishes=each[2]) for name, each in shares.items()]
        return sorted(listed, key=lambda share: (-share.games, -share.seconds, share.name))


def _part_of(part: _Part, whole: Mapping[int, int], parts: Mapping[_Part, int] | None) -> int:
    return whole.get(part[0], 0) if parts is None else parts.get(part, 0)


def _sums(times: Iterable[tuple[int, str, int]]) -> Counter[_Part]:
    """Return how long each part of a work was played."""
    parts: Counter[_Part] = Counter()
    for work_id, name, seconds in times:
        parts[work_id, name] += seconds
    return parts


def _seconds(ends: Sequence[Playing], grown: Sequence[Growth]) -> Mapping[int, Mapping[str, int]]:
    """Return how long each work was played by month, or by the year where that is all that is known.

    Of each year either shops say it or the journal, whichever knows of more: the hours of a playthrough are those that
    shops saw before its end.
    """
    shops: defaultdict[_Part, Counter[str]] = defaultdict(Counter)
    journal: defaultdict[_Part, Counter[str]] = defaultdict(Counter)
    for growth in grown:
        when = f"{growth.until_at.astimezone(UTC):%Y-%m}"
        shops[growth.work_id, when[:4]][when] += growth.seconds
    for playing in ends:
        when = _span(playing.finished)
        journal[playing.work_id, when[:4]][when] += playing.seconds
    played: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for work_id, year in shops.keys() | journal.keys():
        of_shops, of_journal = shops[work_id, year], journal[work_id, year]
        played[work_id] += of_shops if of_shops.total() >= of_journal.total() else of_journal
    return played


def _spans(
    games: Sequence[Game], ends: Sequence[Playing], played: Mapping[int, Mapping[str, int]], year: int | None
) -> list[Span]:
    """Return the months of a year, or all years of a library, the last one first."""
    length = 4 if year is None else 7
    added = Counter(
        f"{game.added_at.astimezone(UTC):%Y-%m}"[:length]
        for game in games
        if game.added_at is not None and (year is None or game.added_at.astimezone(UTC).year == year)
    )
    finished = Counter(_span(playing.finished)[:length] for playing in ends)
    seconds: Counter[str] = Counter()
    for times in played.values():
        for when, some in times.items():
            seconds[when[:length]] += some
    whens = set(added) | set(finished) | set(seconds)
    if year is None:
        whens.discard("")
    else:
        whens |= {f"{year:04}-{month:02}" for month in MONTHS}
    return [
        Span(when=when, added=added[when], finishes=finished[when], seconds=seconds[when])
        for when in sorted(whens, reverse=year is None)
    ]


def _top(games: Sequence[Game], seconds: Mapping[int, int], key: Callable[[Game], tuple[float, ...]]) -> list[Rated]:
    best = sorted(sorted(games, key=lambda game: game.name.casefold()), key=key, reverse=True)[:BEST]
    return [Rated(name=game.name, rating=game.rating, seconds=seconds.get(game.work_id, 0)) for game in best]


def _is_end(playing: Playing) -> bool:
    return playing.status in {"finished", "mastered"} or (
        playing.finished is not None and playing.status != "abandoned"
    )


def _year(written: str | None) -> int | None:
    period = read_period(written)
    return None if period is None else period.year


def _span(written: str | None) -> str:
    """Return the month that an end is in, or its year where nobody knows the month; nothing without either."""
    period = read_period(written)
    if period is None or period.year is None:
        return ""
    return f"{period.year:04}" if period.month is None else f"{period.year:04}-{period.month:02}"
