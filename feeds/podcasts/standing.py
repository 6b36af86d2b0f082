"""Keep a feed for each show and each playlist: public under its name, private under one that nobody can guess.

Rows of shows and playlists are what counts. Each publish compares the feeds with them, so whoever adds one, removes it
or makes it public changes the row and no more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, delete, exists, insert, or_, select, union_all, update
from sqlalchemy.sql.expression import literal

from feeds.links import ensure_name, private_path
from feeds.scopes import FeedKey, feed_path, feed_row
from models import Feed, Link, Playlist, Show
from models.errors import UsageError
from models.vault import Vault, VaultError

Kind = Literal["show", "playlist"]
_TABLES: Mapping[Kind, type[Show] | type[Playlist]] = {"show": Show, "playlist": Playlist}
FOLDERS: Mapping[Kind, str] = {"show": "shows", "playlist": "playlists"}


class Standing(msgspec.Struct, frozen=True):
    """What a comparison did: how many feeds it made, moved or removed; a `problem` says why private ones were not."""

    changed: int = 0
    problem: str | None = None


def ensure_podcast(
    connection: Connection, open_vault: Callable[[], Vault], kind: Kind, row_id: int, now: datetime
) -> str:
    """Return where the feed of a show or playlist lies below the published folder, without an ending.

    It is made, or moved, as the row says whether it is public. Belongs in a transaction of a caller that has the turn
    to publish (`feeds.take_in.TURN`). The vault is opened for a private one. Raises UsageError where there is no such
    row or it was removed, VaultError where the key file is missing or another.
    """
    table = _TABLES[kind]
    row = connection.execute(
        select(*table.__table__.c).where(table.id == row_id, table.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        raise UsageError(f"There is no {kind} {row_id}: `lootwire {kind}s` lists them.")
    if row.is_public:
        connection.execute(_revoking(kind, row_id, now))
        return _put(connection, kind, row, None)
    link_id, folder, _ = ensure_name(connection, open_vault(), kind, now, subject_id=row_id, person_id=row.person_id)
    _put(connection, kind, row, link_id)
    return f"{folder}/{kind}"


def settle_podcasts(connection: Connection, open_vault: Callable[[], Vault] | None, now: datetime) -> Standing:
    """Make, move and remove feeds of shows and playlists until they are as the rows say; one query where they are.

    Belongs in a transaction of a publish. Without a vault private ones are left as they are.
    """
    changed, problem = 0, None
    for due in connection.execute(_DUE).all():
        if due.is_gone:
            connection.execute(_revoking(due.kind, due.id, now))
            connection.execute(delete(Feed).where(_subject(due.kind) == due.id))
        elif due.is_public or open_vault is not None:
            try:
                ensure_podcast(connection, open_vault or _no_vault, due.kind, due.id, now)
            except VaultError as error:
                problem = str(error)
                continue
        else:
            continue
        changed += 1
    return Standing(changed, problem)


def _no_vault() -> Vault:
    raise VaultError("There is no key file.")


def _subject(kind: Kind) -> Any:
    return Feed.show_id if kind == "show" else Feed.playlist_id


def _title(table: type[Show] | type[Playlist]) -> Any:
    return table.title if table is Show else table.name


def _due(kind: Kind) -> Select[*tuple[Any, ...]]:
    table = _TABLES[kind]
    of_row = exists().where(_subject(kind) == table.id)
    is_named_so = of_row.where(Feed.title == _title(table))
    is_public, is_private = of_row.where(Feed.link_id.is_(None)), of_row.where(Feed.link_id.is_not(None))
    is_gone = table.removed_at.is_not(None)
    return select(
        literal(kind).label("kind"), table.id.label("id"), table.is_public.label("is_public"), is_gone.label("is_gone")
    ).where(
        or_(
            and_(is_gone, of_row),
            and_(~is_gone, table.is_public, or_(~is_public, is_private, ~is_named_so)),
            and_(~is_gone, ~table.is_public, or_(~is_private, is_public, ~is_named_so)),
        )
    )


_DUE = union_all(_due("show"), _due("playlist")).order_by("kind", "id")


def _put(connection: Connection, kind: Kind, row: Any, link_id: int | None) -> str:
    """Have the feed of a row where it is to lie; returns its path. One that moves or has another title is marked.

    A public one stays where it is when it gets another name.
    """
    title = row.title if kind == "show" else row.name
    columns = (Feed.id, Feed.path, Feed.link_id, Feed.title)
    feed = connection.execute(select(*columns).where(_subject(kind) == row.id)).one_or_none()
    if feed is not None and feed.link_id == link_id:
        if feed.title != title:
            renamed = {"title": title, "version": Feed.version + 1}
            connection.execute(update(Feed).where(Feed.id == feed.id).values(renamed))
        return str(feed.path)
    path = private_path(kind, link_id) if link_id is not None else _public_path(connection, kind, row)
    values = {**feed_row(FeedKey(kind, row.id), path, title), "link_id": link_id}
    if feed is None:
        connection.execute(insert(Feed).values(values))
    else:
        connection.execute(update(Feed).where(Feed.id == feed.id).values(**values, version=Feed.version + 1))
    return path


def _public_path(connection: Connection, kind: Kind, row: Any) -> str:
    path = feed_path(FOLDERS[kind], row.name, row.public_id[:8])
    is_taken = connection.scalar(select(exists().where(Feed.path == path)))
    return feed_path(FOLDERS[kind], row.name, row.public_id) if is_taken else path


def _revoking(kind: Kind, row_id: int, now: datetime) -> Any:
    is_of = (Link.opens == kind, Link.subject_id == row_id, Link.revoked_at.is_(None))
    return update(Link).where(*is_of).values(revoked_at=now)
