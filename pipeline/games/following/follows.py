"""Begin and stop following games, and list those that are followed with the releases that lie ahead."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Select, Table, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from models import ExternalGame, Follow, Game, GameExternalId, GameList, GameListEntry, GameMetadata, WantedGame
from models.moments import Moment
from models.names import name_key, public_id
from models.people import OWNER_ID
from models.pictures import cover_url
from models.release_numbers import CANCELLED, OFFLINE
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import wanted
from pipeline.games.releases.compare import LAST_ZONE, is_over, period_of
from pipeline.games.releases.details import SERVICE, load_platforms
from pipeline.games.releases.news import introduce
from pipeline.games.store.links import Link, attach, games_of, link, load_links
from pipeline.games.store.releases import load_releases
from pipeline.games.store.wanted import Reason, begin_wanting, unwant, want
from pipeline.games.store.works import give_works

KIND = "game"
REASON: Reason = "follow"
TWITCH, TWITCH_SOURCE = "twitch", 14
GAMES: Table = Game.__table__  # type: ignore[assignment]
LINKS: Table = GameExternalId.__table__  # type: ignore[assignment]
_ADDED = insert_rows(GAMES, ("name", "name_key", "public_id", "box_art_url")).returning(GAMES.c.id, GAMES.c.public_id)


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A followed game; `releases` are the dates that lie ahead, in words, each with its platforms."""

    game_id: int
    igdb_id: int | None
    name: str
    slug: str | None
    since: Moment
    lists: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


def follow_game(connection: Connection, igdb_id: int, now: datetime, *, person_id: int = OWNER_ID) -> bool:
    """Follow a game by its stored entry, inside the caller's transaction; False where the person followed it before.

    The game gets a row in `games`, or Twitch's where that is the same game, and its dates are kept fresh from now on.
    """
    begin_wanting(connection, now)
    game_id = games_for(connection, [igdb_id])[igdb_id]
    values = {"person_id": person_id, "kind": KIND, "game_id": game_id, "created_at": now}
    row = upsert(Follow).values(values).on_conflict_do_nothing()
    new = connection.scalar(row.returning(Follow.id)) is not None
    renew_follows(connection, now)
    introduce(connection, [igdb_id], now)
    return new


def unfollow_game(connection: Connection, game_id: int, now: datetime, *, person_id: int = OWNER_ID) -> None:
    """Stop following a game; its recorded events stay, and it is wanted as long as another person follows it."""
    begin_wanting(connection, now)
    same = (Follow.person_id == person_id, Follow.kind == KIND, Follow.game_id == game_id)
    connection.execute(delete(Follow).where(*same))
    renew_follows(connection, now)


def renew_follows(connection: Connection, now: datetime) -> None:
    """Make the reason `follow` fit the followed games' entries, and no others; call it when games were linked anew."""
    followed = list(connection.scalars(select(Follow.game_id).where(Follow.kind == KIND, Follow.game_id.is_not(None))))
    links = load_links(connection, [game_id for game_id in followed if game_id is not None])
    ids = {linked.igdb_id for linked in links.values() if linked.igdb_id is not None}
    wanted_before = set(connection.scalars(select(WantedGame.igdb_id).where(WantedGame.reasons.contains([REASON]))))
    want(connection, ids - wanted_before, REASON, now)
    unwant(connection, wanted_before - ids, REASON)


def find_followed(
    connection: Connection, named: str, igdb_id: int | None, slug: str | None, *, person_id: int = OWNER_ID
) -> list[Followed]:
    """Return the games that a person follows of a name, an id or a slug: none, one, or several that share a name."""
    followed = list_followed(connection, None, person_id=person_id)
    if igdb_id is not None:
        return [game for game in followed if game.igdb_id == igdb_id]
    by_slug = [game for game in followed if game.slug == (slug or named)]
    return by_slug or [game for game in followed if slug is None and name_key(game.name) == name_key(named)]


