"""Render `releases.html`: what comes out when, as a month and as a list, and which dates moved."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.news import Line
from feeds.sanitise import one_line
from models.periods import Period

MONTHS_SHOWN = 2
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """When a game comes out, on the platforms that share the date; `game_path` is that of its page."""

    game: str
    game_path: str | None = None
    when: Period
    platforms: tuple[str, ...] = ()
    stage: str | None = None
    is_cancelled: bool = False
    box_art_url: str | None = None

    @property
    def words(self) -> str:
        """Return when as people write it, no more precisely than it is known."""
        return self.when.words

    @property
    def places(self) -> str:
        """Return the platforms in a line."""
        return ", ".join(self.platforms)


class ReleasesPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of releases is rendered from: dates from this month on by when they are, and news of dates."""

    releases: tuple[Release, ...] = ()
    news: tuple[Line, ...] = ()
    is_off: bool = False


class _Day(msgspec.Struct, frozen=True):
    day: date
    is_within: bool
    is_today: bool
    releases: Sequence[Release]


class _Month(msgspec.Struct, frozen=True):
    title: str
    weeks: Sequence[Sequence[_Day]]


def render_releases(page: ReleasesPage, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return `releases.html` as it reads at `now`; days are those of the calendar, wherever somebody is."""
    today = now.astimezone(UTC).date()
    dated = [release for release in page.releases if release.when.day is not None and not release.is_cancelled]
    return look.render(
        "releases.html.j2",
        stamp=stamp,
        root="",
        path="releases",
        months=[_month(first, dated, today) for first in _firsts(today)] if dated else [],
        groups=_groups(page.releases, today),
        news=page.news,
        weekdays=WEEKDAYS,
        # A feed is there from its first item on.
        formats=formats_of("releases") if page.news else (),
        feed_path="releases",
        feed_title="Lootwire: releases",
        total=len(page.releases),
    )


def _firsts(today: date) -> list[date]:
    first = today.replace(day=1)
    firsts = [first]
    while len(firsts) < MONTHS_SHOWN:
        first = (first + timedelta(days=32)).replace(day=1)
        firsts.append(first)
    return firsts


def _month(first: date, releases: Iterable[Release], today: date) -> _Month:
    by_day: dict[date, list[Release]] = {}
    for release in releases:
        if release.when.first is not None:
            by_day.setdefault(release.when.first, []).append(release)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return _Month(
        f"{first:%B %Y}",
        [
            [
                _Day(
                    day, day.month == first.month, day == today, by_day.get(day, []) if day.month == first.month else []
                )
                for day in week
            ]
            for week in weeks
        ],
    )


def _groups(releases: Sequence[Release], today: date) -> list[tuple[str, list[Release]]]:
    """Return releases under the months, quarters and years that they are known to lie in, those of no date last."""
    groups: dict[str, list[Release]] = {}
    for release in releases:
        groups.setdefault(_heading(release.when, today), []).append(release)
    return list(groups.items())


def _heading(when: Period, today: date) -> str:
    if when.year is None:
        return "To be determined"
    if when.last is not None and when.last < today:
        return "Just out"
    return Period(when.year, quarter=when.quarter, month=when.month).words


def in_order(releases: Iterable[Release]) -> list[Release]:
    """Return releases by when they are: a month after its days, a quarter after its months, no date at the end."""
    return sorted(
        releases,
        key=lambda release: (
            release.when.last or date.max,
            -(release.when.first or date.max).toordinal(),
            release.game,
        ),
    )


def merged(releases: Iterable[Release]) -> list[Release]:
    """Return releases with one for each game, stage and date, on all of their platforms."""
    groups: dict[tuple[str, str | None, str | None, str, bool], list[Release]] = {}
    for release in releases:
        key = (release.game, release.game_path, release.stage, str(release.when), release.is_cancelled)
        groups.setdefault(key, []).append(release)
    return [
        msgspec.structs.replace(
            group[0],
            platforms=tuple(
                dict.fromkeys(one_line(platform, 60) for release in group for platform in release.platforms)
            ),
        )
        for group in groups.values()
    ]
