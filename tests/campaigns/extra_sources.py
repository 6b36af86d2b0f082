"""Made-up sources beside those that the program has, in a process of a host: fetched as soon as they are due.

python -m tests.campaigns.extra_sources DATABASE_URL ADDRESS COUNT SEED

What keeps two hosts from asking one source at a time is the program's own claim; only the ticks are ours.
"""

import random
import sys
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from pipeline.database.connecting import connect
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import due, fetch_source, register
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.supervisor import watch_parent
from tests.campaigns.world import MADE_UP

SERVICE = "made"
# A tick's period, shorter than the program's as all is here.
TICK = 0.2


class MadeSource:
    """A source that lists nothing, and is asked each so many seconds."""

    service = SERVICE

    def __init__(self, number: int, address: str) -> None:
        """Give it its name and its pace, between one second and five."""
        self.name = self.asks = f"{SERVICE}.{number}"
        self._url = f"{address}{MADE_UP}{number}"
        self._pace = timedelta(seconds=1 + number % 5)

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002 - it remembers nothing
        """Ask for it."""
        return Answer(payload=client.get(self._url).body, refresh_after=self._pace)

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:  # noqa: ARG002
        """Store nothing."""
        return Ingested(outcome="ok")


def main() -> None:
    """Fetch what is due, for ever."""
    watch_parent()
    database_url, address, count, seed = sys.argv[1:]
    engine = connect(database_url)
    made = {source.name: source for number in range(int(count)) for source in [MadeSource(number, address)]}
    dice = random.Random(int(seed))  # noqa: S311 - not a secret
    with engine.begin() as connection:
        register(connection, list(made.values()), utc_now())
    while True:
        with engine.connect() as connection:
            names: list[Any] = [name for name in due(connection, utc_now()) if name in made]
        # Both hosts go through them in their own order, and so come to the same one at the same time now and then.
        dice.shuffle(names)
        for name in names:
            fetch_source(engine, made[name], utc_now)
        time.sleep(TICK)


if __name__ == "__main__":
    main()
