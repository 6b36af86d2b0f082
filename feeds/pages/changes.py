"""Render `changes.html`: what came, changed and went, by day. Pure."""

from datetime import UTC, datetime

import msgspec

from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.news import Line, by_day

FAMILIES = (
    ("campaign", "Campaigns"),
    ("reward", "Rewards"),
    ("badge", "Badges"),
    ("release", "Releases"),
    ("game", "Games"),
    ("stream", "Streams"),
    ("video", "Videos"),
)


class ChangesPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of changes is rendered from, the newest first."""

    news: tuple[Line, ...] = ()


def render_changes(page: ChangesPage, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return `changes.html`; the same values always give the same bytes."""
    families = {line.family for line in page.news}
    return look.render(
        "changes.html.j2",
        stamp=stamp,
        root="",
        path="changes",
        days=by_day(page.news),
        total=len(page.news),
        families=[(key, label) for key, label in FAMILIES if key in families],
        formats=formats_of("all"),
        feed_path="all",
        feed_title="Lootwire: everything",
        now=now.astimezone(UTC),
    )
