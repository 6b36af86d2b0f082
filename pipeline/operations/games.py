"""Games: what is known of them, here and at IGDB, and who follows them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, select

from feeds.pages.game_rows import PLAYED_WITHIN, load_channels
from models import Feed, Follow, Game
from models.errors import UnknownThing, UsageError
from models.moments import Moment
from models.names import nearest
from models.people import OWNER_ID
from pipeline.channels.following.follows import check_follows
from pipeline.drops.listing.campaigns import CampaignFilter, CampaignLine, list_campaigns
from pipeline.drops.store.history import KnownGame, Offer, find_game, game_history, games_seen_by, known_games, offers
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finding
from pipeline.games.finding.lookup import find_entry, find_ours, hidden_entries, names_of_linked, refresh_entry, search
from pipeline.games.finding.names import read_name
from pipeline.games.following.follows import Followed, find_followed, follow_game, list_followed, unfollow_game
from pipeline.games.listing.pages import GamePage, load_page
from pipeline.games.matching.records import GAME_TYPES, MAIN_GAME, Scored
from pipeline.games.store.links import Link, games_of, load_links
from pipeline.operations.meaning import UnclearGame, open_finder, unclear
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime, utc_now

# Of a game's campaigns the newest that are not over.
OPEN_SHOWN = 50


class ChannelOfGame(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that is followed here and played a game lately; `path` is that of its feed."""

    login: str
    display_name: str | None
    path: str | None


class FeedOfGame(msgspec.Struct, frozen=True, kw_only=True):
    """A public feed that a game has."""

    id: int
    scope: str
    title: str
    path: str


class GameAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A game as far as it is known: what services say of it, if they have it, and its entry of IGDB, if it has one.

    `lasts` and `every` are medians of its campaigns, in seconds. `rewards` are those offered last, `open_campaigns`
    those that are on or ahead, `channels` those that played it in the last 30 days.
    """

    name: str
    services: tuple[str, ...] | UnsetType = UNSET
    campaigns: int | UnsetType = UNSET
    open: int | UnsetType = UNSET
    first_start_at: Moment | UnsetType | None = UNSET
    last_end_at: Moment | UnsetType | None = UNSET
    lasts: float | UnsetType | None = UNSET
    every: float | UnsetType | None = UNSET
    public_id: str | None
    is_followed: bool
    igdb: GamePage | None
    link: Link | None
    rewards: list[Offer]
    open_campaigns: list[CampaignLine]
    channels: list[ChannelOfGame]
    feeds: list[FeedOfGame]


class MatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of IGDB that may be meant; `score` is 0 to 1, `linked_with` names the game of ours that it is."""

    igdb_id: int
    name: str
    year: int | None
    type: str
    platforms: tuple[str, ...]
    score: float
    why: str
    linked_with: str | None


class FollowAnswer(Finding, frozen=True, kw_only=True):
    """What somebody follows from now on, and how it was found; `new` says whether they did not before."""

    new: bool


