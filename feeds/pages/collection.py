"""Render the page of a person's library: every game by what it is to them, to be searched without a server. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.tallies import STATUSES, hours, names, rated, store_name
from feeds.sanitise import one_line
from feeds.scopes import SCOPES

TAGS_SHOWN = 6


class OwnedWork(msgspec.Struct, frozen=True, kw_only=True):
    """A game of a library, as a row of `person_works` and its person's own words say it."""

    name: str
    words: tuple[str, ...] = ()
    status: str | None = None
    stores: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    seconds: int | None = None
    last_played_at: datetime | None = None
    rating: float | None = None
    is_favourite: bool = False
    tags: tuple[str, ...] = ()
    series: str | None = None
    year: int | None = None


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a library is rendered from: its games by name."""

    path: str
    works: tuple[OwnedWork, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    name: str
    about: str
    places: str
    played: str
    last: str
    rating: str
    is_favourite: bool


class _Group(msgspec.Struct, frozen=True):
    title: str
    key: str
    rows: Sequence[_Row]


def render_collection(
    page: CollectionPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE
) -> bytes:
    """Return the page of a library; the same values always give the same bytes."""
    groups = _groups(page.works)
    return look.render(
        "collection.html.j2",
        stamp=stamp,
        root="../" * page.path.count("/"),
        path=page.path,
        title=one_line(feed.title, 120) or "Library",
        text=SCOPES["library"].description,
        now=now,
        summary=_summary(page.works),
        groups=groups,
        total=len(page.works),
        formats=formats_of("library"),
        feed_path=page.path,
        feed_title=one_line(feed.title, 120),
    )


def _groups(works: Sequence[OwnedWork]) -> list[_Group]:
    by_key: dict[str, list[OwnedWork]] = {}
    for work in works:
        by_key.setdefault(_key(work), []).append(work)
    titles = {**STATUSES, "wished": "Wished for", "other": "Others"}
    return [_Group(title, key, [_row(work) for work in by_key[key]]) for key, title in titles.items() if key in by_key]


def _key(work: OwnedWork) -> str:
    if work.status in STATUSES:
        return work.status or ""
    return "wished" if "wished" in work.words else "other"


def _row(work: OwnedWork) -> _Row:
    about = [one_line(work.series, 60) if work.series else "", str(work.year or ""), names(work.tags[:TAGS_SHOWN], 40)]
    places = [names(map(store_name, work.stores)), names(work.platforms)]
    last = work.last_played_at
    return _Row(
        name=one_line(work.name, 140) or "Without a name",
        about=" · ".join(filter(None, about)),
        places=" · ".join(filter(None, places)),
        played=hours(work.seconds),
        last=f"{last:%B} {last.year}" if last else "",
        rating=rated(work.rating),
        is_favourite=work.is_favourite,
    )


def _summary(works: Sequence[OwnedWork]) -> list[tuple[str, str]]:
    owned = sum("owned" in work.words for work in works)
    statuses = Counter(work.status for work in works)
    played = hours(sum(work.seconds or 0 for work in works)) or "–"
    done = statuses["finished"] + statuses["mastered"]
    figures = [(f"{owned:,}", "owned"), (played, "played"), (f"{done:,}", "finished")]
    return [*figures, (f"{statuses['backlog']:,}", "waiting")]
