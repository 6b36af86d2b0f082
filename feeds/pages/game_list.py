"""Render the page of a person's list: its games in their order, and how each of them moved. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.news import Line, lines
from feeds.pages.tallies import STATUSES, rated, written
from feeds.sanitise import one_line
from feeds.scopes import SCOPES

NEWS_SHOWN = 30


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """From which place to which a line of a list moved, and when."""

    at: datetime
    place: int
    place_before: int


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list: its place, its game, and its moves, the newest first."""

    place: int
    name: str
    notes: str | None = None
    rating: float | None = None
    status: str | None = None
    added_at: datetime
    moves: tuple[Move, ...] = ()


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a list is rendered from."""

    path: str
    name: str
    description: str | None = None
    is_ranked: bool = False
    entries: tuple[Placed, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    place: int
    name: str
    notes: str
    state: str
    rating: str
    # What the newest move was: "up 5, from 7", and whether it was upwards.
    moved: str
    is_up: bool
    moved_at: datetime | None


def render_list(page: ListPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return the page of a list; the same values always give the same bytes."""
    title = one_line(page.name, 120) or "List"
    return look.render(
        "list.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        title=title,
        text=one_line(page.description or "", 400) or SCOPES["list"].description.replace("{title}", title),
        now=now,
        is_ranked=page.is_ranked,
        rows=[_row(entry, is_ranked=page.is_ranked) for entry in page.entries],
        news=_news(feed),
        formats=formats_of("list"),
        feed_path=page.path,
        feed_title=title,
    )


def _row(entry: Placed, *, is_ranked: bool) -> _Row:
    newest = entry.moves[0] if entry.moves and is_ranked else None
    return _Row(
        place=entry.place,
        name=one_line(entry.name, 140) or "Without a name",
        notes=written(entry.notes),
        state=STATUSES.get(entry.status or "", ""),
        rating=rated(entry.rating),
        moved=_moved(newest) if newest else "",
        is_up=newest is not None and newest.place < newest.place_before,
        moved_at=newest.at if newest else None,
    )


def _moved(move: Move) -> str:
    places = abs(move.place_before - move.place)
    return f"{'up' if move.place < move.place_before else 'down'} {places}, from {move.place_before}"


def _news(feed: FeedContent) -> Sequence[Line]:
    return lines(feed.items[:NEWS_SHOWN], {})
