"""Say what each scope of feeds is about: which events it shows, where its files lie, what its row holds. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from feeds.content import FeedContent, FeedLink, Scope
from models.events import EventKind
from models.names import public_id, slug
from models.words.units import service_heading

RELEASE_FAMILIES = frozenset({"release", "game"})
_STREAM_FAMILIES = frozenset({"stream", "video"})
_CAMPAIGN_FAMILIES = frozenset({"campaign", "reward"})
CHANNELS_ALONE = frozenset(
    {
        EventKind.STREAM_TITLE_CHANGED,
        EventKind.STREAM_CATEGORY_CHANGED,
        *(kind for kind in EventKind if kind.is_on_request),
    }
)
# Of a person's library: nobody else's business, whoever follows the game.
_OF_A_PERSON = frozenset(kind.family for kind in EventKind if kind.is_of_a_person)
# What a library makes relevant: not who streams its games.
NEWS_FAMILIES = _CAMPAIGN_FAMILIES | RELEASE_FAMILIES
_DEADLINES = frozenset({EventKind.CAMPAIGN_ENDING_SOON, EventKind.CAMPAIGN_LAST_CHANCE})
CATEGORY_KINDS = frozenset(
    {EventKind.STREAM_ONLINE, EventKind.STREAM_OFFLINE, EventKind.STREAM_CATEGORY_CHANGED, EventKind.VIDEO_PUBLISHED}
)


class FeedKey(NamedTuple):
    """A feed by what it is about: a row's id, a service, a platform, a link; or by its scope alone."""

    scope: Scope
    subject: int | str | None = None


class ScopeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scope: the column of `feeds` that says what a feed is about, and what lists, readers and pages say of it.

    `description` may name `{title}`. `ttl_minutes` is how long a reader may wait between polls: as long as its sources
    are left alone. Feeds of a scope that is not `is_listed` are reached from pages, for there are too many of them; of
    the others those with a link stand in no list either.
    """

    heading: str
    description: str
    column: str | None = None
    # Of a scope that has one feed.
    title: str | None = None
    path: str | None = None
    ttl_minutes: int = 15
    has_calendar: bool = False
    is_listed: bool = True
    is_personal: bool = False
    # Its feeds have sounds and no events: they are made from rows of sounds (`feeds.podcasts`).
    is_podcast: bool = False


_DROPS_TTL, _RELEASES_TTL, _STREAMS_TTL, _SOUNDS_TTL = 15, 60, 5, 30
# In the order in which lists show them.
SCOPES: Mapping[Scope, ScopeRow] = {
    "all": ScopeRow(
        heading="Everything",
        title="Everything",
        path="all",
        description=(
            "Drop campaigns, rewards, every change to them, streams of followed channels, and releases of wanted games."
        ),
        has_calendar=True,
    ),
    "releases": ScopeRow(
        heading="Releases",
        title="Releases",
        path="releases",
        description=(
            "What comes out when: release dates of wanted games, announced, made precise, moved, out and cancelled."
        ),
        ttl_minutes=_RELEASES_TTL,
        has_calendar=True,
    ),
    "ending_soon": ScopeRow(
        heading="Selections",
        title="Ending soon",
        path="ending-soon",
        description="Drop campaigns that are about to end, and the last moment to begin with them.",
        has_calendar=True,
    ),
    "no_subscriptions": ScopeRow(
        heading="Selections",
        title="Without subscriptions",
        path="without-subscriptions",
        description="Drop campaigns and rewards of which something is earned by watching alone.",
    ),
    "badges_and_emotes": ScopeRow(
        heading="Selections",
        title="Badges and emotes",
        path="badges-and-emotes",
        description="Campaigns that give badges or emotes, and new chat badges.",
    ),
    "rewards": ScopeRow(
        heading="Selections",
        title="Rewards",
        path="rewards",
        description="Reward campaigns: what brands give for watching, or for subscriptions.",
    ),
    "badges": ScopeRow(
        heading="Selections",
        title="Chat badges",
        path="badges",
        description="New chat badges of Twitch.",
        ttl_minutes=_RELEASES_TTL,
    ),
    "new_games": ScopeRow(
        heading="Selections",
        title="Games first seen",
        path="games-first-seen",
        description="Games that have a drop campaign for the first time, with that campaign.",
    ),
    "new_organizations": ScopeRow(
        heading="Selections",
        title="Organizations first seen",
        path="organizations-first-seen",
        description="Organizations that run a drop campaign for the first time, with that campaign.",
    ),
    "service": ScopeRow(
        heading="Services",
        column="service",
        description="Drop campaigns and rewards on {title}, and every change to them.",
        has_calendar=True,
    ),
    "game": ScopeRow(
        heading="Games",
        column="game_id",
        description="Drop campaigns and rewards for {title}, and every change to them, and when it comes out.",
        has_calendar=True,
    ),
    "organization": ScopeRow(
        heading="Organizations",
        column="organization_id",
        description="Drop campaigns and rewards by {title}, and every change to them.",
        has_calendar=True,
    ),
    "channel": ScopeRow(
        heading="Channels",
        column="channel_id",
        description="Streams and videos of {title}, and what can be earned by watching.",
        ttl_minutes=_STREAMS_TTL,
    ),
    "category": ScopeRow(
        heading="Categories",
        column="game_id",
        description="Streams of followed channels that play {title}, and its drop campaigns.",
        ttl_minutes=_STREAMS_TTL,
    ),
    "platform": ScopeRow(
        heading="Releases by platform",
        column="platform",
        description="What comes out when on {title}.",
        ttl_minutes=_RELEASES_TTL,
        has_calendar=True,
    ),
    "game_releases": ScopeRow(
        heading="Releases by game",
        column="game_id",
        description="When {title} comes out: announced, made precise, moved, out and cancelled.",
        ttl_minutes=_RELEASES_TTL,
        has_calendar=True,
        is_listed=False,
    ),
    "campaign": ScopeRow(
        heading="Drop campaigns",
        column="campaign_id",
        description="Everything about {title}: its start, its end, and every change to it.",
        has_calendar=True,
        is_listed=False,
    ),
    "reward_campaign": ScopeRow(
        heading="Reward campaigns",
        column="reward_campaign_id",
        description="Everything about {title}: its start, its end, and every change to it.",
        has_calendar=True,
        is_listed=False,
    ),
    "followed": ScopeRow(
        heading="Personal",
        column="link_id",
        description=(
            "Drop campaigns, rewards and releases of the games that you follow, streams of your channels, their sounds."
        ),
        ttl_minutes=_STREAMS_TTL,
        has_calendar=True,
        is_listed=False,
        is_personal=True,
    ),
    "target": ScopeRow(
        heading="Personal",
        column="link_id",
        description="Everything that is sent to the target {title}.",
        ttl_minutes=_STREAMS_TTL,
        has_calendar=True,
        is_listed=False,
        is_personal=True,
    ),
    "health": ScopeRow(
        heading="Personal",
        column="link_id",
        description="How the sources and this installation do.",
        ttl_minutes=_STREAMS_TTL,
        is_listed=False,
        is_personal=True,
    ),
    "news": ScopeRow(
        heading="Personal",
        column="link_id",
        description="Drops, new DLC, ports and release dates of the games that you have, play or wish for.",
        has_calendar=True,
        is_listed=False,
        is_personal=True,
    ),
    "library": ScopeRow(
        heading="Personal",
        column="link_id",
        description="What came to your library, left it, and came back.",
        is_listed=False,
        is_personal=True,
    ),
    "journal": ScopeRow(
        heading="Personal",
        column="link_id",
        description="What you began and finished.",
        is_listed=False,
        is_personal=True,
    ),
    "roms": ScopeRow(
        heading="Personal",
        column="link_id",
        description="What came to your collection of ROMs, went missing, came back, and was identified.",
        is_listed=False,
        is_personal=True,
    ),
    "list": ScopeRow(
        heading="Personal",
        column="link_id",
        description="What was added to your list {title}, moved on it and taken away.",
        is_listed=False,
        is_personal=True,
    ),
    "show": ScopeRow(
        heading="Shows",
        column="show_id",
        description="The episodes of {title}, to hear.",
        ttl_minutes=_SOUNDS_TTL,
        is_podcast=True,
    ),
    "playlist": ScopeRow(
        heading="Playlists",
        column="playlist_id",
        description="The sounds of the playlist {title}, to hear.",
        ttl_minutes=_SOUNDS_TTL,
        is_podcast=True,
    ),
    "sounds": ScopeRow(
        heading="Personal",
        column="link_id",
        description="All sounds that were made ready, to hear.",
        ttl_minutes=_SOUNDS_TTL,
        is_listed=False,
        is_personal=True,
        is_podcast=True,
    ),
}
PERSONAL: frozenset[Scope] = frozenset(scope for scope, row in SCOPES.items() if row.is_personal)
PODCASTS: frozenset[Scope] = frozenset(scope for scope, row in SCOPES.items() if row.is_podcast)
LISTED: frozenset[Scope] = frozenset(scope for scope, row in SCOPES.items() if row.is_listed)
# Headings with the scopes whose feeds stand below them, in the order of lists.
GROUPS: Mapping[str, tuple[Scope, ...]] = {
    heading: tuple(scope for scope, row in SCOPES.items() if row.is_listed and row.heading == heading)
    for heading in dict.fromkeys(row.heading for row in SCOPES.values() if row.is_listed)
}
SUBJECT_COLUMNS = tuple(dict.fromkeys(row.column for row in SCOPES.values() if row.column))


class EventFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What of an event decides on which feeds it is.

    `platforms` are names without a region. `rewards` are kinds of what a campaign gives, as the service writes them.
    `is_first_of_game` says that no campaign of the game was there before it. `has_category` says that there were
    streams of its game. The others are the links of the people who are to see it, by what they open: of what is one
    person's, theirs alone.
    """

    id: int
    kind: str
    occurred_at: datetime
    silent: bool = False
    is_private: bool = False
    service: str | None = None
    game_id: int | None = None
    organization_id: int | None = None
    channel_id: int | None = None
    campaign_id: int | None = None
    reward_campaign_id: int | None = None
    platforms: tuple[str, ...] = ()
    rewards: frozenset[str] = frozenset()
    has_to_be_bought: bool = False
    is_first_of_game: bool = False
    is_first_of_organization: bool = False
    has_category: bool = False
    followed: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()
    health: tuple[int, ...] = ()
    news: tuple[int, ...] = ()
    library: tuple[int, ...] = ()
    journal: tuple[int, ...] = ()
    roms: tuple[int, ...] = ()
    lists: tuple[int, ...] = ()

    @property
    def family(self) -> str:
        """The part of the kind before the dot."""
        return self.kind.partition(".")[0]


