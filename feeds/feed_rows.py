"""Look up the rows of feeds by what they are about, and make those that are missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    any_,
    bindparam,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from feeds.content import Scope
from feeds.scopes import (
    PODCASTS,
    SCOPES,
    FeedKey,
    channel_path,
    feed_path,
    feed_row,
    platform_row,
    service_row,
)
from models import Channel, DropCampaign, Feed, Game, Organization, RewardCampaign
from models.names import public_id

# In the order of the unique index on them, which is used where the columns before the one that is asked for are named.
_SUBJECTS = (
    *("service", "game_id", "organization_id", "channel_id", "campaign_id", "reward_campaign_id"),
    *("platform", "link_id", "show_id", "playlist_id"),
)
_TEXTS = {"service", "platform"}


class FeedState(msgspec.Struct):
    """A feed's row, as far as the taking in of events needs it."""

    id: int
    total: int
    is_new: bool = False


def _is_about(scope: Scope) -> ColumnElement[bool]:
    about = SCOPES[scope].column
    before = _SUBJECTS[: _SUBJECTS.index(about)] if about else _SUBJECTS
    empty = [getattr(Feed, name).is_(None) for name in before]
    if about is None:
        # One row: the list has its scope or nothing.
        listed = bindparam("alone", type_=ARRAY(Text))
        return and_(Feed.scope == scope, literal(scope, Text) == any_(listed), *empty)
    kind: ARRAY[Any] = ARRAY(Text) if about in _TEXTS else ARRAY(BigInteger)
    listed = bindparam(scope, type_=kind)
    return and_(Feed.scope == scope, *empty, getattr(Feed, about) == any_(listed))


_BY_SUBJECT = (
    select(Feed.id, Feed.scope, Feed.total, Feed.ceased_at, *(getattr(Feed, name) for name in _SUBJECTS))
    .where(or_(*(_is_about(scope) for scope in SCOPES if scope not in PODCASTS)))
    .order_by(Feed.id)
)
# Built once: building a statement costs more than running it.
_LOCKED_BY_SUBJECT = _BY_SUBJECT.with_for_update(key_share=True)


def lock_feeds(connection: Connection, keys: Collection[FeedKey]) -> dict[FeedKey, FeedState]:
    """Return the rows of feeds, locked in the order of their ids; those that are missing are made first."""
    feeds = _load(connection, keys)
    if missing := [key for key in keys if key not in feeds]:
        _create(connection, missing)
        feeds = _load(connection, keys)
        for key in missing:
            if key in feeds:
                feeds[key].is_new = True
    return feeds


def ensure_feeds(connection: Connection, keys: Collection[FeedKey]) -> None:
    """Make the feeds that are missing, before anything has happened to what they are about; the others go on."""
    present = {_key(row): row for row in connection.execute(_BY_SUBJECT, _parameters(keys))}
    _create(connection, [key for key in keys if key not in present])
    if ceased := [row.id for row in present.values() if row.ceased_at is not None]:
        goes_on = {"ceased_at": None, "version": Feed.version + 1}
        connection.execute(update(Feed).where(Feed.id == as_ids(ceased)).values(goes_on))


def cease_feeds(connection: Connection, keys: Collection[FeedKey], now: datetime) -> None:
    """Have feeds say that no more will come; an event that comes all the same takes that back."""
    for row in connection.execute(_BY_SUBJECT, _parameters(keys)).all():
        ends = {"ceased_at": now, "version": Feed.version + 1}
        connection.execute(update(Feed).where(Feed.id == row.id, Feed.ceased_at.is_(None)).values(ends))


def _load(connection: Connection, keys: Collection[FeedKey]) -> dict[FeedKey, FeedState]:
    rows = connection.execute(_LOCKED_BY_SUBJECT, _parameters(keys))
    return {_key(row): FeedState(row.id, row.total) for row in rows}


def _parameters(keys: Collection[FeedKey]) -> dict[str, list[Any]]:
    listed: dict[str, list[Any]] = {scope: [] for scope, row in SCOPES.items() if row.column and not row.is_podcast}
    alone: list[str] = []
    for key in keys:
        if key.subject is None:
            alone.append(key.scope)
        else:
            listed[key.scope].append(key.subject)
    return {"alone": alone, **listed}


