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
from pipeline.people.store.plans import check_gauge

FOLLOWS: Table = Follow.__table__  # type: ignore[assignment]


class Known(msgspec.Struct, frozen=True):
    """A channel as it is known here, and whether the person who asks follows it."""

    channel_id: int
    external_id: str
    login: str
    display_name: str | None
    former_logins: list[str]
    followed: bool


def follow(
    connection: Connection, users: Sequence[UserRecord], now: datetime, *, person_id: int = OWNER_ID
) -> set[str]:
    """Follow the channels of users, each with a feed and a page; returns the Twitch ids of those new to the person.

    Raises `QuotaError` where that would be more follows than the person's plan allows.
    """
    ids = store_users(connection, users, now)
    rows = [
        {"person_id": person_id, "kind": "channel", "channel_id": channel_id, "created_at": now}
        for channel_id in ids.values()
    ]
    if not rows:
        return set()
    new = insert_rows(FOLLOWS, tuple(rows[0])).on_conflict_do_nothing().returning(FOLLOWS.c.channel_id)
    followed = set(execute_rows(connection, new, rows).scalars())
    if followed:
        check_follows(connection, person_id)
    ensure_feeds(connection, list(ids.values()))
    _make_due(connection, now)
    return {external_id for external_id, channel_id in ids.items() if channel_id in followed}


def unfollow(connection: Connection, channel_ids: Sequence[int], now: datetime, *, person_id: int = OWNER_ID) -> None:
    """Stop following channels by hand; their recorded streams stay.

    The feed of a channel that nobody else follows says that it ends.
    """
    of_channels = (Follow.kind == "channel", Follow.channel_id == func.any(list(channel_ids)))
    connection.execute(delete(Follow).where(Follow.person_id == person_id, *of_channels))
    still = set(connection.scalars(select(Follow.channel_id).where(*of_channels)))
    gone = [FeedKey("channel", channel_id) for channel_id in channel_ids if channel_id not in still]
    cease_feeds(connection, gone, now)


def follow_drops(connection: Connection, now: datetime, *, person_id: int = OWNER_ID) -> bool:
    """Watch every channel that a running campaign names; False where the person watched them before.

    Raises `QuotaError` where that would be one follow more than the person's plan allows.
    """
    values = {"person_id": person_id, "kind": "drops", "created_at": now}
    created = connection.scalar(insert(Follow).values(values).on_conflict_do_nothing().returning(Follow.id))
    if created is not None:
        check_follows(connection, person_id)
    _make_due(connection, now)
    return created is not None


def unfollow_drops(connection: Connection, *, person_id: int = OWNER_ID) -> bool:
    """Stop watching the channels that campaigns name; False where the person did not watch them."""
    mine = delete(Follow).where(Follow.person_id == person_id, Follow.kind == "drops")
    return connection.execute(mine).rowcount > 0


def follow_category(
    connection: Connection, category: GameRecord, top: int, now: datetime, *, person_id: int = OWNER_ID
) -> None:
    """Record the `top` most watched streams of a category; a second time changes how many.

    Raises `QuotaError` where that would be one follow more than the person's plan allows.
    """
    game_id = store_games(connection, SERVICE, [category])[category.external_id]
    before = count_follows(connection, person_id)
    values = {"person_id": person_id, "kind": "category", "game_id": game_id, "top": top, "created_at": now}
    insert_follow = insert(Follow).values(values)
    connection.execute(
        insert_follow.on_conflict_do_update(
            index_elements=["person_id", "kind", "channel_id", "game_id"], set_={"top": insert_follow.excluded.top}
        )
    )
    if count_follows(connection, person_id) > before:
        check_follows(connection, person_id)
    _make_due(connection, now)


def unfollow_category(connection: Connection, game_id: int, *, person_id: int = OWNER_ID) -> None:
    """Stop recording a category's streams, unless another person follows it."""
    of_category = (Follow.kind == "category", Follow.game_id == game_id)
    connection.execute(delete(Follow).where(Follow.person_id == person_id, *of_category))


def count_follows(connection: Connection, person_id: int) -> int:
    """Return how many channels, categories, games and groups a person follows: what the gauge `follows` counts."""
    return connection.scalar(select(func.count()).where(Follow.person_id == person_id)) or 0


def check_follows(connection: Connection, person_id: int) -> None:
    """Raise `QuotaError` where a person has more follows than their plan allows; call it once they are inserted."""
    check_gauge(connection, person_id, "follows", count_follows(connection, person_id))


def find_channel(
    connection: Connection, name: Name, *, of_followed: bool = False, person_id: int = OWNER_ID
) -> Known | None:
    """Return the channel that a name means, as far as it is known here, or `of_followed` ones; former logins count.

    Digits are an id before they are a login. A login that another channel took over is the other's, unless only
    the one that gave it up is followed. `person_id` says by whom.
    """
    is_id = Channel.external_id == (name.external_id or "")
    is_login = func.lower(Channel.login) == (name.login or "")
    was_login = (name.login or "") == any_(Channel.former_logins)
    of_person = (Follow.person_id == person_id, Follow.kind == "channel", Follow.channel_id == Channel.id)
    followed = select(Follow.id).where(*of_person).exists()
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
