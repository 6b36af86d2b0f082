"""Begin to wish for games: in the turn of all who store, and with the source that asks for them due at once."""

from datetime import datetime

from sqlalchemy import Connection, update

from models import Source
from pipeline.turn import take_turn

WANTED = "igdb.wanted"


def begin_wish(connection: Connection, now: datetime) -> None:
    """Take the turn of all who store, and have wanted games asked for at once; belongs before all else."""
    take_turn(connection)
    connection.execute(update(Source).where(Source.name == WANTED).values(next_due_at=now))
