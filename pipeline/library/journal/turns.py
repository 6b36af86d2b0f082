"""The turn that a person's write takes, and what follows from it: what the works are to them, what is wanted."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from pipeline.games.store.wanted import begin_wanting
from pipeline.ingest.turn import take_turn
from pipeline.library.store.person_works import renew, renew_wanted


def begin_writing(connection: Connection) -> None:
    """Wait until nobody else writes games, events or libraries; call it before anything else in the transaction."""
    take_turn(connection)


def end_writing(connection: Connection, person_id: int, work_ids: Collection[int], now: datetime) -> None:
    """Make fit what works are to a person and which games are wanted; IGDB is asked for newly wanted ones at once."""
    renew(connection, person_id, work_ids, now)
    if renew_wanted(connection, now):
        begin_wanting(connection, now)
