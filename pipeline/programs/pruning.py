"""Delete rows that no longer explain anything."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete

from models import EventSubMessage, FetchRun
from pipeline.people.store.repeats import prune_answers

KEEP_FETCH_RUNS = timedelta(days=30)
# Twitch repeats a message within minutes or not at all; the operator may look into it for some days more.
KEEP_MESSAGES = timedelta(days=3)


def prune(engine: Engine, now: datetime) -> int:
    """Delete fetch runs older than 30 days, messages of Twitch handled three days ago, and a day's repeatable answers.

    What was seen of the world is never deleted. Returns how many rows are gone.
    """
    runs = delete(FetchRun).where(FetchRun.started_at < now - KEEP_FETCH_RUNS)
    messages = delete(EventSubMessage).where(EventSubMessage.handled_at < now - KEEP_MESSAGES)
    with engine.begin() as connection:
        gone = connection.execute(runs).rowcount + connection.execute(messages).rowcount
        return gone + prune_answers(connection, now)
