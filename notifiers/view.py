"""Says what a message shows of an event: facts, lists and links in plain words, before any format. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, cycle
from typing import Any

from models.details import (
    BenefitLine,
    CampaignDetail,
    DropLine,
    EventDetail,
    FieldChange,
    LibraryDetail,
    SeenBefore,
    StreamDetail,
)
from models.events import EventKind
from models.words import counted_kind, kind_label, link_label, message_facts, message_note
from models.words.addresses import category_address, message_address, message_channel_address
from models.words.campaigns import allowed, gives_rewards, is_over, requirement_at_length
from models.words.fields import field_words
from models.words.holdings import Holding, in_few_words, in_words
from models.words.library import every_change, message_games
from models.words.streams import message_categories
from models.words.units import counted_plainly, service_name
from notifiers.escape import clean, cut
from notifiers.reader import PLAIN, Reader

NAME_LENGTH = 160
DESCRIPTION_LENGTH = 400
THUMBNAIL_WIDTH, BOX_WIDTH, BADGE_WIDTH = 320, 144, 72
# Beside a mail's headline, where a telephone has room for no more.
ART_WIDTH = 96
_OF_DROPS = frozenset({"Drops", "All drops", "New drops", "Rewards"})
_OF_CHANNELS = frozenset({"Channels", "All channels"})
_SOON, _OTHERS = "Soon over", "More"
_SOON_OVER = frozenset({EventKind.CAMPAIGN_ENDING_SOON, EventKind.CAMPAIGN_LAST_CHANCE})

# Of games of which a list has no line, so many are named.
MOST_NAMED, HEADING_LENGTH = 12, 40
ELSEWHERE = "; lootwire events lists them all"

_CHANNELS_MATTER = {EventKind.CAMPAIGN_ADDED, EventKind.CAMPAIGN_STARTED, EventKind.CAMPAIGN_RETURNED}


@dataclass(frozen=True, kw_only=True)
class EventText:
    """An event as a message needs it; its texts are as the service sent them.

    `key`, `subjects` (by names and ids) and `rules` (the subscriptions that asked for it) are for a target that gets
    the event itself. `library` is what its game is to the person who is told, as things stand when it is sent.
    """

    kind: str
    title: str
    occurred_at: datetime
    service: str | None = None
    detail: EventDetail
    id: int = 0
    key: str = ""
    recorded_at: datetime | None = None
    silent: bool = False
    subjects: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    library: Holding | None = None


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
class RewardView:
    """A reward with what has to be done for it, and its picture's address."""

    name: str
    note: str
    picture: str | None


@dataclass(frozen=True)
class EventView:
    """One event in words. All strings are clean: one line, no mention, no control character.

    `rewards` say the same as the section of drops, for whoever shows pictures; `url` is the event's own
    link, where it has one. `watch` has the channels that count, or the category, as links. `library` is what the game
    is to who reads, which a fact says too, or "".
    """

    lead: str
    title: str
    picture: Picture | None
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    description: str
    links: tuple[Fact, ...]
    rewards: tuple[RewardView, ...]
    more_rewards: int
    watch: tuple[Fact, ...]
    more_to_watch: int
    url: str | None
    library: str

    @property
    def art_width(self) -> int:
        """How wide its picture is beside a headline."""
        return min(self.picture.width, ART_WIDTH) if self.picture else 0

    def with_rewards_apart(self) -> "EventView":
        """Return it without the sections that its rewards say, or its links to where it is watched."""
        apart = (_OF_DROPS if self.rewards else frozenset()) | (_OF_CHANNELS if self.watch else frozenset())
        return replace(self, sections=tuple(s for s in self.sections if s.label not in apart))


@dataclass(frozen=True)
class Group:
    """Events of one game, or that are soon over, as lines of a list."""

    heading: str
    entries: tuple["EntryView", ...]
    is_urgent: bool = False


@dataclass(frozen=True)
class EntryView:
    """One event as a line of a list."""

    title: str
    note: str
    url: str | None