def list_games(
    connection: Connection,
    person_id: int | None,
    *,
    service: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[KnownGame]:
    """Return the games that a person may see, in the order of their ids; without a person all, by name."""
    if person_id is None:
        return known_games(connection)
    return games_seen_by(connection, person_id, service=service, after=after, limit=limit)


def show_game(
    connection: Connection, person_id: int | None, now: datetime, name: str, *, rewards: int = 20
) -> GameAnswer:
    """Return what is known of a game by its name, public id or slug, or `igdb:1942`.

    Without a person it may be any; a person sees nothing of games that are here for others' libraries alone. Raises
    `UnknownThing` with the names most like it.
    """
    game_id, igdb_id = find_game_or_entry(connection, person_id, name)
    page = None if igdb_id is None else load_page(connection, igdb_id)
    history: Mapping[str, Any] = {"name": page.name} if page is not None else {}
    public_id, campaigns, channels, feeds = None, [], [], []
    if game_id is not None:
        known = game_history(connection, game_id)
        history = msgspec.structs.asdict(known) | {"lasts": _seconds(known.lasts), "every": _seconds(known.every)}
        public_id = connection.scalars(select(Game.public_id).where(Game.id == game_id)).one()
        campaigns = _open_campaigns(connection, public_id, now)
        channels = load_channels(connection, [game_id], now - PLAYED_WITHIN).get(game_id, [])
        feeds = _feeds(connection, game_id)
    return GameAnswer(
        **history,
        public_id=public_id,
        is_followed=game_id is not None and _is_followed(connection, person_id or OWNER_ID, game_id),
        igdb=page,
        link=None if game_id is None else load_links(connection, [game_id]).get(game_id),
        rewards=[] if game_id is None else offers(connection, game_id, rewards),
        open_campaigns=campaigns,
        channels=[ChannelOfGame(login=each.login, display_name=each.display_name, path=each.path) for each in channels],
        feeds=feeds,
    )


def find_game_or_entry(connection: Connection, person_id: int | None, name: str) -> tuple[int | None, int | None]:
    """Return our game and its entry of IGDB, or the entry alone.

    Raises `UnknownThing` where there is neither, or neither that the person may see.
    """
    asked = read_name(name)
    if asked.igdb_id is not None:
        linked = games_of(connection, [asked.igdb_id]).get(asked.igdb_id, [])
        game_id = next((each for each in linked if _may_see(connection, person_id, each)), None)
        igdb_id = None if load_page(connection, asked.igdb_id) is None else asked.igdb_id
    else:
        game_id = find_ours(connection, name, person_id=person_id)
        igdb_id = None if game_id is not None else find_entry(connection, name)
    if game_id is None:
        if igdb_id is None or (person_id is not None and hidden_entries(connection, [igdb_id], person_id)):
            return find_game(connection, name, person_id=person_id), None
        return None, igdb_id
    linked_with = load_links(connection, [game_id]).get(game_id)
    return game_id, None if linked_with is None else linked_with.igdb_id


def our_game(connection: Connection, person_id: int | None, name: str) -> int:
    """Return the row of a game of ours that a person may see; raises `UnknownThing` with the names most like it."""
    game_id, _ = find_game_or_entry(connection, person_id, name)
    return find_game(connection, name, person_id=person_id) if game_id is None else game_id


def search_games(runtime: Runtime, person_id: int | None, text: str, limit: int) -> list[MatchAnswer]:
    """Return entries of IGDB that a title may mean, best first: IGDB is asked where the catalogue here is partial.

    Raises `SourceError` where IGDB does not answer.
    """
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    with Client() as client:
        igdb = (lambda: runtime.igdb(client)) if can_ask(runtime) else None
        matches = search(runtime.engine, text, limit, igdb, utc_now())
    with runtime.engine.connect() as connection:
        ours = names_of_linked(connection, matches, person_id=person_id)
        # What IGDB itself has just answered says nothing of anybody here.
        ids = [] if person_id is None or igdb is not None else [match.candidate.igdb_id for match in matches]
        hidden = hidden_entries(connection, ids, person_id or 0)
    return [
        match_answer(match, ours.get(match.candidate.igdb_id))
        for match in matches
        if match.candidate.igdb_id not in hidden
    ]


def can_ask(runtime: Runtime) -> bool:
    """Return whether the settings let IGDB be asked."""
    return runtime.settings.twitch_client_id is not None and runtime.settings.twitch_client_secret is not None


def match_answer(scored: Scored, ours: str | None) -> MatchAnswer:
    """Return a candidate as lists show it, with the name of the game of ours that it is linked with."""
    candidate = scored.candidate
    kind = "edition" if candidate.version_parent_igdb_id else GAME_TYPES.get(candidate.game_type or MAIN_GAME, "entry")
    return MatchAnswer(
        igdb_id=candidate.igdb_id,
        name=candidate.name,
        year=candidate.year,
        type=kind,
        platforms=candidate.platforms,
        score=round(scored.score, 3),
        why=scored.explanation,
        linked_with=ours,
    )


def follow(runtime: Runtime, person_id: int, name: str) -> FollowAnswer:
    """Follow a game by its title, slug, address or number at IGDB; what changes in its dates is told from now on.

    Raises `UnclearGame` with the choices where it is not sure, `QuotaError` where the person's plan allows no more
    follows, `SourceError` where IGDB is needed and does not answer.
    """
    with open_finder(runtime) as finder:
        finding = finder.find([read_name(_entry_of_ours(runtime, person_id, name), number_is_id=True)])[0]
    if finding.igdb_id is None:
        raise UnclearGame(unclear(finding), finding.choices)
    with runtime.engine.begin() as connection:
        new = follow_game(connection, finding.igdb_id, utc_now(), person_id=person_id)
        if new:
            check_follows(connection, person_id)
        known = find_followed(connection, name, finding.igdb_id, None, person_id=person_id)
    return FollowAnswer(
        **{**msgspec.structs.asdict(finding), "new": new, "game_id": known[0].game_id if known else None}
    )


def unfollow(connection: Connection, person_id: int, now: datetime, name: str) -> Followed:
    """Follow a game no longer, and return it; what was recorded of it stays.

    Raises `UnknownThing` where the person follows no such game, `UsageError` where it may be several.
    """
    asked = read_name(name, number_is_id=True)
    matches = find_followed(connection, asked.written, asked.igdb_id, asked.slug, person_id=person_id)
    matches = matches or _by_public_id(connection, person_id, name)
    if not matches:
        near = nearest(name, [game.name for game in list_followed(connection, None, person_id=person_id)])
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise UnknownThing(f"{name!r} is not followed{meant}; see `lootwire games followed`")
    if len(matches) > 1:
        numbers = ", ".join(str(game.igdb_id) for game in matches)
        raise UsageError(f"{name!r} is {len(matches)} followed games: say which by number, {numbers}")
    unfollow_game(connection, matches[0].game_id, now, person_id=person_id)
    return matches[0]


def followed(connection: Connection, person_id: int, now: datetime) -> list[Followed]:
    """Return the games that a person follows by their names, with the releases that lie ahead."""
    return list_followed(connection, now, person_id=person_id)


def sync(runtime: Runtime, person_id: int | None, name: str) -> GameAnswer:
    """Ask IGDB anew for the entry that a game is, and return what is known of the game then.

    Raises `UnknownThing` for a game that is not here, `UsageError` for one that IGDB lacks, `SourceError`.
    """
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
        _, igdb_id = find_game_or_entry(connection, person_id, name)
    if igdb_id is None:
        raise UsageError(f"{name!r} is linked with no entry of IGDB: `lootwire games link` says which it is")
    with Client() as client:
        refresh_entry(runtime.engine, igdb_id, runtime.igdb(client), utc_now())
    with runtime.engine.connect() as connection:
        return show_game(connection, person_id, utc_now(), name)


def _open_campaigns(connection: Connection, public_id: str, now: datetime) -> list[CampaignLine]:
    states: tuple[Literal["running", "upcoming"], ...] = ("running", "upcoming")
    return [
        line
        for state in states
        for line in list_campaigns(connection, CampaignFilter(game=public_id, state=state), now, limit=OPEN_SHOWN)
    ]


def _feeds(connection: Connection, game_id: int) -> list[FeedOfGame]:
    of_game = (Feed.game_id == game_id, Feed.link_id.is_(None))
    rows = connection.execute(select(Feed.id, Feed.scope, Feed.title, Feed.path).where(*of_game).order_by(Feed.id))
    return [FeedOfGame(**row) for row in rows.mappings()]


def _is_followed(connection: Connection, person_id: int, game_id: int) -> bool:
    same = (Follow.person_id == person_id, Follow.kind == "game", Follow.game_id == game_id)
    return connection.scalar(select(Follow.id).where(*same)) is not None


def _may_see(connection: Connection, person_id: int | None, game_id: int) -> bool:
    public_id = connection.scalars(select(Game.public_id).where(Game.id == game_id)).one()
    return find_ours(connection, public_id, person_id=person_id) == game_id


def _entry_of_ours(runtime: Runtime, person_id: int, name: str) -> str:
    """Return how IGDB's entry of a game of ours is written, where the name is its public id; else the name."""
    with runtime.engine.connect() as connection:
        game_id = connection.scalar(select(Game.id).where(Game.public_id == name))
        if game_id is None or not _may_see(connection, person_id, game_id):
            return name
        linked = load_links(connection, [game_id]).get(game_id)
    return name if linked is None or linked.igdb_id is None else f"igdb:{linked.igdb_id}"


def _by_public_id(connection: Connection, person_id: int, name: str) -> list[Followed]:
    game_id = connection.scalar(select(Game.id).where(Game.public_id == name))
    return [game for game in list_followed(connection, None, person_id=person_id) if game.game_id == game_id]


def _seconds(duration: timedelta | None) -> float | None:
    """Return seconds: ISO 8601 durations are read by few programs."""
    return None if duration is None else duration.total_seconds()