def is_public(kind: str, *, silent: bool, is_private: bool = False) -> bool:
    """Return whether anybody may see events of a kind.

    What is of a person's library is theirs, as is the news of games that are wanted for one alone. A source's health,
    and the installation's, are the operator's business, and that hundreds of badges were there before we first looked
    is no news.
    """
    if is_private:
        return False
    family = kind.partition(".")[0]
    return family not in {"source", "operator", *_OF_A_PERSON} and not (kind == EventKind.BADGE_ADDED and silent)


def memberships(event: EventFacts) -> list[FeedKey]:
    """Return the feeds that an event is on, each once."""
    public = _public_feeds(event) if is_public(event.kind, silent=event.silent, is_private=event.is_private) else ()
    return [*public, *_personal_feeds(event)]


def _public_feeds(event: EventFacts) -> Iterator[FeedKey]:
    # Releases announced before the game was wanted are on its own feeds and that of releases: a list brings hundreds.
    is_old = event.silent and event.kind in {EventKind.RELEASE_ANNOUNCED, EventKind.GAME_ADDED}
    if event.kind not in CHANNELS_ALONE and not is_old:
        yield FeedKey("all")
    if event.family in RELEASE_FAMILIES:
        yield from _release_feeds(event)
    elif event.family in _STREAM_FAMILIES:
        # Streams of all channels would drown the campaigns of a service or a game.
        if event.kind in CATEGORY_KINDS:
            yield from _of("category", event.game_id)
    elif event.kind == EventKind.CAMPAIGN_WATCHABLE:
        yield from _of("game", event.game_id)
    else:
        yield from _drop_feeds(event)
    yield from _of("channel", event.channel_id)


