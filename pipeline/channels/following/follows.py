"""Begin and stop following channels and categories, and find a channel by any name that it ever had."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ARRAY, Connection, Table, Text, any_, bindparam, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert

from feeds.feed_rows import cease_feeds
from feeds.pages.channel_rows import ensure_feeds
from feeds.scopes import FeedKey
from models import Channel, Follow, Source
from models.people import OWNER_ID
from pipeline.catalogue.records import GameRecord, UserRecord
from pipeline.catalogue.storing import store_games, store_users
from pipeline.channels.following.names import Name
from pipeline.channels.following.watched import SERVICE
from pipeline.database.bulk import execute_rows, insert_rows

FOLLOWS: Table = Follow.__table__  # type: ignore[assignment]


class Known(msgspec.Struct, frozen=True):
    """A channel as it is known here."""

    channel_id: int
    external_id: str
    login: str
    display_name: str | None
    former_logins: list[str]
    followed: bool


def follow(
    connection: Connection, users: Sequence[UserRecord], now: datetime, *, person_id: int = OWNER_ID
) -> set[str]:
    """Follow the channels of users, each with a feed and a page; returns the Twitch ids of those that are new."""
    ids = store_users(connection, users, now)
    common = {"person_id": person_id, "kind": "channel", "created_at": now}
    rows = [{**common, "channel_id": channel_id} for channel_id in ids.values()]
    if not rows:
        return set()
    new = insert_rows(FOLLOWS, tuple(rows[0])).on_conflict_do_nothing().returning(FOLLOWS.c.channel_id)
    followed = set(execute_rows(connection, new, rows).scalars())
    ensure_feeds(connection, list(ids.values()))
    _make_due(connection, now)
    return {external_id for external_id, channel_id in ids.items() if channel_id in followed}


def unfollow(connection: Connection, channel_ids: Sequence[int], now: datetime) -> None:
    """Stop following channels by hand; their recorded streams stay, and their feeds say that they end."""
    connection.execute(delete(Follow).where(Follow.kind == "channel", Follow.channel_id == func.any(list(channel_ids))))
    cease_feeds(connection, [FeedKey("channel", channel_id) for channel_id in channel_ids], now)


def follow_drops(connection: Connection, now: datetime) -> bool:
    """Watch every channel that a running campaign names; False where they were watched before."""
    insert_follow = insert(Follow).values(kind="drops", created_at=now).on_conflict_do_nothing()
    created = connection.scalar(insert_follow.returning(Follow.id))
    _make_due(connection, now)
    return created is not None


def unfollow_drops(connection: Connection) -> bool:
    """Stop watching the channels that campaigns name; False where they were not watched."""
    return connection.execute(delete(Follow).where(Follow.kind == "drops")).rowcount > 0


def follow_category(connection: Connection, category: GameRecord, top: int, now: datetime) -> None:
    """Record the `top` most watched streams of a category; a second time changes how many."""
    game_id = store_games(connection, SERVICE, [category])[category.external_id]
    insert_follow = insert(Follow).values(kind="category", game_id=game_id, top=top, created_at=now)
    connection.execute(
        insert_follow.on_conflict_do_update(
            index_elements=["person_id", "kind", "channel_id", "game_id"], set_={"top": insert_follow.excluded.top}
        )
    )
    _make_due(connection, now)


def unfollow_category(connection: Connection, game_id: int) -> None:
    """Stop recording a category's streams."""
    connection.execute(delete(Follow).where(Follow.kind == "category", Follow.game_id == game_id))


def find_channel(connection: Connection, name: Name, *, of_followed: bool = False) -> Known | None:
    """Return the channel that a name means, as far as it is known here, or `of_followed` ones; former logins count.

    Digits are an id before they are a login. A login that another channel took over is the other's, unless only
    the one that gave it up is followed.
    """
    is_id = Channel.external_id == (name.external_id or "")
    is_login = func.lower(Channel.login) == (name.login or "")
    was_login = (name.login or "") == any_(Channel.former_logins)
    followed = select(Follow.id).where(Follow.kind == "channel", Follow.channel_id == Channel.id).exists()
    query = (
        select(
            Channel.id,
            Channel.external_id,
            Channel.login,
            Channel.display_name,
            Channel.former_logins,
            followed.label("followed"),
        )
        .where(Channel.service == SERVICE, is_id | is_login | was_login, followed if of_followed else true())
        .order_by(is_id.desc(), followed.desc(), is_login.desc(), Channel.checked_at.desc().nulls_last(), Channel.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Known(*row)


def renamed(connection: Connection, logins: Sequence[str]) -> dict[str, str]:
    """Return the ids of channels that once had one of these logins, as far as it is known here."""
    wanted = bindparam("logins", list(logins), type_=ARRAY(Text))
    query = (
        select(Channel.external_id, Channel.login, Channel.former_logins)
        .where(Channel.service == SERVICE, (Channel.login == func.any(wanted)) | Channel.former_logins.overlap(wanted))
        .order_by(Channel.checked_at.asc().nulls_first(), Channel.id)
    )
    ids: dict[str, str] = {}
    for external_id, login, former in connection.execute(query):
        ids |= dict.fromkeys({login, *former} & set(logins), external_id)
    return ids


def _make_due(connection: Connection, now: datetime) -> None:
    """Make the sources of streams due at once, so that they look at new follows."""
    connection.execute(
        update(Source).values(next_due_at=now).where(Source.name.startswith("twitch.streams"), Source.next_due_at > now)
    )
