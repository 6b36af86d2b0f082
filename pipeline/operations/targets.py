"""Targets: where a person's messages go."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from notifiers import mutes
from notifiers import targets as store

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class MuteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A mute that lasts: of one game, or of everything."""

    game: str | None
    until: Moment


class TargetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A target as it may be shown: its address is not in it."""

    id: int
    name: str
    label: str
    timezone: str
    created_at: Moment
    rests_until: Moment | None
    disabled_at: Moment | None
    waiting: int
    dead: int
    settings: Mapping[str, Any]
    origin: str | None
    role: str | None
    is_refused: bool
    mutes: list[MuteAnswer]


def list_targets(connection: Connection, person_id: int, now: datetime) -> list[TargetAnswer]:
    """Return a person's targets by name, each with what waits for it and what mutes it."""
    muted = mutes.list_mutes(connection, now, person_id=person_id)
    return [_answer(line, muted) for line in store.list_targets(connection, person_id=person_id)]


def show_target(connection: Connection, person_id: int, now: datetime, name: str) -> TargetAnswer:
    """Return one target of a person; raises `UnknownThing` where there is none of that name."""
    target_id = store.target_id_of(connection, name, person_id=person_id)
    return next(each for each in list_targets(connection, person_id, now) if each.id == target_id)


def pause_target(connection: Connection, person_id: int, now: datetime, name: str) -> TargetAnswer:
    """Send a target nothing until it is resumed; of what happens meanwhile it is never told."""
    store.pause_target(connection, name, now, person_id=person_id)
    return show_target(connection, person_id, now, name)


def _answer(line: store.TargetLine, muted: list[mutes.MuteLine]) -> TargetAnswer:
    of_target = [MuteAnswer(game=each.game, until=each.until) for each in muted if each.target == line.name]
    return TargetAnswer(**vars(line), mutes=of_target)
