"""Plays: that a person played a sound, when, and by which door."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from models import Play
from pipeline.people.store.ledger import price_of, reserve

ACTION = "play"


def note_play(connection: Connection, sound_ids: Sequence[int], person_id: int, origin: str, now: datetime) -> None:
    """Note that a person played sounds, in this order; the server itself plays nothing.

    `origin` is the door that the play came by: `command`, or the name of another one. Raises `QuotaError` where the
    person's plan does not pay for all of them.
    """
    if not sound_ids:
        return
    rows = [{"sound_id": id_, "person_id": person_id, "origin": origin, "at": now} for id_ in sound_ids]
    added = connection.scalars(insert(Play).returning(Play.id, sort_by_parameter_order=True), rows).all()
    if (price := price_of(connection, person_id, ACTION)) is None:
        return
    for play_id, sound_id in zip(added, sound_ids, strict=True):
        reserve(connection, person_id, ACTION, f"play:{play_id}", price, now, detail={"sound": sound_id})
