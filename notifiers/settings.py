"""Changes when and how a target wants to be told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from models import Target
from models.people import OWNER_ID
from notifiers import held
from notifiers.errors import TargetError
from notifiers.targets import target_id_of
from notifiers.timing.quiet import ALWAYS_QUIET, is_always_quiet
from notifiers.timing.settings import TargetSettings, settings_from_json, settings_to_json


def load_settings(connection: Connection, target_id: int) -> TargetSettings:
    """Return the settings of a target."""
    return settings_from_json(connection.execute(select(Target.settings).where(Target.id == target_id)).scalar_one())


def change_settings(
    connection: Connection, target: str, changes: Mapping[str, Any], now: datetime, *, person_id: int = OWNER_ID
) -> TargetSettings:
    """Change some of a target's settings; returns all of them as they are then.

    What is held is looked at again at once. Raises TargetError for an unknown target, and for quiet hours that would
    never end.
    """
    target_id = target_id_of(connection, target, person_id=person_id)
    settings = msgspec.structs.replace(load_settings(connection, target_id), **changes)
    if "quiet" in changes and is_always_quiet(settings.quiet):
        raise TargetError(ALWAYS_QUIET)
    connection.execute(update(Target).where(Target.id == target_id).values(settings=settings_to_json(settings)))
    held.let_go(connection, target_id, now)
    return settings