def view_event(event: EventText, extent: Extent, reader: Reader = PLAIN) -> EventView:
    """Return everything that a message about one event says, as far as the extent allows."""
    detail = event.detail
    watch, more_to_watch = _watch(event, extent)
    given = _given(detail) if isinstance(detail, CampaignDetail) else []
    account_link = message_address(detail.account_link_url) if isinstance(detail, CampaignDetail) else None
    library = clean(in_words(event.library, reader.month), NAME_LENGTH) if event.library else ""
    return EventView(
        lead=clean(" · ".join(filter(None, [kind_label(event.kind), service_name(event.service or "")])), NAME_LENGTH),
        title=_shown(reader.headline(event.title, event.detail)),
        picture=_picture(event),
        facts=_with_library(tuple(_facts(event, reader)), library),
        sections=tuple(s for s in _sections(event, extent, reader) if s.items),
        description=clean(detail.description or "", DESCRIPTION_LENGTH) if extent.description else "",
        links=tuple(
            Fact(label, url)
            for label, url in (
                (link_label(event.kind, detail), message_address(detail.url)),
                ("Link your account", account_link),
            )
            if url
        ),
        rewards=tuple(_reward(drop, benefit) for drop, benefit in given[: extent.items]),
        more_rewards=max(len(given) - extent.items, 0),
        watch=watch,
        more_to_watch=more_to_watch,
        url=message_address(detail.url),
        library=library,
    )


def _watch(event: EventText, extent: Extent) -> tuple[tuple[Fact, ...], int]:
    """Return links to where a campaign is watched, and how many channels more there are: nothing where it is over."""
    detail = event.detail
    is_watched = isinstance(detail, CampaignDetail) and event.kind.startswith("campaign.")
    if not isinstance(detail, CampaignDetail) or not is_watched or is_over(event.kind):
        return (), 0
    names, total = allowed(detail)
    if not total:
        address = message_address(category_address(event.service, detail.game))
        label = clean(f"{detail.game} on {service_name(event.service or '')}: every channel counts", NAME_LENGTH)
        return ((Fact(label, address),) if address else ()), 0
    links = [(name, message_address(message_channel_address(event.service, name))) for name in names[: extent.items]]
    shown = tuple(Fact(clean(name, NAME_LENGTH), address) for name, address in links if address)
    # A channel that has no address is named in the list of them.
    return (shown, total - len(shown)) if len(shown) == len(links) else ((), 0)


def view_groups(events: Sequence[EventText], reader: Reader = PLAIN, most: int | None = None) -> tuple[Group, ...]:
    """Return events as lists: first what is soon over, then each game's, at most so many lines in all.

    Each game has a line as long as there are lines, and its heading says how many are left out.
    """
    grouped = _by_heading(events)
    if list(grouped) == [_OTHERS]:
        # Nothing stands before it.
        grouped = {"": grouped[_OTHERS]}
    counts = _shares(grouped, len(events) if most is None else most)
    return tuple(
        Group(
            heading if count == len(of_heading) or not heading else f"{heading} ({count} of {len(of_heading)})",
            tuple(view_entry(event, reader) for event in of_heading[:count]),
            is_urgent=heading == _SOON,
        )
        for (heading, of_heading), count in zip(grouped.items(), counts, strict=True)
        if count
    )


def shared_out(events: Sequence[EventText], most: int) -> list[EventText]:
    """Return at most so many of the events in their order, shared among games as lists of them are."""
    grouped = _by_heading(events)
    counts = _shares(grouped, most)
    kept = {id(event) for of, count in zip(grouped.values(), counts, strict=True) for event in of[:count]}
    return [event for event in events if id(event) in kept]


def rest_of(events: Sequence[EventText], most: int) -> str:
    """Return what follows "and 76 more" where so many events are shown: games without a line, and a command for all."""
    grouped = _by_heading(events)
    hidden = [heading for heading, count in zip(grouped, _shares(grouped, most), strict=True) if not count]
    named, others = [cut(heading, HEADING_LENGTH) for heading in hidden[:MOST_NAMED]], len(hidden) - MOST_NAMED
    also = ", ".join(named) + (f" and {counted_plainly(others, 'other game')}" if others > 0 else "")
    return (f", also of {also}" if also else "") + ELSEWHERE


