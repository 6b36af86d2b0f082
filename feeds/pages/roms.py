"""Render the pages of a person's collection of ROMs: one of its platforms, and one of each platform's games. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.tallies import names
from feeds.sanitise import one_line
from feeds.scopes import SCOPES
from models.names import slug

# A page of more would be heavy to open; the command line lists all.
MOST_GAMES = 5_000
DUMPS_SHOWN = 8
NO_PLATFORM = "Platform unknown"


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """A ROM of a game, by its name as it is written; `verdict` is that of DATs."""

    written: str
    verdict: str = "unknown"
    is_missing: bool = False


class CollectedGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game of a collection on one platform, with its dumps; `matched` is what IGDB calls it."""

    title: str
    platform: str | None
    year: int | None = None
    matched: str | None = None
    dumps: tuple[Dump, ...] = ()


class RomsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of a collection are rendered from: its games by platform and title; `path` has no ending."""

    path: str
    games: tuple[CollectedGame, ...] = ()

    @property
    def platforms(self) -> Mapping[str, Sequence[CollectedGame]]:
        """The games of each platform, by its name."""
        by_name: dict[str, list[CollectedGame]] = {}
        for game in self.games:
            by_name.setdefault(one_line(game.platform, 60) if game.platform else NO_PLATFORM, []).append(game)
        return dict(sorted(by_name.items(), key=lambda item: (item[0] == NO_PLATFORM, item[0].casefold())))


class _Platform(msgspec.Struct, frozen=True):
    name: str
    file: str
    games: int
    roms: int
    verified: int
    missing: int


class _Row(msgspec.Struct, frozen=True):
    title: str
    about: str
    dumps: Sequence[tuple[str, str]]
    more: int


def render_roms(page: RomsPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return the page of a collection; the same values always give the same bytes."""
    platforms = [_platform(name, games) for name, games in page.platforms.items()]
    return look.render(
        "roms.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        title=one_line(feed.title, 120) or "ROMs",
        text=SCOPES["roms"].description,
        now=now,
        platforms=platforms,
        summary=[
            (f"{len(page.games):,}", "games"),
            (f"{sum(each.roms for each in platforms):,}", "ROMs"),
            (f"{sum(each.verified for each in platforms):,}", "verified"),
            (f"{sum(each.missing for each in platforms):,}", "missing"),
        ],
        formats=formats_of("roms"),
        feed_path=page.path,
        feed_title=one_line(feed.title, 120),
    )


def render_platforms(
    page: RomsPage,
    feed: FeedContent,  # noqa: ARG001 - as every page beside a feed takes it
    now: datetime,
    *,
    stamp: str = "",
    look: Look = HOUSE,
) -> Mapping[str, bytes]:
    """Return the pages of all platforms of a collection by their paths below the published folder."""
    return {
        f"{page.path.rpartition('/')[0]}/{_file(name)}": look.render(
            "platform.html.j2",
            stamp=stamp,
            root="../" * page.path.count("/"),
            path=f"{page.path.rpartition('/')[0]}/{_file(name).removesuffix('.html')}",
            title=name,
            collection=f"{page.path.rpartition('/')[2]}.html",
            now=now,
            rows=[_row(game) for game in games[:MOST_GAMES]],
            total=len(games),
            formats=(),
        )
        for name, games in page.platforms.items()
    }


def _file(platform: str) -> str:
    return f"platform-{slug(platform) or 'other'}.html"


def _platform(name: str, games: Sequence[CollectedGame]) -> _Platform:
    dumps = [dump for game in games for dump in game.dumps]
    return _Platform(
        name,
        _file(name),
        len(games),
        len(dumps),
        sum(dump.verdict == "verified" for dump in dumps),
        sum(dump.is_missing for dump in dumps),
    )


def _row(game: CollectedGame) -> _Row:
    matched = one_line(game.matched, 140) if game.matched and game.matched != game.title else ""
    return _Row(
        one_line(game.title, 140) or "Without a name",
        " · ".join(filter(None, [str(game.year or ""), names([matched], 140) if matched else ""])),
        [(one_line(dump.written, 140), ", ".join(_said(dump))) for dump in game.dumps[:DUMPS_SHOWN]],
        max(0, len(game.dumps) - DUMPS_SHOWN),
    )


def _said(dump: Dump) -> Iterator[str]:
    if dump.is_missing:
        yield "missing"
    if dump.verdict != "unknown":
        yield {"bad": "bad dump"}.get(dump.verdict, dump.verdict)
