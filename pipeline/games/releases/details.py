"""Load the entries of IGDB that events show, and make the events of their release dates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from models import Game, GameMetadata, Platform, ReleaseDate, Source, WantedGame
from models.details import ReleaseDetail
from models.events import EventKind
from models.periods import Period, read_period
from models.pictures import box_art
from models.release_numbers import REGIONS
from pipeline.events.append import NewEvent
from pipeline.games.releases.compare import (
    Group,
    Place,
    days_between,
    is_delay,
    item_of,
    place_of,
    since_announced,
)
from pipeline.services.igdb.records import ReleaseRecord

SERVICE = "igdb"
SUMMARY_LENGTH = 600
_WITH_DESCRIPTION = frozenset({EventKind.RELEASE_ANNOUNCED, EventKind.RELEASE_OUT})
# IGDB's "PC (Microsoft Windows)".
PC = 6
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_WANTED = (
    select(
        GameMetadata.igdb_id,
        GameMetadata.game_id,
        GameMetadata.name,
        GameMetadata.url,
        GameMetadata.summary,
        GameMetadata.cover_id,
        Game.box_art_url,
        WantedGame.wanted_at,
        WantedGame.next_due_at,
        # That one is wanted for a library alone is its person's business.
        (WantedGame.reasons == ["library"]).label("is_private"),
    )
    .join(WantedGame, WantedGame.igdb_id == GameMetadata.igdb_id)
    .outerjoin(Game, Game.id == GameMetadata.game_id)
    .where(GameMetadata.igdb_id == func.any(_IDS))
)
_PLATFORMS = select(Platform.igdb_id, Platform.name, Platform.abbreviation)


class Entry(msgspec.Struct, frozen=True):
    """A wanted entry of IGDB as its events show it; its events are private where it is wanted for a library alone."""

    igdb_id: int
    game_id: int | None
    name: str
    url: str | None
    summary: str | None
    cover_id: str | None
    box_art_url: str | None
    wanted_at: datetime
    next_due_at: datetime
    is_private: bool = False

    @property
    def is_unasked(self) -> bool:
        """Whether IGDB was not yet asked for it since it is wanted: the stored entry may be long out of date."""
        return self.next_due_at <= self.wanted_at

    @property
    def subject(self) -> str:
        """Its name in the keys of its events."""
        return f"{SERVICE}/{self.igdb_id}"


def load_wanted(connection: Connection, igdb_ids: Collection[int]) -> dict[int, Entry]:
    """Return those of some entries that are wanted, by id: the others make no events."""
    if not igdb_ids:
        return {}
    return {row.igdb_id: Entry(**row._asdict()) for row in connection.execute(_WANTED, {"ids": sorted(igdb_ids)})}


def load_source(connection: Connection) -> int | None:
    """Return the source that events of release dates are filed under."""
    return connection.scalar(select(func.min(Source.id)).where(Source.service == SERVICE))


def load_platforms(connection: Connection, releases: Iterable[ReleaseRecord]) -> dict[int, str]:
    """Return the names of the platforms of releases, by IGDB's id."""
    ids = {release.platform_id for release in releases if release.platform_id is not None}
    rows = connection.execute(_PLATFORMS.where(Platform.igdb_id.in_(ids))) if ids else ()
    return {key: "PC" if key == PC else name or short or f"platform {key}" for key, name, short in rows}


def stored_release(row: ReleaseDate) -> ReleaseRecord:
    """Return a row of `release_dates` as a record."""
    return ReleaseRecord(*[getattr(row, name) for name in ReleaseRecord.__struct_fields__])


def release_event(
    entry: Entry,
    group: Group,
    releases: Sequence[ReleaseRecord],
    names: dict[int, str],
    at: datetime,
    *,
    damped: bool = True,
    reason: str | None = None,
) -> NewEvent:
    """Return the event of what happened to some release dates of an entry at once."""
    places = sorted({place_of(release) for release in releases}, key=_order)
    when = None if group.new is None else str(group.new)
    when_before = None if group.old is None else str(group.old)
    shown = (
        _shown(entry) if group.kind in _WITH_DESCRIPTION else msgspec.structs.replace(_shown(entry), description=None)
    )
    detail = msgspec.structs.replace(
        shown,
        platforms=tuple(dict.fromkeys(place for each in places if (place := _place(each, names)))),
        when=when,
        when_before=when_before,
        days=_days(group),
        is_delay=_moved(group) and is_delay(group.old or Period(), group.new or Period()),
        stage=group.stage,
        reason=reason,
    )
    event = NewEvent(
        kind=group.kind,
        subject=entry.subject,
        occurred_at=at,
        detail=detail,
        identity=[places, group.stage, when_before, when],
        damped=damped,
        on_day=group.kind == EventKind.RELEASE_OUT,
        service=SERVICE,
        game_id=entry.game_id,
        is_private=entry.is_private,
    )
    if not damped:
        return event
    items = {item_of(release): when_before for release in releases}
    since = partial(_since, entry, group, releases, names, at, reason)
    return msgspec.structs.replace(event, items=items, since=since)


def _since(
    entry: Entry,
    group: Group,
    releases: Sequence[ReleaseRecord],
    names: dict[int, str],
    at: datetime,
    reason: str | None,
    announced: Mapping[str, str | None],
) -> list[NewEvent]:
    """Return the events of a change that begins at what was announced last."""
    before = {item_of(release): group.old for release in releases}
    before |= {item: read_period(when) for item, when in announced.items()}
    return later_events(
        entry, [(release, before[item_of(release)], group.new) for release in releases], names, at, reason
    )


def later_events(
    entry: Entry,
    differences: Iterable[tuple[ReleaseRecord, Period | None, Period | None]],
    names: dict[int, str],
    at: datetime,
    reason: str | None = None,
) -> list[NewEvent]:
    """Return the events of release dates, each with what was announced of it last and what is so now."""
    groups: dict[Group, list[ReleaseRecord]] = {}
    for release, announced, now in differences:
        group = since_announced(release, announced, now)
        if group is not None:
            groups.setdefault(group, []).append(release)
    return [release_event(entry, group, some, names, at, reason=reason) for group, some in groups.items()]


def game_event(entry: Entry, at: datetime) -> NewEvent:
    """Return the event of a wanted entry that is now known here."""
    return NewEvent(
        kind=EventKind.GAME_ADDED,
        subject=entry.subject,
        occurred_at=at,
        detail=_shown(entry),
        service=SERVICE,
        game_id=entry.game_id,
        is_private=entry.is_private,
    )


def _shown(entry: Entry) -> ReleaseDetail:
    return ReleaseDetail(
        game=entry.name,
        url=entry.url,
        box_art_url=box_art(entry.box_art_url, entry.cover_id),
        description=(entry.summary or "")[:SUMMARY_LENGTH] or None,
    )


def _moved(group: Group) -> bool:
    return group.kind == EventKind.RELEASE_MOVED


def _days(group: Group) -> int | None:
    if not _moved(group) or group.old is None or group.new is None:
        return None
    return days_between(group.old, group.new)


def _order(place: Place) -> tuple[int, int]:
    return place[0] or 0, place[1] or 0


def _place(place: Place, names: dict[int, str]) -> str | None:
    """Return a platform with its region: "PC", "PlayStation 5 (Japan)", "Japan" where no platform is known."""
    platform = None if place[0] is None else names.get(place[0], f"platform {place[0]}")
    region = None if place[1] is None else REGIONS.get(place[1])
    if platform is None or region is None:
        return platform or region
    return f"{platform} ({region})"