def _by_heading(events: Sequence[EventText]) -> dict[str, list[EventText]]:
    grouped: dict[str, list[EventText]] = {}
    for event in sorted(events, key=lambda event: event.kind not in _SOON_OVER):
        heading = _SOON if event.kind in _SOON_OVER else clean(event.detail.game or "", NAME_LENGTH) or _OTHERS
        grouped.setdefault(heading, []).append(event)
    # What belongs to no game comes last.
    return grouped | ({_OTHERS: grouped.pop(_OTHERS)} if _OTHERS in grouped else {})


def _shares(grouped: Mapping[str, Sequence[EventText]], most: int) -> list[int]:
    """Return how many events of each group have room: one of each, then all that is soon over, the rest in turn."""
    counts = dict.fromkeys(grouped, 0)
    turns = chain(grouped, [_SOON] * len(grouped.get(_SOON, ())), cycle(grouped))
    left = min(most, sum(map(len, grouped.values())))
    while left > 0:
        heading = next(turns)
        if counts[heading] < len(grouped[heading]):
            counts[heading] += 1
            left -= 1
    return list(counts.values())


def _given(detail: CampaignDetail) -> list[tuple[DropLine, BenefitLine | None]]:
    """Return what a campaign gives, each with its drop; a drop that names nothing counts as one."""
    drops = detail.drops_added or detail.drops
    return [(drop, benefit) for drop in drops for benefit in (drop.benefits or (None,))]


def _reward(drop: DropLine, benefit: BenefitLine | None) -> RewardView:
    effort = requirement_at_length(drop.required_minutes, drop.required_subs, drop.required_turbo_subs)
    if benefit is None:
        return RewardView(_shown(drop.name or "A drop"), clean(effort, NAME_LENGTH), None)
    part_of = drop.name if drop.name != benefit.name else None
    note = clean(", ".join(filter(None, [part_of, effort])), NAME_LENGTH)
    return RewardView(_shown(benefit.name or drop.name or "A reward"), note, message_address(benefit.image_url))


def view_entry(event: EventText, reader: Reader = PLAIN) -> EntryView:
    """Return an event as a line of a list."""
    library = clean(in_few_words(event.library), NAME_LENGTH) if event.library else ""
    note = "; ".join(filter(None, [message_note(event.kind, event.detail, reader.moment), library]))
    return EntryView(
        title=_shown(reader.headline(event.title, event.detail)),
        note=note,
        url=message_address(event.detail.url),
    )


def headline(events: Sequence[EventText], length: int, reader: Reader = PLAIN) -> str:
    """Return the title of a message: the event's own, or how many of what for several."""
    if len(events) == 1:
        return clean(reader.headline(events[0].title, events[0].detail), length) or "Lootwire"
    counts: dict[str, int] = {}
    for event in events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
    return clean(", ".join(counted_kind(kind, count) for kind, count in counts.items()), length)


def _picture(event: EventText) -> Picture | None:
    """Return what best shows the event: the stream as it looks while it is on, else the box of the game."""
    detail = event.detail
    picture = message_address(detail.image_url) if isinstance(detail, CampaignDetail | StreamDetail) else None
    if isinstance(detail, StreamDetail) and event.kind != EventKind.STREAM_OFFLINE and picture:
        return Picture(picture, THUMBNAIL_WIDTH)
    if event.kind == EventKind.BADGE_ADDED and picture:
        return Picture(picture, BADGE_WIDTH)
    url = message_address(detail.box_art_url) or picture
    return Picture(url, BOX_WIDTH) if url else None


def _facts(event: EventText, reader: Reader) -> Iterable[Fact]:
    for label, value in message_facts(event.kind, event.service, event.detail, reader.moment):
        if value and (shown := clean(value, NAME_LENGTH)):
            yield Fact(label, shown)


