"""Render the page of a channel: what is on, the last streams, viewers over time, hours of the week."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.charts import CELL, COLOURS, HEIGHT, WEEKDAYS, WIDTH, Curve, on_air, viewers_curve, week_cells
from feeds.sanitise import one_line, safe_url
from feeds.templating import hue, initials
from models.statistics import CategoryTotals, Counted, HourTotals, Part, Story, Totals, by_weekday
from models.words.addresses import page_channel_address

CATEGORIES_SHOWN = 6
ROWS_SHOWN = 24


class ChannelPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a channel is rendered from; `stories` newest first, `counted` and `parts` of the newest one."""

    path: str
    service: str
    external_id: str
    login: str
    display_name: str | None = None
    former_logins: tuple[str, ...] = ()
    description: str | None = None
    profile_image_url: str | None = None
    stories: tuple[Story, ...] = ()
    counted: tuple[Counted, ...] = ()
    parts: tuple[Part, ...] = ()
    days: int
    totals: Totals = Totals()
    categories: tuple[CategoryTotals, ...] = ()
    week_days: int
    week: tuple[HourTotals, ...] = ()


def render_channel(page: ChannelPage, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:
    """Return a channel's page as it reads at `now`; links within the folder are relative, times are UTC.

    `stamp` goes into a comment near the beginning.
    """
    name = one_line(page.display_name or page.login, 60)
    newest = page.stories[0] if page.stories else None
    curve = viewers_curve(page.counted, page.parts)
    return look.render(
        "channel.html.j2",
        stamp=stamp,
        page=page,
        name=name,
        login=one_line(page.login, 60) if name.lower() != page.login.lower() else None,
        initials=initials(name),
        hue=hue(name),
        picture=safe_url(page.profile_image_url),
        channel_url=page_channel_address(page.service, page.login),
        path=page.path,
        feed_path=page.path,
        feed_title=name,
        root="../" * page.path.count("/"),
        newest=newest,
        live=newest if newest and newest.live else None,
        viewers=page.counted[-1].viewers if page.counted else None,
        playing=_name(page.parts[-1].name) if page.parts else None,
        curve=curve,
        legend=_legend(curve),
        rows=_rows(page),
        cells=week_cells(page.week),
        hours={(hour.weekday, hour.hour): hour.seconds for hour in page.week},
        day_seconds=by_weekday(page.week),
        categories=[(_name(category.name), category) for category in page.categories[:CATEGORIES_SHOWN]],
        stories=[(story, ", ".join(_name(part.name) for part in story.recap.categories)) for story in page.stories],
        now=now.astimezone(UTC),
        formats=formats_of("channel"),
        on_air=on_air,
        weekdays=WEEKDAYS,
        box=(WIDTH, HEIGHT),
        cell=CELL,
    )


def _name(category: str | None) -> str:
    return one_line(category, 80) if category else "Category not known"


def _legend(curve: Curve | None) -> list[tuple[int, str]]:
    """Return each category of the curve with its colour, by when it was first on."""
    bands = curve.bands if curve else ()
    return list({band.name: (band.colour % COLOURS, _name(band.name)) for band in bands}.values())


def _rows(page: ChannelPage) -> list[dict[str, Any]]:
    """Return the curve as a table: about two dozen moments, the peak among them."""
    each = max(1, len(page.counted) // ROWS_SHOWN)
    peak = max(page.counted, key=lambda count: count.viewers, default=None)
    shown = [count for number, count in enumerate(page.counted) if number % each == 0 or count is peak]
    return [
        {"at": count.at, "viewers": count.viewers, "is_peak": count is peak, "on": _on_at(page, count.at)}
        for count in shown
    ]


def _on_at(page: ChannelPage, at: datetime) -> str:
    return next((_name(part.name) for part in page.parts if part.begin <= at <= part.end), "")
