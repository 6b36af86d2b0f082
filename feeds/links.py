"""Links that only those know whom a person gave them to: made, rotated, and found again by those who have the key.

A link's name is made of the key file and a random seed. The database holds the seed and a digest of the name, so that a
copy of it opens nothing; a restored database with the same key file opens what it did before.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Select, and_, bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from feeds.personal import followed_games, relevant_games
from feeds.scopes import CHANNELS_ALONE, NEWS_FAMILIES, PODCASTS, FeedKey, feed_row, is_news
from feeds.write import PRIVATE
from models import Event, Feed, Follow, GameList, Link, Person, Playlist, Show, Target
from models.errors import UsageError
from models.moments import Moment
from models.names import name_key
from models.people import OWNER_ID
from models.vault import Vault, VaultError

Opens = Literal[
    "followed", "target", "health", "news", "library", "journal", "roms", "list", "show", "playlist", "sounds"
]
_PURPOSE = "lootwire link"
# Of 20 bytes: nobody finds it by trying.
_NAME_BYTES = 20
_FILL = text("""
    INSERT INTO feed_items (feed_id, position, event_id, occurred_at)
    SELECT :feed_id, row_number() OVER (ORDER BY events.id), events.id, events.occurred_at
    FROM events
    WHERE NOT EXISTS (SELECT FROM unpublished WHERE unpublished.event_id = events.id)
        AND events.id = ANY(CAST(:ids AS bigint[]))
    ORDER BY events.id
""")
_HEARD = text("SELECT event_id FROM deliveries WHERE target_id = :target_id")
_HEALTH = text("SELECT id FROM events WHERE kind LIKE 'source.%' OR kind LIKE 'operator.%'")
_FOLLOWED = text("""
    SELECT DISTINCT events.id FROM feeds
    JOIN feed_items ON feed_items.feed_id = feeds.id
    JOIN events ON events.id = feed_items.event_id
    WHERE (feeds.scope = 'game' AND feeds.game_id = ANY(CAST(:games AS bigint[]))
            OR feeds.scope = 'channel' AND feeds.channel_id = ANY(CAST(:channels AS bigint[])))
        AND events.kind <> ALL(CAST(:not_shown AS text[]))
""")
_OF_GAMES = select(Event.id, Event.kind, Event.silent).where(
    Event.game_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
    Event.person_id.is_(None),
    or_(*(Event.kind.like(f"{family}.%") for family in sorted(NEWS_FAMILIES))),
)
# The events of a person that a feed of theirs has, by their family.
_FAMILIES: Mapping[Opens, str] = {"library": "library", "journal": "play", "roms": "rom", "list": "list"}
# That of a target or a list that was removed opens nothing any more, nor that of a show that everybody may hear.
_IS_LIVE = and_(
    Link.revoked_at.is_(None),
    or_(Target.id.is_(None), Target.removed_at.is_(None)),
    or_(Link.opens != "list", GameList.id.is_not(None)),
    or_(Link.opens != "show", Show.id.is_not(None)),
    or_(Link.opens != "playlist", Playlist.id.is_not(None)),
)
_COUNT = text(
    "UPDATE feeds SET total = (SELECT count(*) FROM feed_items WHERE feed_id = feeds.id) WHERE feeds.id = :feed_id"
)


class LinkLine(msgspec.Struct, frozen=True, kw_only=True):
    """A link as lists show it; its name is a secret, and no part of it.

    `target`, `list`, `show` and `playlist` name which of them it opens, `person` whose it is.
    """

    id: int
    opens: str
    person: str
    target: str | None
    list: str | None
    show: str | None
    playlist: str | None
    made_at: Moment
    revoked_at: Moment | None


class OpenLinks(msgspec.Struct, frozen=True):
    """The folders of live links below the published one, by link, and the digests of their names.

    A `problem` says why the names cannot be made: then nobody knows which folders are to go.
    """

    folders: Mapping[int, str] = msgspec.field(default_factory=dict)
    digests: Collection[bytes] = ()
    problem: str | None = None


def ensure_link(
    connection: Connection,
    vault: Vault,
    opens: Opens,
    now: datetime,
    *,
    subject_id: int | None = None,
    title: str,
    person_id: int = OWNER_ID,
) -> str:
    """Return the folder of a person's link, which is made where there is none, with its feed and all items so far.

    Belongs in a transaction of a caller that has the turn to publish (`feeds.take_in.TURN`).
    """
    link_id, folder, is_new = ensure_name(connection, vault, opens, now, subject_id=subject_id, person_id=person_id)
    if not is_new:
        return folder
    path = private_path(opens, link_id)
    feed_id = connection.execute(
        insert(Feed).values(feed_row(FeedKey(opens, link_id), path, title)).returning(Feed.id)
    ).scalar_one()
    if opens not in PODCASTS:
        connection.execute(_FILL, {"feed_id": feed_id, "ids": _past(connection, opens, subject_id, person_id)})
        connection.execute(_COUNT, {"feed_id": feed_id})
    return folder


def ensure_name(
    connection: Connection, vault: Vault, opens: Opens, now: datetime, *, subject_id: int | None, person_id: int
) -> tuple[int, str, bool]:
    """Return a person's link with its folder, and whether it was made now; feeds of shows and playlists need no more.

    Belongs in a transaction of a caller that has the turn to publish.
    """
    same = (Link.person_id == person_id, Link.opens == opens, Link.subject_id.is_not_distinct_from(subject_id))
    live = select(Link.id, Link.seed, Link.digest).where(*same, Link.revoked_at.is_(None))
    row = connection.execute(live).one_or_none()
    if row is not None:
        return row.id, _folder(_name(vault, row.seed, row.digest)), False
    link_id, name = _make(connection, vault, opens, subject_id, person_id, now)
    return link_id, _folder(name), True


def private_path(opens: Opens, link_id: int) -> str:
    """Return the path that stands in the row of a feed for the one with the link's name, which stands nowhere."""
    return f"{PRIVATE}/{opens}-{link_id}"