def _release_feeds(event: EventFacts) -> Iterator[FeedKey]:
    yield from _of("game", event.game_id)
    # That a game is wanted now is no release.
    if event.kind == EventKind.GAME_ADDED and event.silent:
        return
    yield FeedKey("releases")
    yield from _of("game_releases", event.game_id)
    for platform in dict.fromkeys(event.platforms):
        yield FeedKey("platform", platform)


def _drop_feeds(event: EventFacts) -> Iterator[FeedKey]:
    yield from _of("service", event.service)
    yield from _of("game", event.game_id)
    yield from _of("organization", event.organization_id)
    yield from _of("campaign", event.campaign_id)
    yield from _of("reward_campaign", event.reward_campaign_id)
    if event.has_category:
        yield from _of("category", event.game_id)
    if event.kind == EventKind.BADGE_ADDED:
        yield FeedKey("badges")
    if event.family == "reward":
        yield FeedKey("rewards")
    if event.kind == EventKind.BADGE_ADDED or event.rewards & {"BADGE", "EMOTE"}:
        yield FeedKey("badges_and_emotes")
    if event.family in _CAMPAIGN_FAMILIES and not event.has_to_be_bought:
        yield FeedKey("no_subscriptions")
    if event.kind in _DEADLINES:
        yield FeedKey("ending_soon")
    if event.is_first_of_game:
        yield FeedKey("new_games")
    if event.is_first_of_organization:
        yield FeedKey("new_organizations")


def _personal_feeds(event: EventFacts) -> Iterator[FeedKey]:
    is_their_sound = event.family == "sound"
    if is_their_sound or (is_public(event.kind, silent=event.silent) and event.kind not in CHANNELS_ALONE):
        yield from (FeedKey("followed", link_id) for link_id in event.followed)
    yield from (FeedKey("target", link_id) for link_id in event.targets)
    if event.family in {"source", "operator"}:
        yield from (FeedKey("health", link_id) for link_id in event.health)
    if is_news(event.kind, silent=event.silent):
        yield from (FeedKey("news", link_id) for link_id in event.news)
    yield from (FeedKey("library", link_id) for link_id in event.library if event.family == "library")
    yield from (FeedKey("journal", link_id) for link_id in event.journal if event.family == "play")
    yield from (FeedKey("roms", link_id) for link_id in event.roms if event.family == "rom")
    yield from (FeedKey("list", link_id) for link_id in event.lists if event.family == "list")


def is_news(kind: str, *, silent: bool) -> bool:
    """Return whether events of a kind are news to whoever has the game: not that it is known here now."""
    return kind.partition(".")[0] in NEWS_FAMILIES and not (kind == EventKind.GAME_ADDED and silent)


def _of(scope: Scope, subject: int | str | None) -> Iterator[FeedKey]:
    if subject:
        yield FeedKey(scope, subject)


# Of the item by which a feed says that no more will come; no event has it.
CEASED = "feed.ceased"


def describe(feed: FeedContent | FeedLink, title: str) -> str:
    """Return a sentence that says what a feed with this title is about."""
    return SCOPES[feed.scope].description.replace("{title}", title)


def feed_path(folder: str, name: str, public_id: str) -> str:
    """Return the path of a feed: the name as a slug, where ASCII letters are left of it, and its public id."""
    return f"{folder}/{'-'.join(part for part in (slug(name), public_id) if part)}"


def channel_path(service: str, external_id: str, login: str) -> str:
    """Return the path of a channel's feed and page; once `feeds` has it, it outlives the login."""
    return feed_path("channels", login, public_id(service, external_id))


def feed_row(key: FeedKey, path: str | None = None, title: str | None = None) -> dict[str, Any]:
    """Return a row for `feeds`; a scope that has one feed has a path and a title of its own."""
    scope = SCOPES[key.scope]
    subject: dict[str, Any] = dict.fromkeys(SUBJECT_COLUMNS)
    if scope.column:
        subject[scope.column] = key.subject
    return {"scope": key.scope, "path": path or scope.path, "title": title or scope.title, **subject}


def service_row(service: str) -> dict[str, Any]:
    """Return the row of a service's feed."""
    return feed_row(FeedKey("service", service), f"services/{slug(service)}", service_heading(service))


def platform_row(platform: str) -> dict[str, Any]:
    """Return the row of the feed of what comes out on a platform."""
    return feed_row(FeedKey("platform", platform), feed_path("platforms", platform, public_id("", platform)), platform)
