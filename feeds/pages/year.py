"""Render a person's year: what they played and finished, in bars by month, game, platform, shop and genre. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.looks import HOUSE, Look
from feeds.pages.journal import JournalPage, Once, Session
from feeds.pages.tallies import Bar, bars_of_counts, bars_of_hours, bars_of_months, hours, rated, store_name
from feeds.sanitise import one_line

BEST_SHOWN = 10


class _Chart(msgspec.Struct, frozen=True):
    title: str
    text: str
    bars: Sequence[Bar]


class _Finish(msgspec.Struct, frozen=True):
    name: str
    when: str
    rating: str


class _Year(msgspec.Struct, frozen=True):
    """What belongs to one year: its sessions, what ended and what began in it."""

    year: int
    sessions: Sequence[Session]
    ended: Sequence[Once]
    begun: Sequence[Once]
    # What ended in it of games whose shops say no hours.
    by_hand: Sequence[Once]


def year_path(path: str, year: int) -> str:
    """Return the path of the page of a year: beside the journal's, without its ending."""
    return f"{path.rpartition('/')[0]}/year-{year}"


def render_years(
    page: JournalPage,
    feed: FeedContent,  # noqa: ARG001 - as every page beside a feed takes it
    now: datetime,
    *,
    stamp: str = "",
    look: Look = HOUSE,
) -> Mapping[str, bytes]:
    """Return the pages of all years of a journal by their paths below the published folder."""
    return {
        f"{year_path(page.path, year)}.html": _render(page, _in_year(page, year), now, stamp=stamp, look=look)
        for year in page.years
    }


def _in_year(page: JournalPage, year: int) -> _Year:
    told_by_shops = {each.of.game_id for each in page.sessions}
    ended = [once for once in page.playthroughs if once.is_done and once.period.year == year]
    return _Year(
        year,
        [each for each in page.sessions if int(each.month[:4]) == year],
        ended,
        [once for once in page.playthroughs if (once.started or "").startswith(f"{year:04}")],
        [once for once in ended if once.of.game_id not in told_by_shops and once.seconds],
    )


def _render(page: JournalPage, year: _Year, now: datetime, *, stamp: str, look: Look) -> bytes:
    finishes = sorted(year.ended, key=lambda once: (str(once.period), once.of.name))
    rated_best = sorted(
        (once for once in year.ended if once.rating is not None), key=lambda once: (-(once.rating or 0), once.of.name)
    )
    return look.render(
        "year.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=year_path(page.path, year.year),
        year=year.year,
        journal=f"{page.path.rpartition('/')[2]}.html",
        others=[other for other in page.years if other != year.year],
        now=now,
        figures=_figures(year),
        charts=[chart for chart in _charts(year) if chart.bars],
        finishes=[_finish(once) for once in finishes],
        best=[_finish(once) for once in _each_once(rated_best)[:BEST_SHOWN]],
        formats=(),
    )


def _figures(year: _Year) -> list[tuple[str, str]]:
    seconds = sum(each.seconds for each in year.sessions) + sum(once.seconds or 0 for once in year.by_hand)
    games = {each.of.game_id for each in year.sessions} | {once.of.game_id for once in (*year.ended, *year.begun)}
    return [
        (hours(seconds) or "–", "played"),
        (f"{len(games):,}", "game" if len(games) == 1 else "games"),
        (f"{len(year.begun):,}", "begun"),
        (f"{len(year.ended):,}", "finished"),
    ]


def _charts(year: _Year) -> list[_Chart]:
    months, finished = Counter[str](), Counter[str]()
    by_game, by_platform, by_store = Counter[str](), Counter[str](), Counter[str]()
    by_genre, by_series = Counter[str](), Counter[str]()
    for each in year.sessions:
        months[each.month] += each.seconds
        by_store[store_name(each.store)] += each.seconds
    for once in year.ended:
        finished[str(once.period)[:7]] += 1
    for once in year.by_hand:
        months[str(once.period)[:7]] += once.seconds or 0
    for of, platform, seconds in [
        *((each.of, each.platform, each.seconds) for each in year.sessions),
        *((once.of, once.platform, once.seconds or 0) for once in year.by_hand),
    ]:
        by_game[of.name] += seconds
        by_platform[platform or "Platform not named"] += seconds
        for genre in of.genres:
            by_genre[genre] += seconds
        if of.series:
            by_series[of.series] += seconds
    return [
        _Chart("By month", "Hours, and what was finished", _of_months(months, finished, year.year)),
        _Chart("Games", "Those with the most hours", bars_of_hours(by_game, most=12)),
        _Chart("Platforms", "By hours", bars_of_hours(by_platform)),
        _Chart("Finished by platform", "", bars_of_counts(_platforms(year.ended), "game")),
        _Chart("Shops", "By hours", bars_of_hours(by_store)),
        _Chart("Genres", "By hours; a game may have several", bars_of_hours(by_genre)),
        _Chart("Series", "By hours", bars_of_hours(by_series)),
    ]


def _of_months(seconds: Counter[str], finished: Counter[str], year: int) -> list[Bar]:
    bars = bars_of_months(seconds, finished, year)
    # A year or a quarter is no month.
    return bars if any(bar.width for bar in bars) else []


def _platforms(ended: Sequence[Once]) -> Counter[str]:
    return Counter(once.platform or "Platform not named" for once in ended)


def _finish(once: Once) -> _Finish:
    when = once.period.words if once.period.year is not None else ""
    return _Finish(one_line(once.of.name, 140), when, rated(once.rating))


def _each_once(playthroughs: Sequence[Once]) -> list[Once]:
    """Return the first playthrough of each game."""
    return list({once.of.game_id: once for once in reversed(playthroughs)}.values())[::-1]