def list_followed(connection: Connection, now: datetime | None, *, person_id: int = OWNER_ID) -> list[Followed]:
    """Return the games that a person follows by their names; with `now`, also their releases that lie ahead."""
    query = (
        select(Game.id, Game.name, Follow.created_at)
        .join(Follow, Follow.game_id == Game.id)
        .where(Follow.person_id == person_id, Follow.kind == KIND)
        .order_by(func.lower(Game.name), Game.id)
    )
    rows = connection.execute(query).all()
    links = load_links(connection, [row.id for row in rows])
    ids = {key: linked.igdb_id for key, linked in links.items() if linked.igdb_id is not None}
    stored = _stored(connection, ids.values())
    ahead = upcoming(connection, list(ids.values()), now) if now is not None else {}
    listed = _lists(connection, ids.values(), person_id)
    return [
        Followed(
            game_id=row.id,
            igdb_id=(igdb_id := ids.get(row.id)),
            name=stored.get(igdb_id or 0, (row.name, None))[0],
            slug=stored.get(igdb_id or 0, (row.name, None))[1],
            since=row.created_at,
            lists=tuple(listed.get(igdb_id or 0, ())),
            releases=tuple(ahead.get(igdb_id or 0, ())),
        )
        for row in rows
    ]


def upcoming(connection: Connection, igdb_ids: Collection[int], now: datetime) -> dict[int, list[str]]:
    """Return the dates that lie ahead of games, the nearest first: "24 November 2026 (PC, PlayStation 5)"."""
    today = (now + LAST_ZONE).date()
    stored = load_releases(connection, igdb_ids)
    names = load_platforms(connection, (row.release for rows in stored.values() for row in rows))
    upcoming_by_game: dict[int, list[str]] = {}
    for igdb_id, rows in stored.items():
        platforms: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            period = period_of(row.release)
            off = row.last_seen_at is not None or row.release.status in {OFFLINE, CANCELLED}
            if not off and not is_over(period, today):
                at = (str(period.last or "9999"), period.words)
                platforms.setdefault(at, []).append(names.get(row.release.platform_id or 0, "?"))
        upcoming_by_game[igdb_id] = [
            f"{words} ({', '.join(dict.fromkeys(some))})" for (_, words), some in sorted(platforms.items())
        ]
    return upcoming_by_game


def games_for(connection: Connection, igdb_ids: Iterable[int]) -> dict[int, int]:
    """Return the rows in `games` of stored entries, by IGDB's id; those that have none get one."""
    ids = sorted(set(igdb_ids))
    game_ids = {igdb_id: games[0] for igdb_id, games in games_of(connection, ids).items()}
    lacking = [igdb_id for igdb_id in ids if igdb_id not in game_ids]
    known = _may_be_known(connection, lacking)
    game_ids |= _add(connection, [igdb_id for igdb_id in lacking if igdb_id not in known])
    for igdb_id in lacking:
        if igdb_id in known:
            new_link = (
                _same_at_twitch(connection, igdb_id) or _same_by_name(connection, igdb_id) or _new(connection, igdb_id)
            )
            link(connection, [new_link])
            give_works(connection, [new_link.game_id])
            game_ids[igdb_id] = new_link.game_id
    return game_ids


def _may_be_known(connection: Connection, igdb_ids: Sequence[int]) -> set[int]:
    """Return those of the entries that one of our games without a link may be, by its id at Twitch or by its name."""
    if not igdb_ids:
        return set()
    at_twitch = (
        select(ExternalGame.igdb_id)
        .join(GameExternalId, GameExternalId.external_id == ExternalGame.uid)
        .where(ExternalGame.source == TWITCH_SOURCE, ExternalGame.igdb_id == func.any(list(igdb_ids)))
        .where(GameExternalId.service == TWITCH, GameExternalId.game_id.not_in(_linked()))
    )
    keys = {igdb_id: name_key(name) for igdb_id, (name, *_) in _stored(connection, igdb_ids).items()}
    of_ours = select(Game.name_key).where(Game.name_key == func.any(list(keys.values())), Game.id.not_in(_linked()))
    names = set(connection.scalars(of_ours))
    return {*connection.scalars(at_twitch), *(igdb_id for igdb_id, key in keys.items() if key in names)}


