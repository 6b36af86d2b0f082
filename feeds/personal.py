"""Know which personal feeds there are, and to which of them events belong."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from feeds.feed_rows import as_ids
from models import Delivery, Feed, Follow, Game, GameList, GameListEntry, GameMetadata, Link, PersonWork

# The words of a work whose news its person waits for: not of one that is finished or given up, and nothing else.
RELEVANT = ("owned", "playing", "backlog", "wished")
# In the order of their ids, so that an event has its feeds in a stable order.
_LINKS = (
    select(Link.id, Link.opens, Link.person_id, Link.subject_id)
    .join(Feed, Feed.link_id == Link.id)
    .where(Link.revoked_at.is_(None))
    .order_by(Link.id)
)


class Personal(msgspec.Struct, frozen=True, kw_only=True):
    """Links of personal feeds by what leads to them: games, channels, and events that a target hears of.

    `news` are those of the people to whom a game is relevant; libraries, journals and collections of ROMs are by
    person, lists by person and name. `followers` are the links of feeds of what each person follows.
    """

    games: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    channels: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    events: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    health: tuple[int, ...] = ()
    news: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    libraries: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    journals: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    roms: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    lists: Mapping[tuple[int, str], tuple[int, ...]] = msgspec.field(default_factory=dict)
    followers: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)

    def following(self, game_id: int | None, channel_id: int | None, person_id: int | None) -> tuple[int, ...]:
        """Return the links of the people who follow a game or a channel; of a person's own event theirs alone."""
        links = (*self.games.get(game_id or 0, ()), *self.channels.get(channel_id or 0, ()))
        theirs = links if person_id is None else self.followers.get(person_id, ())
        return tuple(dict.fromkeys(link for link in links if link in theirs))

    def hearing(self, event_id: int) -> tuple[int, ...]:
        """Return the links of the targets that hear of an event."""
        return self.events.get(event_id, ())


def load_personal(connection: Connection, event_ids: Sequence[int], game_ids: Collection[int]) -> Personal:
    """Return what leads events of these games to personal feeds; takes one query where there are none."""
    links = connection.execute(_LINKS).all()
    followed = [link for link in links if link.opens == "followed"]
    games, channels = _followed(connection, followed) if followed else ({}, {})
    targets = {link.subject_id: link.id for link in links if link.opens == "target"}
    return Personal(
        games=games,
        channels=channels,
        events=_heard(connection, targets, event_ids) if targets else {},
        health=tuple(link.id for link in links if link.opens == "health"),
        news=_relevant(connection, [link for link in links if link.opens == "news"], game_ids),
        libraries={link.person_id: (link.id,) for link in links if link.opens == "library"},
        journals={link.person_id: (link.id,) for link in links if link.opens == "journal"},
        roms={link.person_id: (link.id,) for link in links if link.opens == "roms"},
        followers={link.person_id: (link.id,) for link in followed},
        lists=_listed(connection, {link.subject_id: link.id for link in links if link.opens == "list"}),
    )


def followed_games(person_id: Any) -> Select[Any]:
    """Return the query of the games that a person follows, by hand or by a list that wants its games."""
    listed = (
        select(GameMetadata.game_id)
        .join(GameListEntry, GameListEntry.igdb_id == GameMetadata.igdb_id)
        .join(GameList, GameList.id == GameListEntry.list_id)
        .where(GameList.person_id == person_id, GameList.wants, GameMetadata.game_id.is_not(None))
    )
    named = select(Follow.game_id).where(
        Follow.person_id == person_id, Follow.kind.in_(["game", "category"]), Follow.game_id.is_not(None)
    )
    return named.union(listed)  # type: ignore[return-value]


def relevant_games(person_ids: Any) -> Select[int, int]:
    """Return the query of the games whose news people wait for, each with its person: those of works that they have."""
    return (
        select(Game.id, PersonWork.person_id)
        .join(PersonWork, PersonWork.work_id == Game.work_id)
        .where(PersonWork.person_id == person_ids, PersonWork.words.overlap(list(RELEVANT)))
    )


def _relevant(connection: Connection, links: Sequence[Any], game_ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    if not links or not game_ids:
        return {}
    by_person = {link.person_id: link.id for link in links}
    of_people = relevant_games(as_ids(by_person)).where(Game.id == as_ids(game_ids)).order_by(PersonWork.person_id)
    games: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for game_id, person_id in connection.execute(of_people):
        games[game_id] += (by_person[person_id],)
    return games


def _listed(connection: Connection, links: Mapping[int | None, int]) -> Mapping[tuple[int, str], tuple[int, ...]]:
    """Return the links of lists by person and name, which is how events name a list."""
    if not links:
        return {}
    named = select(GameList.id, GameList.person_id, GameList.name).where(
        GameList.id == as_ids(key for key in links if key)
    )
    return {(row.person_id, row.name): (links[row.id],) for row in connection.execute(named)}


def _followed(
    connection: Connection, links: Sequence[Any]
) -> tuple[Mapping[int, tuple[int, ...]], Mapping[int, tuple[int, ...]]]:
    games: dict[int, tuple[int, ...]] = defaultdict(tuple)
    channels: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for link in links:
        for game_id in connection.scalars(followed_games(link.person_id)):
            games[game_id] += (link.id,)
        of_person = select(Follow.channel_id).where(Follow.person_id == link.person_id, Follow.kind == "channel")
        for channel_id in connection.scalars(of_person):
            channels[channel_id or 0] += (link.id,)
    return games, channels


def _heard(
    connection: Connection, targets: Mapping[int | None, int], event_ids: Sequence[int]
) -> Mapping[int, tuple[int, ...]]:
    statement = (
        select(Delivery.event_id, Delivery.target_id)
        .where(Delivery.event_id == as_ids(event_ids), Delivery.target_id == as_ids(key for key in targets if key))
        .order_by(Delivery.target_id)
    )
    events: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for row in connection.execute(statement):
        events[row.event_id] += (targets[row.target_id],)
    return events
