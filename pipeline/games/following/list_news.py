"""Tell what happened to lists: all that somebody did to one within ten minutes is one event."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from models import GameList, GameListEntry, ListActivity
from models.details import LibraryDetail, LibraryLine
from models.events import EventKind
from pipeline.events.append import NewEvent, append_events
from pipeline.games.following.changes import EntryChange, Net, net_changes

# From the first change on that was not told: more than people need to put a list in order, and no day later.
GROUPED_FOR = timedelta(minutes=10)


def tell_changes(connection: Connection, now: datetime) -> Counter[str]:
    """Append one event for each list whose first untold change is ten minutes old; returns the events by kind.

    Belongs after the turn to store was taken. Running it again tells nothing twice.
    """
    untold = select(ListActivity.list_id).where(ListActivity.told_at.is_(None)).group_by(ListActivity.list_id)
    due = connection.scalars(untold.having(func.min(ListActivity.at) <= now - GROUPED_FOR)).all()
    return _tell(connection, due, now)


def tell_at_once(connection: Connection, list_id: int, now: datetime) -> Counter[str]:
    """Append the event of what a person did to a list, before a file replaces all of it."""
    return _tell(connection, [list_id], now)


def _tell(connection: Connection, list_ids: Collection[int], now: datetime) -> Counter[str]:
    if not list_ids:
        return Counter()
    ids = sorted(list_ids)
    # Whoever changes a list holds its row: what is read below belongs together.
    lists = connection.execute(
        select(GameList.id, GameList.person_id, GameList.name, GameList.slug)
        .where(GameList.id.in_(ids))
        .order_by(GameList.id)
        .with_for_update()
    ).all()
    activities: defaultdict[int, list[Any]] = defaultdict(list)
    untold = select(ListActivity).where(ListActivity.list_id.in_(ids), ListActivity.told_at.is_(None))
    for activity in connection.execute(untold.order_by(ListActivity.id)):
        activities[activity.list_id].append(activity)
    orders: defaultdict[int, list[int]] = defaultdict(list)
    lines = select(GameListEntry.list_id, GameListEntry.id).where(GameListEntry.list_id.in_(ids))
    for list_id, entry in connection.execute(lines.order_by(GameListEntry.position)):
        orders[list_id].append(entry)
    events = [event for row in lists if (event := _event(row, activities[row.id], orders[row.id])) is not None]
    settled = [activity.id for some in activities.values() for activity in some]
    connection.execute(update(ListActivity).where(ListActivity.id.in_(settled)).values(told_at=now))
    return append_events(connection, events, source_id=None, silent=False, now=now) if events else Counter()


def _event(row: Any, activities: list[Any], order: list[int]) -> NewEvent | None:
    """Return the event of a list's activities; None where nothing is left of them."""
    net = net_changes(order, [msgspec.convert(activity.changes, list[EntryChange]) for activity in activities])
    if not net:
        return None
    first, last = activities[0], activities[-1]
    return NewEvent(
        kind=EventKind.LIST_CHANGED,
        subject=f"{row.person_id}/{row.slug}",
        identity=[first.id, first.at],
        occurred_at=last.at,
        person_id=row.person_id,
        detail=_detail(row.name, net),
    )


def _detail(name: str, net: Net) -> LibraryDetail:
    return LibraryDetail(
        name=name,
        total=len(net.added) + len(net.removed) + len(net.moved),
        added=_lines(net.added),
        removed=_lines(net.removed),
        moved=_lines(net.moved),
    )


def _lines(changes: Iterable[EntryChange]) -> tuple[LibraryLine, ...]:
    return tuple(
        LibraryLine(name=change.name or "", note=change.note, place=change.place, place_before=change.place_before)
        for change in changes
    )
