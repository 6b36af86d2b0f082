"""Render one event as a feed's entry: its identity, its headline, a line of plain text and the full HTML."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from feeds.content import Item
from feeds.sanitise import one_line, our_html, safe_url
from feeds.templating import template
from models.details import CampaignDetail, EventDetail, FieldChange, ReleaseDetail, StreamDetail
from models.events import EventKind
from models.words import feed_summary, kind_label, link_label, names
from models.words.campaigns import allowed, gives_rewards, is_over, until
from models.words.fields import field_words
from models.words.releases import feed_lines as release_lines
from models.words.streams import feed_categories
from models.words.streams import feed_lines as stream_lines
from models.words.units import duration, moment, service_heading

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


class Change(msgspec.Struct, frozen=True):
    """A field that changed, with its old and its new value in words; what is empty was or is not there."""

    field: str
    old: str
    new: str


def render_entry(item: Item, page_url: str | None = None) -> Entry:
    """Return the entry of an event; the same event always gives the same entry. `page_url` is its channel's page."""
    account_link = safe_url(item.detail.account_link_url) if isinstance(item.detail, CampaignDetail) else None
    return Entry(
        guid=guid(item.event_key),
        title=headline(item),
        summary=_summary(item),
        content=_content(item, page_url),
        at=item.occurred_at.astimezone(UTC),
        url=safe_url(item.detail.url) or account_link,
        related_url=account_link,
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
    return one_line(" · ".join([*_about(item), *feed_summary(item.kind, item.detail)]) or _label(item))


def _about(item: Item) -> list[str]:
    service = [service_heading(item.service)] if item.service else []
    return [line for name in [*names(item.detail), *service] if (line := one_line(name, 120))]


def _categories(item: Item) -> tuple[tuple[str, str], ...]:
    """Return pairs of a term and its scheme, kind, service, game or channel; a reader can filter by each."""
    detail = item.detail
    channel = detail.channel_login if isinstance(detail, CampaignDetail | StreamDetail) else None
    pairs = (("kind", item.kind), ("service", item.service), ("game", detail.game), ("channel", channel))
    return tuple((line, scheme) for scheme, term in pairs if term and (line := one_line(term, 120)))


def _content(item: Item, page_url: str | None) -> str:
    match item.detail:
        case CampaignDetail() as campaign:
            html = _campaign_html(item, campaign)
        case StreamDetail() as stream:
            html = _stream_html(item, stream, page_url)
        case ReleaseDetail() as release:
            html = _plain_html(item, release, release_lines(item.kind, release))
        case other:
            html = _plain_html(item, other, ())
    return our_html(" ".join(html.split()))


def stream_picture(kind: str, detail: StreamDetail) -> str | None:
    """Return the stream as it looks, or the box of its game: of a stream that is over Twitch shows no picture."""
    seen, box = safe_url(detail.image_url), safe_url(detail.box_art_url)
    return box or seen if kind == EventKind.STREAM_OFFLINE else seen or box


def _stream_html(item: Item, detail: StreamDetail, page_url: str | None) -> str:
    return template("stream.html.j2").render(
        item=item,
        detail=detail,
        label=_label(item),
        about=_about(item),
        picture=stream_picture(item.kind, detail),
        changes=changes_of(detail.changes),
        lines=list(stream_lines(detail)),
        categories=feed_categories(detail),
        link_label=link_label(item.kind, detail),
        url=safe_url(detail.url),
        page_url=safe_url(page_url),
    )


def _plain_html(item: Item, detail: EventDetail, lines: Iterable[str]) -> str:
    return template("release.html.j2").render(
        detail=detail,
        label=_label(item),
        about=_about(item),
        picture=safe_url(detail.box_art_url),
        picture_width=BOX_WIDTH,
        lines=list(lines),
        link_label=link_label(item.kind, detail),
        url=safe_url(detail.url),
    )


def _campaign_html(item: Item, detail: CampaignDetail) -> str:
    is_watchable = item.kind == EventKind.CAMPAIGN_WATCHABLE
    listed = allowed(detail)
    urls = [
        (link_label(item.kind, detail), safe_url(detail.url)),
        ("Link your account", safe_url(detail.account_link_url)),
    ]
    return template("item.html.j2").render(
        item=item,
        label=_label(item),
        picture_width=BADGE_WIDTH if item.kind == EventKind.BADGE_ADDED else BOX_WIDTH,
        # An event about one channel has no news of the others.
        is_campaign=item.kind.startswith("campaign.") and not is_watchable,
        drops_label=_drops_label(item.kind, detail),
        until=until(item.kind),
        counts="Counted" if is_over(item.kind) else "Counts",
        channels=listed.names,
        channels_total=0 if is_watchable else listed.total,
        about=_about(item),
        changes=changes_of(detail.changes),
        urls=[pair for pair in urls if pair[1]],
        drops_shown=DROPS_SHOWN,
        channels_shown=CHANNELS_SHOWN,
    )


def _drops_label(kind: str, detail: CampaignDetail) -> str:
    if gives_rewards(kind):
        return "Rewards"
    return "All drops" if detail.drops_added or detail.drops_ending else "Drops"


def changes_of(changes: Iterable[FieldChange]) -> tuple[Change, ...]:
    """Return changes as feeds and pages show them."""
    return tuple(_change(change) for change in changes)


def _change(change: FieldChange) -> Change:
    label = field_words(change.field).label
    # A drop that is gone is its own value; all else says which drop it is about.
    line = f"{change.about}: {label}" if change.about and change.field != "drop" else label
    return Change(one_line(line, 120), _value(change.field, change.old), _value(change.field, change.new))


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
