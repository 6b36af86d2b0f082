"""What a process spends and gives back until its work is done; what the one before was at when it died it repeats."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.database.connecting import connect
from pipeline.people.store.ledger import grant, refund, reserve, settle
from pipeline.people.store.plans import QuotaError
from pipeline.runtime.runtime import utc_now

ACTION = "extraction"
GRANT_EACH = 10
# Less than work costs in all: sometimes nobody can pay.
GRANTED = 45


@dataclass(frozen=True)
class Work:
    """Something that costs credits: so many are reserved, and in the end it cost `cost`, or failed (None)."""

    client: int
    number: int
    person: int
    reserved: int
    cost: int | None
    is_repeated: bool

    @property
    def reference(self) -> str:
        return f"work:{self.client}:{self.number}"


def work_of(seed: int, client: int, number: int, people: int) -> Work:
    """Return a piece of work, the same for the same numbers."""
    dice = random.Random(f"{seed} {client} {number}")  # noqa: S311 - the same run for the same seed
    reserved = dice.randint(1, 30)
    # A tenth of it costs more than was thought.
    cost = None if dice.random() < 0.4 else dice.randint(0, reserved + 3)
    return Work(client, number, dice.randrange(people), reserved, cost, dice.random() < 0.2)


def spend(url: str, people: Sequence[int], client: int, works: int, seed: int, progress: Path) -> None:
    """Do so many works of a client, from where the last process of its was; `progress` is where it notes that."""
    engine = connect(url)
    begun = int(progress.read_text()) if progress.exists() else 0
    for number in range(begun, works):
        _note(progress, number)
        work = work_of(seed, client, number, len(people))
        person_id = people[work.person]
        if number % GRANT_EACH == 0:
            with engine.begin() as connection:
                grant(connection, person_id, GRANTED, work.reference, utc_now())
        try:
            for _ in range(1 + work.is_repeated):
                with engine.begin() as connection:
                    reserve(connection, person_id, ACTION, work.reference, work.reserved, utc_now())
        except QuotaError:
            continue
        for _ in range(1 + work.is_repeated):
            with engine.begin() as connection:
                if work.cost is None:
                    refund(connection, ACTION, work.reference, utc_now())
                else:
                    settle(connection, ACTION, work.reference, work.cost, utc_now())
    _note(progress, works)
    engine.dispose()


def _note(progress: Path, number: int) -> None:
    # Whole or not at all: a kill may fall between.
    new = progress.with_suffix(".new")
    new.write_text(str(number))
    new.replace(progress)
