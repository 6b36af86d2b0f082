"""Says what a message shows of an event: facts, lists and links in plain words, before any format; pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.events import DropLine, EventDetail, EventKind, FieldChange, SeenBefore
from notifiers.escape import clean, cut, safe_url
from notifiers.releases import is_of_release, release_facts
from notifiers.streams import is_of_stream, stream_categories, stream_facts
from notifiers.words import moment

NAME_LENGTH = 160
DESCRIPTION_LENGTH = 400
THUMBNAIL_WIDTH, BOX_WIDTH, BADGE_WIDTH = 320, 144, 72

_SERVICES = {"twitch": "Twitch", "kick": "Kick", "chzzk": "CHZZK", "igdb": "IGDB"}
_FIELDS = {"start_at": "Start", "end_at": "End", "details_url": "Details", "account_link_url": "Account link"}
_KINDS = {
    EventKind.CAMPAIGN_ADDED: ("new campaign", "new campaigns"),
    EventKind.CAMPAIGN_STARTED: ("campaign started", "campaigns started"),
    EventKind.CAMPAIGN_CHANGED: ("campaign changed", "campaigns changed"),
    EventKind.CAMPAIGN_DROP_ADDED: ("campaign with new drops", "campaigns with new drops"),
    EventKind.CAMPAIGN_CHANNELS_CHANGED: ("campaign with other channels", "campaigns with other channels"),
    EventKind.CAMPAIGN_ENDING_SOON: ("campaign ending soon", "campaigns ending soon"),
    EventKind.CAMPAIGN_LAST_CHANCE: ("last chance", "last chances"),
    EventKind.CAMPAIGN_ENDED: ("campaign ended", "campaigns ended"),
    EventKind.CAMPAIGN_WITHDRAWN: ("campaign withdrawn", "campaigns withdrawn"),
    EventKind.CAMPAIGN_RETURNED: ("campaign returned", "campaigns returned"),
    EventKind.CAMPAIGN_WATCHABLE: ("campaign to earn now", "campaigns to earn now"),
    EventKind.REWARD_ADDED: ("new reward campaign", "new reward campaigns"),
    EventKind.REWARD_ENDED: ("reward campaign ended", "reward campaigns ended"),
    EventKind.BADGE_ADDED: ("new chat badge", "new chat badges"),
    EventKind.STREAM_ONLINE: ("stream live", "streams live"),
    EventKind.STREAM_OFFLINE: ("stream over", "streams over"),
    EventKind.STREAM_TITLE_CHANGED: ("new title", "new titles"),
    EventKind.STREAM_CATEGORY_CHANGED: ("other category", "other categories"),
    EventKind.VIDEO_PUBLISHED: ("new video", "new videos"),
    EventKind.RELEASE_ANNOUNCED: ("release announced", "releases announced"),
    EventKind.RELEASE_PRECISED: ("date made precise", "dates made precise"),
    EventKind.RELEASE_MOVED: ("release moved", "releases moved"),
    EventKind.RELEASE_OUT: ("game out", "games out"),
    EventKind.RELEASE_CANCELLED: ("release cancelled", "releases cancelled"),
    EventKind.GAME_ADDED: ("new game", "new games"),
    EventKind.SOURCE_FAILING: ("source failing", "sources failing"),
    EventKind.SOURCE_STALE: ("source stale", "sources stale"),
    EventKind.SOURCE_RECOVERED: ("source recovered", "sources recovered"),
    EventKind.SOURCE_CHANGED: ("source changed its format", "sources changed their format"),
}
_CHANNELS_MATTER = {EventKind.CAMPAIGN_ADDED, EventKind.CAMPAIGN_STARTED, EventKind.CAMPAIGN_RETURNED}


@dataclass(frozen=True, kw_only=True)
class EventText:
    """An event as a message needs it; its texts are as the service sent them."""

    kind: str
    title: str
    occurred_at: datetime
    service: str | None = None
    detail: EventDetail


@dataclass(frozen=True)
class Extent:
    """How much of it a message shows; smaller ones are tried until it fits."""

    items: int
    description: bool


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Section:
    label: str
    items: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Picture:
    """A picture by its address, to be shown so many pixels wide."""

    url: str
    width: int


@dataclass(frozen=True)
class EventView:
    """One event in words. All strings are clean: one line, no mention, no control character."""

    title: str
    picture: Picture | None
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    description: str
    links: tuple[Fact, ...]


@dataclass(frozen=True)
class EntryView:
    """One event as a line of a list."""

    title: str
    note: str
    url: str | None


def view_event(event: EventText, extent: Extent) -> EventView:
    """Return everything that a message about one event says, as far as the extent allows."""
    detail = event.detail
    return EventView(
        title=clean(event.title, NAME_LENGTH),
        picture=_picture(event),
        facts=tuple(_facts(event)),
        sections=tuple(s for s in _sections(event, extent) if s.items),
        description=clean(detail.description or "", DESCRIPTION_LENGTH) if extent.description else "",
        links=tuple(
            Fact(label, url)
            for label, url in (
                (_link_label(event.kind), safe_url(detail.url)),
                ("Link your account", safe_url(detail.account_link_url)),
            )
            if url
        ),
    )


def view_entry(event: EventText) -> EntryView:
    """Return an event as a line of a list."""
    return EntryView(title=clean(event.title, NAME_LENGTH), note=_note(event), url=safe_url(event.detail.url))


def headline(events: Sequence[EventText], length: int) -> str:
    """Return the title of a message: the event's own, or how many of what for several."""
    if len(events) == 1:
        return clean(events[0].title, length) or "Lootwire"
    counts: dict[str, int] = {}
    for event in events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
    parts = ", ".join(f"{count} {_kind_words(kind, count)}" for kind, count in counts.items())
    return clean(parts, length)


