"""Shows: podcasts that make themselves of a channel's videos, or of a playlist's or channel's address."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import Connection, and_, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Channel, Episode, Show
from models.due import due
from models.errors import UnknownThing, UsageError
from models.people import OWNER_ID
from pipeline.sound.records import Keep
from pipeline.sound.store.hosts import host_of

VideoKind = Literal["archive", "highlight", "upload", "clip"]
VIDEO_KINDS: Sequence[VideoKind] = get_args(VideoKind)
# How often the list of an address, or a channel's clips, are asked for.
LIST_EVERY = timedelta(hours=1)
LONGEST_LIST_WAIT = timedelta(days=2)
_KEEP = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>d|[mgt]b)?", re.IGNORECASE)
_MEGABYTES = {"mb": 1, "gb": 1_000, "tb": 1_000_000}


class ShowOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a show takes and how it is published; `models.sounds.Show` says what each is."""

    kinds: tuple[VideoKind, ...] = ("archive",)
    title_has: str | None = None
    longer_than: int | None = None
    game_id: int | None = None
    keep: Keep = Keep()
    profile: str = "podcast"
    is_public: bool = False
    is_explicit: bool = False
    title: str | None = None
    description: str | None = None
    author: str | None = None
    language: str | None = None
    category: str = "Leisure"


class ShowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A show as it is stored."""

    id: int
    public_id: str
    person_id: int
    name: str
    title: str
    description: str | None
    author: str | None
    language: str | None
    channel_id: int | None
    url: str | None
    kinds: list[str]
    title_has: str | None
    longer_than: int | None
    game_id: int | None
    keep_count: int | None
    keep_days: int | None
    keep_mb: int | None
    profile: str
    is_public: bool
    is_explicit: bool
    category: str
    artwork: str | None
    since: datetime
    added_at: datetime
    next_due_at: datetime | None
    problem: str | None


def read_keep(text: str) -> Keep:
    """Return what a person wrote of how much to keep: `20` episodes, `30d` days, `5GB` (or MB, TB).

    Several stand beside each other with commas: `20,30d`. Raises `UsageError`.
    """
    keep = Keep()
    for part in text.replace(" ", "").split(","):
        match = _KEEP.fullmatch(part)
        number = int(match["number"]) if match else 0
        if match is None or number < 1:
            raise UsageError(f"{part!r} is no amount to keep: write 20 (episodes), 30d (days) or 5GB")
        unit = (match["unit"] or "").lower()
        if not unit:
            keep = msgspec.structs.replace(keep, count=number)
        elif unit == "d":
            keep = msgspec.structs.replace(keep, days=number)
        else:
            keep = msgspec.structs.replace(keep, mb=number * _MEGABYTES[unit])
    return keep


def add_show(
    connection: Connection,
    name: str,
    *,
    now: datetime,
    channel_id: int | None = None,
    url: str | None = None,
    options: ShowOptions = ShowOptions(),  # noqa: B008 - it is frozen
    since: datetime | None = None,
    person_id: int = OWNER_ID,
) -> ShowRow:
    """Add a show of a channel, or of an address; one that was removed is there again, with its guid and episodes.

    Videos published before `since`, now by default, are left alone. Raises `UsageError` where the name is taken, a kind
    is none, the address is none, or neither a channel nor an address is given.
    """
    if (channel_id is None) == (url is None):
        raise UsageError("a show is of a channel, or of an address")
    if unknown := sorted({*options.kinds} - {*VIDEO_KINDS}):
        raise UsageError(f"{unknown[0]!r} is no kind of video; there are {', '.join(VIDEO_KINDS)}")
    shown, key = name_of(name)
    if url is not None:
        host_of(url)
    row = _columns(options) | {
        "person_id": person_id,
        "name": shown,
        "name_key": key,
        "title": options.title or shown,
        "channel_id": channel_id,
        "url": url,
        "since": since or now,
        "next_due_at": now if url is not None or "clip" in options.kinds else None,
        "removed_at": None,
        "problem": None,
    }
    known = connection.execute(
        select(Show.id, Show.removed_at).where(Show.person_id == person_id, Show.name_key == key).with_for_update()
    ).one_or_none()
    if known is not None and known.removed_at is None:
        raise UsageError(f"there is a show {shown!r} already: `lootwire shows` lists them")
    if known is not None:
        connection.execute(update(Show).where(Show.id == known.id).values(row))
        return load_show(connection, known.id)
    statement = insert(Show).values(row | {"public_id": str(uuid.uuid4()), "added_at": now})
    show_id = connection.scalar(statement.on_conflict_do_nothing().returning(Show.id))
    if show_id is None:
        raise UsageError(f"there is a show {shown!r} already: `lootwire shows` lists them")
    return load_show(connection, show_id)


def name_of(name: str) -> tuple[str, str]:
    """Return a name as it is shown, and as it is told from others; raises `UsageError` where it is empty."""
    shown = " ".join(name.split())
    if not shown or not shown.isprintable():
        raise UsageError("a show has a name, of letters that can be printed")
    return shown, shown.casefold()


def _columns(options: ShowOptions) -> dict[str, Any]:
    same = ("title_has", "longer_than", "game_id", "profile", "is_public", "is_explicit", "description", "author")
    return {name: getattr(options, name) for name in (*same, "language", "category")} | {
        "kinds": list(options.kinds),
        "keep_count": options.keep.count,
        "keep_days": options.keep.days,
        "keep_mb": options.keep.mb,
    }


def change_show(connection: Connection, show_id: int, **values: Any) -> None:
    """Write columns of a show."""
    connection.execute(update(Show).where(Show.id == show_id).values(values))


def remove_show(connection: Connection, show_id: int, now: datetime) -> None:
    """Take a show away; what it has stays until `lootwire sounds remove`, and its guid stays taken."""
    connection.execute(update(Show).where(Show.id == show_id).values(removed_at=now))


def load_show(connection: Connection, show_id: int) -> ShowRow:
    """Return a show; raises `UnknownThing` where there is none, or it was removed."""
    row = connection.execute(_rows().where(Show.id == show_id)).mappings().one_or_none()
    if row is None:
        raise UnknownThing(f"there is no show {show_id}: `lootwire shows` lists them")
    return ShowRow(**row)


def find_show(connection: Connection, name: str, *, person_id: int = OWNER_ID) -> ShowRow:
    """Return a person's show by its name, whatever the case of its letters; raises `UnknownThing` without one."""
    _, key = name_of(name)
    query = _rows().where(Show.person_id == person_id, Show.name_key == key)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownThing(f"there is no show {name!r}: `lootwire shows` lists them")
    return ShowRow(**row)