def _with_library(facts: tuple[Fact, ...], library: str) -> tuple[Fact, ...]:
    """Return facts with what the game is to who reads, behind the game: what is cut off stands at the end."""
    if not library:
        return facts
    at = 1 if facts and facts[0].label == "Game" else 0
    return (*facts[:at], Fact("Library", library), *facts[at:])


def _sections(event: EventText, extent: Extent, reader: Reader) -> Iterable[Section]:
    match event.detail:
        case StreamDetail() as stream:
            yield _section("Categories", message_categories(stream), extent)
        case CampaignDetail() as campaign:
            yield from _campaign_sections(event.kind, campaign, extent, reader)
        case LibraryDetail() as library:
            games, total = message_games(library)
            yield _section("Games", games, extent, total=total)
            changes = every_change(library)
            yield _section("Changes", changes if len(changes) > 1 else (), extent)


def _campaign_sections(kind: str, detail: CampaignDetail, extent: Extent, reader: Reader) -> Iterable[Section]:
    yield _section("Changed", [_change(c, reader) for c in detail.changes], extent)
    yield _section("New drops", [_drop(d) for d in detail.drops_added], extent)
    if gives_rewards(kind):
        yield _section("Rewards", [b.name or "A reward" for d in detail.drops for b in d.benefits], extent)
    else:
        yield _section("All drops" if detail.drops_added else "Drops", [_drop(d) for d in detail.drops], extent)
    yield _section("On offer before", [_before(line, reader) for line in detail.seen_before], extent)
    yield _section("New channels", detail.channels_added, extent)
    yield _section("Channels no longer named", detail.channels_removed, extent)
    # The event of one channel to watch has no news of the others that count as well.
    if kind != EventKind.CAMPAIGN_WATCHABLE:
        yield _allowed_section(kind, detail, extent)


def _allowed_section(kind: str, detail: CampaignDetail, extent: Extent) -> Section:
    names, total = allowed(detail)
    if total:
        label = "All channels" if detail.channels_added or detail.channels_removed else "Channels"
        return _section(label, names, extent, total=total)
    if detail.channels_removed:
        return Section("Channels", ("every channel of the game counts now",), 0)
    return Section("Channels", ("every channel of the game counts",) if kind in _CHANNELS_MATTER else (), 0)


def _section(label: str, items: Sequence[str], extent: Extent, total: int | None = None) -> Section:
    shown = tuple(_shown(item) for item in items[: extent.items])
    return Section(label, shown, (len(items) if total is None else total) - len(shown))


def _shown(name: str) -> str:
    """Return a name made harmless, and dots for one of which nothing is left: no service takes an empty line."""
    return clean(name, NAME_LENGTH) or "…"


def _before(line: SeenBefore, reader: Reader) -> str:
    until = f" until {reader.moment(line.until)}" if line.until else ""
    return f"{line.benefit}, in {cut(line.campaign, NAME_LENGTH // 2)}{until}"


def _drop(drop: DropLine) -> str:
    gives = ", ".join(b.name for b in drop.benefits if b.name and b.name != drop.name)
    effort = requirement_at_length(drop.required_minutes, drop.required_subs, drop.required_turbo_subs)
    name = drop.name or gives or "A drop"
    tail = f": {gives}" if gives and drop.name else ""
    # Cut apart, so that a long name does not hide what has to be done for it.
    return cut(name, 80) + (f" ({effort})" if effort else "") + tail


def _change(change: FieldChange, reader: Reader) -> str:
    label = field_words(change.field).message_label
    # A drop that is gone is its own value; all else says which drop it is about.
    about = f"{cut(change.about, 80)}: " if change.about and change.field != "drop" else ""
    new = "removed" if change.field == "drop" and change.new is None else _value(change.new, reader)
    return f"{about}{label}: {_value(change.old, reader)} → {new}"


def _value(value: Any, reader: Reader) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, list):
        return cut(", ".join(str(item) for item in value), 60) or "none"
    try:
        return (
            reader.moment(datetime.fromisoformat(value))
            if isinstance(value, str) and "T" in value
            else cut(str(value), 60)
        )
    except ValueError:
        return cut(str(value), 60)
