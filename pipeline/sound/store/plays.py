"""Plays: that a person played a sound, when, and by which door."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from models import Play


def note_play(connection: Connection, sound_ids: Sequence[int], person_id: int, origin: str, now: datetime) -> None:
    """Note that a person played sounds, in this order; the server itself plays nothing.

    `origin` is the door that the play came by: `command`, or the name of another one.
    """
    if sound_ids:
        rows = [{"sound_id": id_, "person_id": person_id, "origin": origin, "at": now} for id_ in sound_ids]
        connection.execute(insert(Play), rows)
