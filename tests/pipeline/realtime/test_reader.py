"""A reader of the log has each event that commits once, in an order that does not change."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, insert, text

from models import Event
from pipeline.realtime.cursor import Cursor, ForeignCursor
from pipeline.realtime.epoch import begin_epoch, epoch_of
from pipeline.realtime.reader import beginning, held_back_for, newest, read_after
from tests.waiting import wait_for

T0 = datetime(2026, 11, 1, tzinfo=UTC)
WRITERS, EACH = 8, 40


def append(connection: Connection, *keys: str) -> list[int]:
    rows = [
        {
            "kind": "campaign.added",
            "event_key": key,
            "occurred_at": T0,
            "recorded_at": T0,
            "title": key,
            "silent": True,
            "detail": {},
        }
        for key in keys
    ]
    return list(connection.scalars(insert(Event).returning(Event.id), rows))


def read_all(engine: Engine, cursor: Cursor, *, limit: int = 7) -> tuple[list[int], Cursor]:
    had: list[int] = []
    while True:
        with engine.begin() as connection:
            positions = read_after(connection, cursor, limit)
        if not positions:
            return had, cursor
        had += [position.id for position in positions]
        cursor = positions[-1].cursor


def test_an_event_that_commits_late_is_read_in_its_turn(engine: Engine) -> None:
    with engine.begin() as connection:
        start = beginning(connection)
    with engine.connect() as late, late.begin():
        (first,) = append(late, "late")
        with engine.begin() as connection:
            (second,) = append(connection, "early")
        # Whoever would read it now could never read the other.
        assert read_all(engine, start) == ([], start)
    assert first < second
    assert read_all(engine, start)[0] == [first, second]


def test_readers_have_each_committed_event_once_whatever_order_writers_commit_in(engine: Engine) -> None:
    with engine.begin() as connection:
        cursor = beginning(connection)
    committed: list[int] = []

    def write(number: int) -> None:
        dice = random.Random(number)  # noqa: S311 - not a secret
        for turn in range(EACH):
            with engine.connect() as connection, connection.begin() as transaction:
                ids = append(connection, *(f"{number}/{turn}/{part}" for part in range(dice.randint(1, 3))))
                connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": dice.random() / 100})
                if dice.random() < 0.2:
                    transaction.rollback()
                else:
                    transaction.commit()
                    committed.extend(ids)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    had: list[int] = []
    while any(writer.is_alive() for writer in writers):
        new, cursor = read_all(engine, cursor)
        had += new
    had += read_all(engine, cursor)[0]

    assert sorted(had) == sorted(committed)
    assert len(set(had)) == len(had)


def test_whoever_begins_at_the_newest_has_what_comes_after(engine: Engine) -> None:
    with engine.begin() as connection:
        append(connection, "before")
    with engine.begin() as connection:
        cursor = newest(connection)
    with engine.begin() as connection:
        after = append(connection, "after")

    assert read_all(engine, cursor)[0] == after


@pytest.mark.parametrize("happened", ["restored", "moved"])
def test_cursors_end_where_transactions_are_counted_anew(engine: Engine, happened: str) -> None:
    with engine.begin() as connection:
        ids = append(connection, "a", "b")
        cursor = beginning(connection)
    statements: dict[str, str] = {
        "restored": "UPDATE events SET xact = '9000000000'",
        "moved": "UPDATE realtime_state SET cluster = 'another'",
    }
    with engine.begin() as connection:
        connection.execute(text(statements[happened]))

    with engine.begin() as connection, pytest.raises(ForeignCursor, match="restored or moved"):
        read_after(connection, cursor)
    with engine.begin() as connection:
        assert read_after(connection, beginning(connection))[-1].id == ids[-1]
        assert epoch_of(connection) != cursor.epoch


def test_an_epoch_that_is_begun_by_several_at_once_is_the_same_for_all(engine: Engine) -> None:
    epochs: list[str] = []

    def look() -> None:
        with engine.begin() as connection:
            epochs.append(epoch_of(connection))

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(epochs) == 6
    assert len(set(epochs)) == 1


def test_a_transaction_that_stays_open_is_seen(engine: Engine) -> None:
    with engine.connect() as idle:
        assert held_back_for(idle).total_seconds() == 0
    with engine.connect() as writing, writing.begin():
        append(writing, "open")
        with engine.connect() as connection:
            look: Callable[[], bool] = lambda: held_back_for(connection).total_seconds() > 0  # noqa: E731
            wait_for(look)


def test_a_new_epoch_keeps_the_order_of_what_is_there(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = append(connection, *"abcde")
        begin_epoch(connection)
        cursor = beginning(connection)

    assert read_all(engine, cursor, limit=2)[0] == ids
