"""Render one event as a feed's entry: its identity, its headline, a line of plain text and the full HTML."""

import contextlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from feeds.content import Item
from feeds.releases import is_of_release, release_lines, release_summary
from feeds.sanitise import one_line, our_html, safe_url
from feeds.streams import category_lines, is_of_stream, stream_lines, stream_picture, stream_summary
from feeds.templating import template
from feeds.words import counted, duration, field_label, kind_label, moment, service_name
from models.events import EventDetail, EventKind, FieldChange

# RFC 4151. The authority is a name, not an address: a site that moves keeps its entries.
TAG = "tag:lootwire,2026:"
DROPS_SHOWN = 30
CHANNELS_SHOWN = 20
BOX_WIDTH, BADGE_WIDTH = 144, 72
_TAG_SAFE = "/?:@!$&'()*+,;=-._~"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What both formats say of an item; every text is fit for XML; `content` alone is HTML."""

    guid: str
    title: str
    summary: str
    content: str
    at: datetime
    url: str | None
    related_url: str | None
    categories: tuple[tuple[str, str], ...]


class _Change(msgspec.Struct, frozen=True):
    field: str
    old: str
    new: str


def render_entry(item: Item, page_url: str | None = None) -> Entry:
    """Return the entry of an event; the same event always gives the same entry. `page_url` is its channel's page."""
    return Entry(
        guid=guid(item.event_key),
        title=headline(item),
        summary=_summary(item),
        content=_content(item, page_url),
        at=item.occurred_at.astimezone(UTC),
        url=safe_url(item.detail.url) or safe_url(item.detail.account_link_url),
        related_url=safe_url(item.detail.account_link_url),
        categories=_categories(item),
    )


def guid(event_key: str) -> str:
    """Return the tag URI that stands for an event for ever, on every machine that saw it."""
    return TAG + quote(event_key.encode("utf-8", "surrogatepass"), safe=_TAG_SAFE)


def headline(item: Item) -> str:
    """Return the title of an entry: the event's own, as one line."""
    return one_line(item.title) or _label(item)


def _label(item: Item) -> str:
    # Never empty: a feed whose entry has no title is refused as a whole.
    return one_line(kind_label(item.kind)) or "News"


def _summary(item: Item) -> str:
    detail = item.detail
    if is_of_stream(item):
        return one_line(" · ".join(filter(None, (*_about(item), *stream_summary(detail)))) or _label(item))
    if is_of_release(item):
        return one_line(" · ".join(filter(None, (*_about(item), *release_summary(item)))) or _label(item))
    badge = detail.description if item.kind == EventKind.BADGE_ADDED else None
    parts = [*_about(item), badge, _asks(detail), f"until {moment(detail.end_at)}" if detail.end_at else ""]
    return one_line(" · ".join(part for part in parts if part) or _label(item))


def _asks(detail: EventDetail) -> str:
    if not detail.drops:
        return duration(detail.required_minutes) if detail.required_minutes else ""
    minutes = [drop.required_minutes for drop in detail.drops if drop.required_minutes]
    longest = f", up to {duration(max(minutes))}" if minutes else ""
    return counted(len(detail.drops), "drop") + longest


def _about(item: Item) -> list[str]:
    detail = item.detail
    names = [
        detail.channel or detail.channel_login,
        detail.game,
        detail.organization,
        service_name(item.service) if item.service else None,
    ]
    return [line for name in names if name and (line := one_line(name, 120))]


def _categories(item: Item) -> tuple[tuple[str, str], ...]:
    """Pairs of a term and what it is: kind, service, game or channel; a reader can filter by each."""
    told = item.detail
    pairs = (("kind", item.kind), ("service", item.service), ("game", told.game), ("channel", told.channel_login))
    return tuple((line, scheme) for scheme, term in pairs if term and (line := one_line(term, 120)))


def _content(item: Item, page_url: str | None) -> str:
    if is_of_stream(item):
        html = _stream_html(item, page_url)
    else:
        html = _release_html(item) if is_of_release(item) else _html(item)
    return our_html(" ".join(html.split()))


def _stream_html(item: Item, page_url: str | None) -> str:
    detail = item.detail
    return template("stream.html.j2").render(
        item=item,
        detail=detail,
        label=_label(item),
        about=_about(item),
        picture=stream_picture(item),
        changes=[_change(change) for change in detail.changes],
        lines=list(stream_lines(detail)),
        categories=category_lines(detail),
        url=safe_url(detail.url),
        page_url=safe_url(page_url),
    )


def _release_html(item: Item) -> str:
    detail = item.detail
    return template("release.html.j2").render(
        detail=detail,
        label=_label(item),
        about=_about(item),
        picture=safe_url(detail.box_art_url),
        picture_width=BOX_WIDTH,
        lines=list(release_lines(item)),
        url=safe_url(detail.url),
    )


def _html(item: Item) -> str:
    detail = item.detail
    is_watchable = item.kind == EventKind.CAMPAIGN_WATCHABLE
    urls = [
        ("Watch" if is_watchable else "Details", safe_url(detail.url)),
        ("Link your account", safe_url(detail.account_link_url)),
    ]
    return template("item.html.j2").render(
        item=item,
        label=_label(item),
        picture_width=BADGE_WIDTH if item.kind == EventKind.BADGE_ADDED else BOX_WIDTH,
        # Of one that can be earned on this channel now, the others are no news.
        is_campaign=item.kind.startswith("campaign.") and not is_watchable,
        channels_total=0 if is_watchable else detail.channels_total,
        about=_about(item),
        changes=[_change(change) for change in detail.changes],
        urls=[pair for pair in urls if pair[1]],
        drops_shown=DROPS_SHOWN,
        channels_shown=CHANNELS_SHOWN,
    )


def _change(change: FieldChange) -> _Change:
    label = field_label(change.field)
    # A drop that is gone is its own value; all else says which drop it is about.
    line = f"{change.about}: {label}" if change.about and change.field != "drop" else label
    return _Change(one_line(line, 120), _value(change.field, change.old), _value(change.field, change.new))


def _value(field: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return one_line(", ".join(str(part) for part in value))
    if field == "required_minutes" and isinstance(value, int):
        return duration(value)
    if field.endswith("_at") and isinstance(value, str):
        with contextlib.suppress(ValueError):
            return moment(datetime.fromisoformat(value))
    return one_line(str(value))