def _kind_words(kind: str, count: int) -> str:
    try:
        one, many = _KINDS[EventKind(kind)]
    except (KeyError, ValueError):
        # A kind of a newer version: its own name is still better than nothing.
        return kind
    return one if count == 1 else many


def _note(event: EventText) -> str:
    detail = event.detail
    if is_of_stream(event.kind):
        return "drops enabled" if detail.campaigns else ""
    # Of an event that tells of an end it would only repeat the title.
    return f"ends {moment(detail.end_at)}" if detail.end_at and event.kind != EventKind.CAMPAIGN_ENDED else ""


def _link_label(kind: str) -> str:
    if kind == EventKind.STREAM_OFFLINE:
        return "Channel"
    return "Watch" if is_of_stream(kind) or kind == EventKind.CAMPAIGN_WATCHABLE else "Details"


def _picture(event: EventText) -> Picture | None:
    """Return what best shows the event: the stream as it looks while it is on, else the box of the game."""
    box, picture = safe_url(event.detail.box_art_url), safe_url(event.detail.image_url)
    if is_of_stream(event.kind) and event.kind != EventKind.STREAM_OFFLINE and picture:
        return Picture(picture, THUMBNAIL_WIDTH)
    if event.kind == EventKind.BADGE_ADDED and picture:
        return Picture(picture, BADGE_WIDTH)
    url = box or picture
    return Picture(url, BOX_WIDTH) if url else None


def _facts(event: EventText) -> Iterable[Fact]:
    for label, value in _told(event):
        if value:
            yield Fact(label, clean(value, NAME_LENGTH))


def _told(event: EventText) -> Iterable[tuple[str, str | None]]:
    if is_of_stream(event.kind):
        return stream_facts(event.kind, event.detail)
    return release_facts(event.kind, event.detail) if is_of_release(event.kind) else _campaign_facts(event)


def _campaign_facts(event: EventText) -> Iterable[tuple[str, str | None]]:
    detail = event.detail
    return (
        ("Channel", detail.channel or detail.channel_login),
        ("Game", detail.game),
        ("By", detail.organization),
        ("On", event.service and _SERVICES.get(event.service, event.service)),
        ("Starts", moment(detail.start_at) if detail.start_at else None),
        ("Ends", moment(detail.end_at) if detail.end_at else None),
        ("Asks for", _effort(detail.required_minutes, detail.required_subs)),
        ("Late", "this was due while nothing ran" if detail.late else None),
        ("Reason", detail.reason),
        ("Since", moment(detail.since) if detail.since else None),
        ("Next attempt", moment(detail.next_attempt_at) if detail.next_attempt_at else None),
    )


def _sections(event: EventText, extent: Extent) -> Iterable[Section]:
    detail = event.detail
    if is_of_stream(event.kind):
        yield _section("Categories", stream_categories(detail), extent)
        return
    yield _section("Changed", [_change(c) for c in detail.changes], extent)
    yield _section("New drops", [_drop(d) for d in detail.drops_added], extent)
    yield _section("Drops", [_drop(d) for d in detail.drops], extent)
    yield _section("On offer before", [_before(line) for line in detail.seen_before], extent)
    yield _section("New channels", detail.channels_added, extent)
    yield _section("Channels no longer named", detail.channels_removed, extent)
    if event.kind == EventKind.CAMPAIGN_WATCHABLE:
        # It is about one channel; that others count as well is no news.
        return
    if detail.channels_total or detail.channels:
        total = max(detail.channels_total, len(detail.channels))
        yield _section("Channels", detail.channels, extent, total=total)
    elif event.kind in _CHANNELS_MATTER:
        yield Section("Channels", ("every channel of the game counts",), 0)


def _section(label: str, items: Sequence[str], extent: Extent, total: int | None = None) -> Section:
    shown = tuple(clean(item, NAME_LENGTH) for item in items[: extent.items])
    return Section(label, shown, (len(items) if total is None else total) - len(shown))


def _before(line: SeenBefore) -> str:
    until = f" until {moment(line.until)}" if line.until else ""
    return f"{line.benefit}, in {cut(line.campaign, NAME_LENGTH // 2)}{until}"


def _drop(drop: DropLine) -> str:
    gives = ", ".join(b.name for b in drop.benefits if b.name and b.name != drop.name)
    effort = _effort(drop.required_minutes, drop.required_subs)
    name = drop.name or gives or "A drop"
    tail = f": {gives}" if gives and drop.name else ""
    # Cut apart, so that a long name does not hide what has to be done for it.
    return cut(name, 80) + (f" ({effort})" if effort else "") + tail


def _effort(minutes: int | None, subs: int | None) -> str:
    parts = []
    if minutes:
        hours = f" = {minutes / 60:g} h" if minutes >= 120 and minutes % 30 == 0 else ""
        parts.append(f"{minutes} min{hours}")
    if subs:
        parts.append("1 subscription" if subs == 1 else f"{subs} subscriptions")
    return " and ".join(parts)


def _change(change: FieldChange) -> str:
    label = _FIELDS.get(change.field, change.field.replace("_", " ").capitalize())
    return f"{label}: {_value(change.old)} → {_value(change.new)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, list):
        return cut(", ".join(str(item) for item in value), 60) or "none"
    try:
        return moment(datetime.fromisoformat(value)) if isinstance(value, str) and "T" in value else cut(str(value), 60)
    except ValueError:
        return cut(str(value), 60)
