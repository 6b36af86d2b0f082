"""What a person has or wants no more of, of which nothing reminds: campaigns, games, benefits."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from notifiers import settled
from notifiers.settled import ProgressLine, SettledLine, State, What
from pipeline.drops.listing.naming import find_named


class SettleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that is claimed or ignored, for all targets where none is named; `new` says whether it was not before.

    `name` is a line that is not too long.
    """

    what: What
    id: int
    name: str
    state: State
    target: str | None
    new: bool


class WantAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that is reminded of again, if it was claimed or ignored."""

    what: What
    id: int
    name: str
    was_settled: bool


def list_settled(connection: Connection, person_id: int) -> list[SettledLine]:
    """Return what a person has claimed or ignores, the newest last."""
    return settled.list_settled(connection, person_id=person_id)


def list_progress(connection: Connection, person_id: int) -> list[ProgressLine]:
    """Return the drops that a person has begun or claimed, as the service says, those looked at last first."""
    return settled.list_progress(connection, person_id=person_id)


def settle(
    connection: Connection, person_id: int, now: datetime, name: str, state: State, *, target: str | None = None
) -> SettleAnswer:
    """Say that a person has a thing or wants no more of it: nothing reminds of it, at one target or at all.

    It is named, or written as `campaign:12`, `game:3` or `benefit:7`. Raises `UnknownThing` where there is none, or the
    person has no such target, and `UsageError` where it may be several things.
    """
    thing = find_named(connection, name, person_id=person_id)
    new = settled.settle(connection, thing.what, thing.id, state, now, target=target, person_id=person_id)
    return SettleAnswer(what=thing.what, id=thing.id, name=thing.shown, state=state, target=target, new=new)


def want(connection: Connection, person_id: int, name: str, *, target: str | None = None) -> WantAnswer:
    """Be reminded again of what was claimed or ignored, at one target or at all; raises as `settle` does."""
    thing = find_named(connection, name, person_id=person_id)
    was = settled.unsettle(connection, thing.what, thing.id, target=target, person_id=person_id)
    return WantAnswer(what=thing.what, id=thing.id, name=thing.shown, was_settled=was)
