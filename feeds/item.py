"""Render one event as a feed's entry: its identity, its headline, a line of plain text and the full HTML."""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from feeds.content import Item
from feeds.item_html import Change, campaign_html, label, release_html, stream_html
from feeds.sanitise import one_line, safe_url
from models.details import CampaignDetail, EventDetail, FieldChange, ReleaseDetail, StreamDetail
from models.events import EventKind
from models.periods import in_words
from models.words import feed_summary, names
from models.words.fields import field_words
from models.words.units import duration, in_utc, moment, service_heading

# RFC 4151. The authority is a name, not an address: a site that moves keeps its entries.
TAG = "tag:lootwire,2026:"
_TAG_SAFE = "/?:@!$&'()*+,;=-._~"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What all formats say of an item; every text is fit for XML; `content` alone is HTML.

    `categories` are pairs of a term and its scheme: kind, service, game or channel.
    """

    guid: str
    title: str
    summary: str
    content: str
    at: datetime
    url: str | None
    related_url: str | None
    picture: str | None
    categories: tuple[tuple[str, str], ...]
    organization: str | None
    start_at: datetime | None
    end_at: datetime | None
    changes: tuple[Change, ...]


def render_entry(item: Item, page_url: str | None = None) -> Entry:
    """Return the entry of an event; the same event always gives the same entry. `page_url` is its channel's page."""
    detail = item.detail
    campaign = detail if isinstance(detail, CampaignDetail) else None
    account_link = safe_url(campaign.account_link_url) if campaign else None
    about, changes, picture = _about(item), _changes(detail), _picture(item)
    return Entry(
        guid=guid(item.event_key),
        title=headline(item),
        summary=_summary(item, about),
        content=_content(item, about, changes, picture, page_url),
        at=item.occurred_at.astimezone(UTC),
        url=safe_url(detail.url) or account_link,
        related_url=account_link,
        picture=picture,
        categories=_categories(item),
        organization=one_line(campaign.organization, 120) or None if campaign and campaign.organization else None,
        start_at=in_utc(campaign.start_at) if campaign and campaign.start_at else None,
        end_at=in_utc(campaign.end_at) if campaign and campaign.end_at else None,
        changes=changes,
    )


def guid(event_key: str) -> str:
    """Return the tag URI that stands for an event for ever, on every machine that saw it."""
    return TAG + quote(event_key.encode("utf-8", "surrogatepass"), safe=_TAG_SAFE)


def headline(item: Item) -> str:
    """Return the title of an entry: the event's own, as one line."""
    return one_line(item.title) or label(item.kind)


def _summary(item: Item, about: Sequence[str]) -> str:
    return one_line(" · ".join([*about, *feed_summary(item.kind, item.detail)]) or label(item.kind))


def _about(item: Item) -> list[str]:
    service = [service_heading(item.service)] if item.service else []
    return [line for name in [*names(item.detail), *service] if (line := one_line(name, 120))]


def _categories(item: Item) -> tuple[tuple[str, str], ...]:
    """Return pairs of a term and its scheme, kind, service, game or channel; a reader can filter by each."""
    detail = item.detail
    channel = detail.channel_login if isinstance(detail, CampaignDetail | StreamDetail) else None
    pairs = (("kind", item.kind), ("service", item.service), ("game", detail.game), ("channel", channel))
    return tuple((line, scheme) for scheme, term in pairs if term and (line := one_line(term, 120)))


def _content(
    item: Item, about: Sequence[str], changes: Sequence[Change], picture: str | None, page_url: str | None
) -> str:
    match item.detail:
        case CampaignDetail() as campaign:
            return campaign_html(item, campaign, about, changes, picture)
        case StreamDetail() as stream:
            return stream_html(item, stream, about, changes, picture, page_url)
        case other:
            return release_html(item, other, about, picture)


def _picture(item: Item) -> str | None:
    """Return the address of the picture that an entry's content begins with."""
    match item.detail:
        case StreamDetail() as stream:
            return stream_picture(item.kind, stream)
        case CampaignDetail() as campaign:
            return safe_url(campaign.box_art_url) or safe_url(campaign.image_url)
        case other:
            return safe_url(other.box_art_url)


def stream_picture(kind: str, detail: StreamDetail) -> str | None:
    """Return the stream as it looks, or the box of its game: of a stream that is over Twitch shows no picture."""
    seen, box = safe_url(detail.image_url), safe_url(detail.box_art_url)
    return box or seen if kind == EventKind.STREAM_OFFLINE else seen or box


def _changes(detail: EventDetail) -> tuple[Change, ...]:
    """Return what an event says has changed, with its old and its new value."""
    match detail:
        case CampaignDetail(changes=changes) | StreamDetail(changes=changes):
            return changes_of(changes)
        case ReleaseDetail(when_before=str() as before) as release:
            return (Change("Date", in_words(before) or "", in_words(release.when) or ""),)
        case _:
            return ()


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
