"""Begin to wish for games: take the turn to store, and make the source that asks for them due at once."""

from datetime import datetime

from sqlalchemy import Connection, update

from models import Source
from pipeline.ingest.turn import take_turn

WANTED = "igdb.wanted"


def begin_wish(connection: Connection, now: datetime) -> None:
    """Take the turn to store, and make `igdb.wanted` due at once; call it before anything else in the transaction."""
    take_turn(connection)
    connection.execute(update(Source).where(Source.name == WANTED).values(next_due_at=now))
