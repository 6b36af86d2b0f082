"""Keep what works are to people up to date where no write of theirs does: as time passes, and as games change works."""

from datetime import datetime

from sqlalchemy import Engine, exists, select

from models import PersonWork
from pipeline.games.store.wanted import begin_wanting
from pipeline.ingest.turn import take_turn
from pipeline.library.store.person_works import renew_due, renew_wanted


def advance(engine: Engine, now: datetime) -> int:
    """Renew what works are to people where time alone has changed it, or a game belongs to another work now.

    Whatever moves a game makes the rows of both works due (`pipeline.games.store.moving`). Returns how many rows that
    were. Safe to call twice, and late; where nothing is due nobody waits for a turn.
    """
    with engine.connect() as connection:
        if not connection.scalar(select(exists(select(PersonWork.work_id).where(PersonWork.changes_at <= now)))):
            return 0
    with engine.begin() as connection:
        take_turn(connection)
        count = renew_due(connection, now)
        if renew_wanted(connection, now):
            begin_wanting(connection, now)
        return count