def _key(row: Any) -> FeedKey:
    column = SCOPES[row.scope].column if row.scope in SCOPES else None
    return FeedKey(row.scope, getattr(row, column) if column else None)


def _create(connection: Connection, keys: Collection[FeedKey]) -> None:
    rows = list(_rows(connection, keys))
    if not rows:
        return
    # Another transaction may have made some of them a moment ago, which is as good.
    made = insert(Feed).values(rows).on_conflict_do_nothing().returning(Feed.path)
    taken = {row["path"] for row in rows} - set(connection.scalars(made))
    if taken:
        # Two names with the same digits, out of four billion: the second one's address says so.
        again = [{**row, "path": f"{row['path']}-2"} for row in rows if row["path"] in taken]
        connection.execute(insert(Feed).values(again).on_conflict_do_nothing())


def _rows(connection: Connection, keys: Collection[FeedKey]) -> Iterator[dict[str, Any]]:
    """Yield rows for `feeds`, in a stable order."""
    subjects: dict[Scope, list[Any]] = defaultdict(list)
    for key in sorted(keys, key=str):
        if SCOPES[key.scope].column is None:
            yield feed_row(key)
        else:
            subjects[key.scope].append(key.subject)
    yield from map(service_row, subjects["service"])
    yield from map(platform_row, subjects["platform"])
    folders: tuple[tuple[Scope, str, str], ...] = (
        ("game", "games", "{}"),
        ("category", "categories", "{}"),
        ("game_releases", "game-releases", "Releases of {}"),
    )
    for scope, folder, title in folders:
        for game in _named(connection, Game, subjects[scope]):
            path = feed_path(folder, game.name, game.public_id)
            yield feed_row(FeedKey(scope, game.id), path, title.format(game.name))
    for owner in _named(connection, Organization, subjects["organization"]):
        path = feed_path("organizations", owner.name, owner.public_id)
        yield feed_row(FeedKey("organization", owner.id), path, owner.name)
    for channel in _channels(connection, subjects["channel"]):
        path = channel_path(channel.service, channel.external_id, channel.login)
        yield feed_row(FeedKey("channel", channel.id), path, channel.display_name or channel.login)
    for row in _campaigns(connection, DropCampaign, subjects["campaign"]):
        path = feed_path("campaigns", row.name, public_id(row.service, row.external_id))
        yield feed_row(FeedKey("campaign", row.id), path, _titled(row))
    for row in _campaigns(connection, RewardCampaign, subjects["reward_campaign"]):
        path = feed_path("reward-campaigns", row.name, public_id(row.service, row.external_id))
        yield feed_row(FeedKey("reward_campaign", row.id), path, _titled(row))


def _titled(row: Any) -> str:
    return f"{row.game}: {row.name}" if row.game else str(row.name)


def _named(connection: Connection, table: type[Game] | type[Organization], ids: Sequence[int]) -> Sequence[Any]:
    if not ids:
        return []
    statement = select(table.id, table.name, table.public_id).where(table.id == as_ids(ids)).order_by(table.id)
    return connection.execute(statement).all()


def _channels(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    if not ids:
        return []
    columns = (Channel.id, Channel.service, Channel.external_id, Channel.login, Channel.display_name)
    return connection.execute(select(*columns).where(Channel.id == as_ids(ids)).order_by(Channel.id)).all()


def _campaigns(
    connection: Connection, table: type[DropCampaign] | type[RewardCampaign], ids: Sequence[int]
) -> Sequence[Any]:
    if not ids:
        return []
    statement = (
        select(table.id, table.service, table.external_id, table.name, Game.name.label("game"))
        .outerjoin(Game, Game.id == table.game_id)
        .where(table.id == as_ids(ids))
        .order_by(table.id)
    )
    return connection.execute(statement).all()


def as_ids(ids: Iterable[int]) -> ColumnElement[Any]:
    """Return what a column of ids is compared with."""
    # One array parameter: a list of thousands of ids would be as many parameters, and a new statement each time.
    return any_(literal(sorted(ids), ARRAY(BigInteger)))