def rotate_link(connection: Connection, vault: Vault, link_id: int, now: datetime) -> str:
    """Give what a link opens another name, and return its folder; the next publish deletes the files of the old one.

    Belongs in a transaction of a caller that has the turn to publish. Raises UsageError where there is no such link.
    """
    row = connection.execute(
        update(Link)
        .where(Link.id == link_id, Link.id.in_(_live().with_only_columns(Link.id).order_by(None)))
        .values(revoked_at=now)
        .returning(Link.opens, Link.subject_id, Link.person_id)
    ).one_or_none()
    if row is None:
        raise UsageError(f"There is no live link {link_id}: `lootwire feeds links` lists them.")
    new_id, name = _make(connection, vault, row.opens, row.subject_id, row.person_id, now)
    moved = {"link_id": new_id, "version": Feed.version + 1, "archived": 0}
    connection.execute(update(Feed).where(Feed.link_id == link_id).values(moved))
    return _folder(name)


def list_links(connection: Connection, *, live: bool = False, person_id: int | None = None) -> list[LinkLine]:
    """Return links, the oldest first: a person's or all, and of these all or only those that are `live`."""
    columns = (Link.id, Link.opens, Person.name.label("person"), Target.name.label("target"))
    statement = _with_subjects(
        select(
            *columns,
            GameList.name.label("list"),
            Show.name.label("show"),
            Playlist.name.label("playlist"),
            Link.made_at,
            Link.revoked_at,
        )
        .join(Person, Person.id == Link.person_id)
        .order_by(Link.id)
    )
    if live:
        statement = statement.where(_IS_LIVE)
    if person_id is not None:
        statement = statement.where(Link.person_id == person_id)
    rows = connection.execute(statement)
    return [LinkLine(**row) for row in rows.mappings()]


def link_in_place_of(connection: Connection, link_id: int) -> int:
    """Return the link that opens what this one does or did, as its person has it now."""
    before = select(Link).where(Link.id == link_id).subquery()
    same = (
        Link.person_id == before.c.person_id,
        Link.opens == before.c.opens,
        Link.subject_id.is_not_distinct_from(before.c.subject_id),
        Link.revoked_at.is_(None),
    )
    return connection.scalars(select(Link.id).join(before, and_(*same))).one()


def link_of(connection: Connection, opens: Opens, subject_id: int | None, person_id: int) -> int:
    """Return the link by which a person opens something; there has to be one."""
    same = (Link.person_id == person_id, Link.opens == opens, Link.subject_id.is_not_distinct_from(subject_id))
    return connection.scalars(select(Link.id).where(*same, Link.revoked_at.is_(None))).one()


def folder_of_link(connection: Connection, vault: Vault, link_id: int) -> str:
    """Return the folder of a link; raises `VaultError` where it was made with another key."""
    row = connection.execute(select(Link.seed, Link.digest).where(Link.id == link_id)).one()
    return _folder(_name(vault, row.seed, row.digest))


def find_link(connection: Connection, named: str) -> int:
    """Return the live link that a person names: by number, what it opens, or its target, list, show or playlist.

    Raises UsageError where it is none of them, or several.
    """
    links = list_links(connection, live=True)
    key = name_key(named)
    matching = (
        [link for link in links if named.isdecimal() and link.id == int(named)]
        or [link for link in links if link.opens == named.strip().lower()]
        or [link for link in links if key in {name_key(name) for name in _names_of(link)}]
    )
    if len(matching) == 1:
        return matching[0].id
    if matching:
        numbers = ", ".join(str(link.id) for link in matching)
        raise UsageError(f"{named} means several links: name one by its number, {numbers}")
    raise UsageError(f"There is no live link {named}: `lootwire feeds links` lists them.")