def _add(connection: Connection, igdb_ids: Sequence[int]) -> dict[int, int]:
    """Add a game for each entry that none of our games can be, linked with it; returns their row ids by IGDB's id."""
    if not igdb_ids:
        return {}
    stored = _stored(connection, igdb_ids)
    rows = [_row(igdb_id, *stored[igdb_id]) for igdb_id in igdb_ids]
    added = execute_rows(connection, _ADDED, rows).all()
    ids = {row.public_id: row.id for row in added}
    game_ids = {igdb_id: ids[row["public_id"]] for igdb_id, row in zip(igdb_ids, rows, strict=True)}
    links = [
        {"service": SERVICE, "external_id": str(igdb_id), "game_id": game_id, "how": "igdb_id", "confidence": 1.0}
        for igdb_id, game_id in game_ids.items()
    ]
    execute_rows(connection, insert_rows(LINKS, tuple(links[0])), links)
    attach(connection, list(game_ids.values()))
    return game_ids


def _row(igdb_id: int, name: str, _slug: str | None, cover_id: str | None) -> dict[str, str | None]:
    return {
        "name": name,
        "name_key": name_key(name),
        "public_id": public_id(SERVICE, str(igdb_id)),
        "box_art_url": cover_url(cover_id),
    }


def _same_at_twitch(connection: Connection, igdb_id: int) -> Link | None:
    """Return the game that Twitch knows by an id which IGDB lists for this entry and for no other."""
    others = text(
        "NOT EXISTS (SELECT FROM external_games o"
        " WHERE o.source = 14 AND o.uid = external_games.uid AND o.igdb_id <> external_games.igdb_id)"
    )
    query = (
        select(GameExternalId.game_id)
        .join(ExternalGame, ExternalGame.uid == GameExternalId.external_id)
        .where(ExternalGame.source == TWITCH_SOURCE, ExternalGame.igdb_id == igdb_id, others)
        .where(GameExternalId.service == TWITCH, GameExternalId.game_id.not_in(_linked()))
        .order_by(GameExternalId.game_id)
        .limit(1)
    )
    game_id = connection.scalar(query)
    if game_id is None:
        return None
    return Link(game_id=game_id, igdb_id=igdb_id, how="external_game", confidence=1.0)


def _same_by_name(connection: Connection, igdb_id: int) -> Link | None:
    """Return the one game of this name, if that name surely means this entry."""
    name = _stored(connection, [igdb_id])[igdb_id][0]
    same = select(Game.id, Game.name).where(Game.name_key == name_key(name), Game.id.not_in(_linked())).limit(2)
    rows = connection.execute(same).all()
    if len(rows) != 1:
        return None
    decision = match_title(connection, wanted(rows[0].name, official=True))
    if decision.igdb_id != igdb_id or decision.best is None:
        return None
    return Link(game_id=rows[0].id, igdb_id=igdb_id, how="name", confidence=decision.best.score)


def _new(connection: Connection, igdb_id: int) -> Link:
    row = _row(igdb_id, *_stored(connection, [igdb_id])[igdb_id])
    game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
    return Link(game_id=game_id, igdb_id=igdb_id, how="igdb_id", confidence=1.0)


def _linked() -> Select[int]:
    return select(GameExternalId.game_id).where(GameExternalId.service == SERVICE)


def _stored(connection: Connection, igdb_ids: Iterable[int]) -> dict[int, tuple[str, str | None, str | None]]:
    ids = list(igdb_ids)
    query = select(GameMetadata.igdb_id, GameMetadata.name, GameMetadata.slug, GameMetadata.cover_id)
    rows = connection.execute(query.where(GameMetadata.igdb_id == func.any(ids))) if ids else ()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _lists(connection: Connection, igdb_ids: Iterable[int], person_id: int) -> Mapping[int, Sequence[str]]:
    query = (
        select(GameListEntry.igdb_id, GameList.name)
        .join(GameList, GameList.id == GameListEntry.list_id)
        .where(GameListEntry.igdb_id == func.any(list(igdb_ids)), GameList.person_id == person_id)
        .order_by(GameList.name)
        .distinct()
    )
    lists: dict[int, list[str]] = {}
    for igdb_id, name in connection.execute(query):
        if igdb_id is not None:
            lists.setdefault(igdb_id, []).append(name)
    return lists
