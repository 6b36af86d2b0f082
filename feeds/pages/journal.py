"""Render the page of a person's journal: what they began and finished, by year and month. Pure."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.tallies import STATUSES, Subject, hours, rated, written
from feeds.sanitise import one_line
from feeds.scopes import SCOPES
from models.periods import Period, in_words, read_period
from models.words.library import COMPLETIONS

GAMES_NAMED = 6


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """Once through a game, as a row of `playthroughs`; `rating` is the game's where it has none of its own."""

    of: Subject
    status: str
    platform: str = ""
    completion: str | None = None
    started: str | None = None
    finished: str | None = None
    seconds: int | None = None
    rating: float | None = None
    notes: str | None = None
    is_replay: bool = False

    @property
    def period(self) -> Period:
        """When it ended, or began where no end is known; one without a year where neither is."""
        return read_period(self.finished) or read_period(self.started) or Period()

    @property
    def is_done(self) -> bool:
        """Whether the game was played to its end."""
        return self.status in {"finished", "mastered"} or (self.finished is not None and self.status != "abandoned")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """How long a game was played in a month (`2026-11`), as its shop says."""

    of: Subject
    month: str
    seconds: int
    platform: str = ""
    store: str = ""


class JournalPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of a journal and its years are rendered from."""

    path: str
    playthroughs: tuple[Once, ...] = ()
    sessions: tuple[Session, ...] = ()

    @property
    def years(self) -> list[int]:
        """Return the years of which anything is known, the newest first."""
        known = {once.period.year for once in self.playthroughs} | {int(each.month[:4]) for each in self.sessions}
        return sorted((year for year in known if year is not None), reverse=True)


class _Row(msgspec.Struct, frozen=True):
    name: str
    state: str
    is_good: bool
    when: str
    facts: str
    rating: str
    notes: str


class _Month(msgspec.Struct, frozen=True):
    title: str
    played: str
    rows: Sequence[_Row]


class _Year(msgspec.Struct, frozen=True):
    year: int
    total: int
    months: Sequence[_Month]


def render_journal(
    page: JournalPage,
    feed: FeedContent,
    now: datetime,
    *,
    stamp: str = "",
    look: Look = HOUSE,
) -> bytes:
    """Return the page of a journal; the same values always give the same bytes."""
    return look.render(
        "journal.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        title=one_line(feed.title, 120) or "Journal",
        text=SCOPES["journal"].description,
        now=now,
        years=[_year(page, year) for year in page.years],
        undated=[_row(once) for once in page.playthroughs if once.period.year is None],
        total=len(page.playthroughs),
        formats=formats_of("journal"),
        feed_path=page.path,
        feed_title=one_line(feed.title, 120),
    )


def _year(page: JournalPage, year: int) -> _Year:
    listed = [once for once in page.playthroughs if once.period.year == year]
    by_month: dict[int, list[Once]] = {}
    for once in listed:
        by_month.setdefault(_month_of(once.period), []).append(once)
    played: dict[int, list[Session]] = {}
    for each in page.sessions:
        if int(each.month[:4]) == year:
            played.setdefault(int(each.month[5:7]), []).append(each)
    return _Year(
        year,
        len(listed),
        [
            _Month(
                calendar.month_name[month] if month else f"Sometime in {year}",
                _played(played.get(month, ())),
                [_row(once) for once in sorted(by_month.get(month, ()), key=_newest_first)],
            )
            for month in sorted(by_month.keys() | played.keys(), reverse=True)
        ],
    )


def _month_of(period: Period) -> int:
    """Return the month of a period, or 0 where it has none: a quarter is no month."""
    return period.month or 0


def _newest_first(once: Once) -> tuple[int, str]:
    return -(once.period.day or 0), once.of.name


def _played(sessions: Iterable[Session]) -> str:
    """Return how long what was played: "14 h: Ico 12 h, Rez 2 h"."""
    seconds: dict[str, int] = {}
    for each in sessions:
        seconds[each.of.name] = seconds.get(each.of.name, 0) + each.seconds
    whole = hours(sum(seconds.values()))
    if not whole:
        return ""
    ordered = sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{one_line(name, 80)} {hours(number)}" for name, number in ordered[:GAMES_NAMED] if hours(number)]
    more = len(ordered) - len(named)
    return f"{whole} played: {', '.join(named)}{f' and {more} more' if more > 0 else ''}"


def _row(once: Once) -> _Row:
    facts = [
        one_line(once.platform, 60),
        hours(once.seconds),
        COMPLETIONS.get(once.completion or "", ""),
        "once more" if once.is_replay else "",
    ]
    return _Row(
        name=one_line(once.of.name, 140),
        state="Finished" if once.is_done and once.status != "mastered" else STATUSES.get(once.status, "Played"),
        is_good=once.is_done,
        when=_when(once),
        facts=" · ".join(filter(None, facts)),
        rating=rated(once.rating),
        notes=written(once.notes),
    )


def _when(once: Once) -> str:
    begin, end = in_words(once.started), in_words(once.finished)
    if begin and end and begin != end:
        return f"{begin} – {end}"
    if end:
        return end
    return f"since {begin}" if begin else ""