def find_list(connection: Connection, name: str, person_id: int = OWNER_ID) -> tuple[int, str]:
    """Return a person's list by its name or its slug, with its name; raises UsageError where there is none."""
    listed = select(GameList.id, GameList.name, GameList.slug).where(GameList.person_id == person_id)
    rows = connection.execute(listed.order_by(GameList.name)).all()
    matching = [row for row in rows if name in {row.name, row.slug}]
    matching = matching or [row for row in rows if name_key(row.name) == name_key(name)]
    if len(matching) == 1:
        return matching[0].id, matching[0].name
    known = ", ".join(row.name for row in rows)
    hint = f"there are: {known}" if known else "there are none yet, `lootwire games lists create` makes one"
    raise UsageError(f"There is no list {name}: {hint}")


def open_links(connection: Connection, open_vault: Callable[[], Vault] | None) -> OpenLinks:
    """Return where the files of live links lie; the vault is opened only where there are any."""
    rows = connection.execute(_live()).all()
    digests = frozenset(row.digest for row in rows)
    if not rows:
        return OpenLinks()
    if open_vault is None:
        return OpenLinks({}, digests)
    try:
        vault = open_vault()
        return OpenLinks({row.id: _folder(_name(vault, row.seed, row.digest)) for row in rows}, digests)
    except VaultError as error:
        return OpenLinks({}, digests, str(error))


def is_name_of(name: str, digests: Collection[bytes]) -> bool:
    """Return whether a name is that of one of these links."""
    return _digest(name) in digests


def _live() -> Select[*tuple[Any, ...]]:
    return _with_subjects(select(Link.id, Link.seed, Link.digest)).where(_IS_LIVE).order_by(Link.id)


def _with_subjects(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    statement = statement.outerjoin(Target, (Link.opens == "target") & (Target.id == Link.subject_id))
    statement = statement.outerjoin(GameList, (Link.opens == "list") & (GameList.id == Link.subject_id))
    for opens, table in (("show", Show), ("playlist", Playlist)):
        is_private = (table.id == Link.subject_id) & table.is_public.is_(False) & table.removed_at.is_(None)
        statement = statement.outerjoin(table, (Link.opens == opens) & is_private)
    return statement


def _names_of(link: LinkLine) -> list[str]:
    return [name for name in (link.target, link.list, link.show, link.playlist) if name]


def _make(
    connection: Connection, vault: Vault, opens: str, subject_id: int | None, person_id: int, now: datetime
) -> tuple[int, str]:
    seed = secrets.token_bytes(16)
    name = _names(vault, seed)[0]
    values = {
        "person_id": person_id,
        "opens": opens,
        "subject_id": subject_id,
        "seed": seed,
        "digest": _digest(name),
        "made_at": now,
    }
    return connection.execute(insert(Link).values(values).returning(Link.id)).scalar_one(), name


def _past(connection: Connection, opens: Opens, subject_id: int | None, person_id: int) -> list[int]:
    """Return the events that a new feed begins with."""
    if opens == "target":
        return list(connection.scalars(_HEARD, {"target_id": subject_id}))
    if opens == "health":
        return list(connection.scalars(_HEALTH))
    if opens == "news":
        return _news_so_far(connection, person_id)
    if opens in _FAMILIES:
        return _told_so_far(connection, opens, subject_id, person_id)
    channels = select(Follow.channel_id).where(Follow.person_id == person_id, Follow.kind == "channel")
    parameters = {
        "games": list(connection.scalars(followed_games(person_id))),
        "channels": list(connection.scalars(channels)),
        "not_shown": sorted(CHANNELS_ALONE),
    }
    sounds = select(Event.id).where(
        Event.person_id == person_id, Event.kind.like("sound.%"), Event.channel_id.in_(parameters["channels"])
    )
    return [*connection.scalars(_FOLLOWED, parameters), *connection.scalars(sounds)]


def _news_so_far(connection: Connection, person_id: int) -> list[int]:
    games = [row.id for row in connection.execute(relevant_games(person_id))]
    rows = connection.execute(_OF_GAMES, {"ids": games}) if games else ()
    return [row.id for row in rows if is_news(row.kind, silent=row.silent)]


def _told_so_far(connection: Connection, opens: Opens, subject_id: int | None, person_id: int) -> list[int]:
    of_family = select(Event.id).where(Event.person_id == person_id, Event.kind.like(f"{_FAMILIES[opens]}.%"))
    if opens == "list":
        named = select(GameList.name).where(GameList.id == subject_id).scalar_subquery()
        of_family = of_family.where(Event.detail["name"].astext == named)
    return list(connection.scalars(of_family))


def _names(vault: Vault, seed: bytes) -> list[str]:
    """Return the name by each key of the vault, the newest first."""
    return [base64.b32encode(made[:_NAME_BYTES]).decode().lower().rstrip("=") for made in vault.derive(_PURPOSE, seed)]


def _name(vault: Vault, seed: bytes, digest: bytes) -> str:
    """Return the name of a link; raises VaultError where it was made with another key."""
    for name in _names(vault, seed):
        if _digest(name) == digest:
            return name
    raise VaultError(
        f"The key in {vault.path} does not make the names of your links: put the key file back that they were made "
        "with, or give them new ones with `lootwire feeds rotate`."
    )


def _folder(name: str) -> str:
    return f"{PRIVATE}/{name}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