def list_shows(connection: Connection, *, person_id: int | None = None) -> Sequence[ShowRow]:
    """Return shows by name: all of them, or a person's."""
    query = _rows().order_by(Show.name_key, Show.id)
    if person_id is not None:
        query = query.where(Show.person_id == person_id)
    return [ShowRow(**row) for row in connection.execute(query).mappings()]


def is_any_list_due(connection: Connection, now: datetime) -> bool:
    """Return whether a show's address, or a channel's clips, are to be listed now."""
    return bool(connection.scalar(select(_due(now).exists())))


def due_lists(connection: Connection, now: datetime) -> Sequence[int]:
    """Return the shows whose address, or whose channel's clips, are to be listed now, the longest due first."""
    return connection.scalars(_due(now).order_by(Show.next_due_at, Show.id)).all()


def claim_list(connection: Connection, show_id: int, now: datetime) -> ShowRow | None:
    """Take a show whose list is due, which is due again an hour later whatever becomes of this; None where it is not.

    The time moves before the service is asked: two processes do not ask at once, and one that dies asks no more often.
    """
    claimed = connection.scalar(
        update(Show)
        .where(Show.id.in_(_due(now).where(Show.id == show_id)))
        .values(next_due_at=now + LIST_EVERY)
        .returning(Show.id)
    )
    return None if claimed is None else load_show(connection, claimed)


def _due(now: datetime) -> Any:
    return select(Show.id).where(Show.removed_at.is_(None), due(Show.next_due_at, now, LONGEST_LIST_WAIT))


def _rows() -> Any:
    columns = [getattr(Show, name) for name in ShowRow.__struct_fields__]
    return select(*columns).where(Show.removed_at.is_(None))


def channel_of(connection: Connection, show: ShowRow) -> tuple[str, str | None] | None:
    """Return the login and the name of a show's channel; None without one."""
    if show.channel_id is None:
        return None
    row = connection.execute(select(Channel.login, Channel.display_name).where(Channel.id == show.channel_id)).one()
    return row.login, row.display_name


def shows_of(connection: Connection, sound_ids: Sequence[int]) -> Sequence[int]:
    """Return the shows that have any of these sounds as an episode."""
    is_kept = and_(Episode.sound_id.in_(sound_ids), Episode.kept_out_at.is_(None))
    return sorted(set(connection.scalars(select(Episode.show_id).where(is_kept))))
