"""Fetching a source that is due: one worker at a time, failures reported once, the next time always known."""

import gc
import signal
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, literal_column, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from models import Event, FetchRun, Heartbeat, Sighting
from models.locks import LockKey
from pipeline.database.lease import LeaseLost
from pipeline.drops.sources.kick import KickDrops
from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import (
    LEASE,
    MOST_BYTES,
    SLOW_AFTER,
    Fetched,
    count_leased,
    due,
    fetch_source,
    register,
    slow_locks,
    source_lock,
)
from pipeline.ingest.service_time import AGREED, present
from pipeline.ingest.snapshots import PART
from pipeline.ingest.source import Answer as SourceAnswer
from pipeline.ingest.source import ListSource, Snapshot, Validators
from tests.pipeline.builders import campaign, campaigns, drops, version_2
from tests.pipeline.fetch.local_service import Answer, LocalService
from tests.pipeline.world import MINUTE, Ingesting
from tests.waiting import wait_for

NINE = campaigns(*"abcdefghi")
HOUR_AGO = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Poll:
    """A source that a test can fetch at any time."""

    world: Ingesting
    service: LocalService
    source: ListSource

    def answers(self, *answers: Answer | bytes) -> None:
        self.service.answers("/v2/drops", *answers)

    def fetch(self) -> Fetched:
        """Fetch now, even if the source is not due."""
        self.make_due()
        fetched = fetch_source(self.world.engine, self.source, now)
        assert fetched is not None
        return fetched

    def make_due(self) -> None:
        self.world.set_source(next_due_at=now() - timedelta(seconds=1))

    def wait(self) -> timedelta:
        """Return the time from now until the source is due."""
        at: datetime = self.world.source().next_due_at
        return at - now()


@pytest.fixture
def poll(world: Ingesting, service: LocalService) -> Poll:
    return Poll(world, service, TwitchDrops(service.url))


def answer(*listed: Any, refresh: int = 60, **fields: Any) -> Answer:
    return Answer(version_2(drops(*listed), now(), refresh), **fields)


def failing(retry_after: int = 6) -> Answer:
    """Return a failure that the client does not try again, so that the test need not wait."""
    return Answer(status=429, headers={"Retry-After": str(retry_after)})


def test_the_first_live_fetch_is_silent_and_the_second_is_not(poll: Poll) -> None:
    poll.answers(answer(campaign("a")), answer(campaign("a"), campaign("b")))

    first, second = poll.fetch(), poll.fetch()

    assert (first.outcome, first.items, first.changed, first.events) == ("ok", 1, 1, {"campaign.added": 1})
    assert (second.items, second.changed, second.events) == (2, 1, {"campaign.added": 1})
    assert [row.silent for row in poll.world.rows(Event)] == [True, False]
    runs = poll.world.rows(FetchRun)
    assert [(run.outcome, run.items, run.events) for run in runs] == [("ok", 1, 1), ("ok", 2, 1)]
    assert all(run.size > 100 and run.snapshot_at and run.error is None for run in runs)


@pytest.mark.parametrize("body", [b" " * (34 * 2**20), b"[" + b"1," * 2**20 + b"1", b'"' + b"\xff" * (20 * 2**20)])
def test_nothing_of_an_answer_that_cannot_be_read_stays_in_memory(poll: Poll, body: bytes) -> None:
    poll.answers(failing(), Answer(body))
    poll.fetch()
    # Garbage of its own would be found some day.
    gc.disable()
    tracemalloc.start()
    try:
        assert poll.fetch().outcome == "failed"
        left, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert most > 2**20
    assert left < 2**20


def test_a_service_that_has_our_time_is_written_down_and_one_that_has_another_is_not(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.make_due()
    tomorrow = now() + timedelta(days=1)
    fetch_source(poll.world.engine, poll.source, lambda: tomorrow)
    assert AGREED not in {row.name for row in poll.world.rows(Heartbeat)}
    with poll.world.engine.connect() as connection:
        assert abs(present(connection, poll.source.asks, tomorrow) - now()) < MINUTE
        assert present(connection, "kick", tomorrow) == tomorrow
    before = now()
    poll.fetch()
    assert [row.at >= before for row in poll.world.rows(Heartbeat) if row.name == AGREED] == [True]
    with poll.world.engine.connect() as connection:
        assert present(connection, poll.source.asks, before) == before


def test_a_source_that_is_not_due_is_left_alone(poll: Poll) -> None:
    poll.world.set_source(next_due_at=now() + timedelta(minutes=1))

    assert fetch_source(poll.world.engine, poll.source, now) is None
    assert poll.service.requests == []


def test_a_source_that_is_switched_off_is_left_alone(poll: Poll) -> None:
    poll.world.set_source(enabled=False, next_due_at=now() - HOUR_AGO)

    assert fetch_source(poll.world.engine, poll.source, now) is None
    with poll.world.engine.connect() as connection:
        assert "twitch.drops" not in due(connection, now() + timedelta(days=3650))


def test_registering_again_changes_nothing(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.fetch()
    before = poll.world.source()
    with poll.world.engine.begin() as connection:
        register(connection, [poll.source], now())

    assert poll.world.source() == before


def fetch_held_back(
    poll: Poll, meanwhile: Callable[[], None], *, slow: Sequence[LockKey] = (), slow_after: timedelta = SLOW_AFTER
) -> Fetched | None:
    """Fetch in a thread whose request is held back while something else happens."""
    poll.make_due()
    poll.service.hold_back("/v2/drops")
    with ThreadPoolExecutor(1) as pool:
        fetch = partial(fetch_source, slow=slow, slow_after=slow_after)
        slow_fetch = pool.submit(fetch, poll.world.engine, poll.source, now)
        try:
            assert poll.service.arrived.wait(60)
            poll.service.hold = None
            meanwhile()
        finally:
            poll.service.released.set()
        return slow_fetch.result(60)


def test_while_one_worker_fetches_a_source_no_other_does(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    others: list[Fetched | None] = []

    def another() -> None:
        others.append(fetch_source(poll.world.engine, poll.source, now))
        with poll.world.engine.connect() as connection:
            assert "twitch.drops" not in due(connection, now())

    slow = fetch_held_back(poll, another)

    assert others == [None]
    assert slow is not None
    assert len(poll.service.requests) == 1
    assert poll.world.source().lease_until is None


@contextmanager
def takeover(poll: Poll) -> Iterator[None]:
    """Have another session wait for the lock on the source, and end the connection that holds it now."""
    source_id = poll.world.source().id
    with poll.world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as waiting:
        pid = waiting.scalar(text("SELECT pg_backend_pid()"))
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(lock_session, waiting, source_lock(source_id))
            wait_for(lambda: waits_for_a_lock(poll.world.engine, pid))
            end_connections_of_leases(poll.world.engine)
            taken.result(60)
        # The lock goes with its session, or a pool would keep it.
        waiting.detach()
        yield


def lock_session(connection: Connection, key: LockKey) -> None:
    connection.execute(select(func.pg_advisory_lock(key)))


def waits_for_a_lock(engine: Engine, pid: int) -> bool:
    with engine.connect() as connection:
        query = text("SELECT wait_event FROM pg_stat_activity WHERE pid = :pid")
        return bool(connection.scalar(query, {"pid": pid}) == "advisory")


def end_connections_of_leases(engine: Engine) -> None:
    """End the sessions that hold locks on sources, as a server that restarts does."""
    query = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with engine.connect() as connection:
        assert connection.scalar(query)


@pytest.mark.parametrize("late_answer", [answer(campaign("stale")), failing()], ids=["an answer", "a failure"])
def test_a_worker_whose_lease_another_took_stores_nothing(poll: Poll, late_answer: Answer) -> None:
    poll.answers(late_answer, answer(campaign("a")))
    seen: list[Any] = []

    def another_takes_it() -> None:
        with takeover(poll):
            wait_for(lambda: "lease" not in {thread.name for thread in threading.enumerate()})
        # The held request has not taken its answer yet: leave the late one to it.
        poll.answers(answer(campaign("a")))
        assert poll.fetch().outcome == "ok"
        seen.append((poll.world.source(), poll.world.written()))
        poll.answers(late_answer)

    with pytest.raises(LeaseLost):
        fetch_held_back(poll, another_takes_it)
    assert (poll.world.source(), poll.world.written()) == seen[0]
    assert [run.outcome for run in poll.world.rows(FetchRun)] == ["failed", "ok"]


def test_a_fetch_whose_lease_another_took_is_interrupted_in_the_midst_of_its_request(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.make_due()
    poll.service.hold_back("/v2/drops")
    over = threading.Event()

    def take_over() -> None:
        assert poll.service.arrived.wait(60)
        with takeover(poll):
            over.wait(60)

    # The answer never comes: a fetch that was not interrupted would end with a failure of its service.
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(take_over)
        try:
            with pytest.raises(LeaseLost):
                fetch_source(poll.world.engine, poll.source, now)
        finally:
            over.set()
        taking.result(60)
    assert len(poll.service.requests) == 1


def test_a_worker_that_lost_its_connection_takes_its_lease_again(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    others: list[Fetched | None] = []

    def lose_the_connection() -> None:
        end_connections_of_leases(poll.world.engine)
        wait_for(lambda: is_fetched(poll.world.engine))
        others.append(fetch_source(poll.world.engine, poll.source, now))

    fetched = fetch_held_back(poll, lose_the_connection)
    assert others == [None]
    assert fetched is not None
    assert fetched.outcome == "ok"
    assert not is_fetched(poll.world.engine)


def is_fetched(engine: Engine) -> bool:
    with engine.connect() as connection:
        return count_leased(connection) == 1


def test_a_fetch_that_came_to_nothing_is_made_again_at_once_and_counts_as_a_failure(poll: Poll) -> None:
    poll.answers(failing())
    # As a process leaves it that was killed.
    poll.world.set_source(lease_until=now() + LEASE, fence=7)

    poll.fetch()
    died, failed = poll.world.rows(FetchRun)
    assert (died.outcome, failed.outcome) == ("failed", "failed")
    assert "its last fetch came to nothing" in died.error
    assert died.seconds < 60
    assert poll.world.source().fence > 8
    assert poll.world.source().consecutive_failures == 2
    assert [row.kind for row in poll.world.rows(Event)] == ["source.failing"]


def test_a_source_that_kills_whoever_fetches_it_is_told_and_asked_less_and_less_often(poll: Poll) -> None:
    poll.world.set_source(lease_until=now() - HOUR_AGO, consecutive_failures=1, failing_since=now())
    poll.answers(answer(campaign("a")))
    assert poll.fetch().outcome == "ok"
    [event] = [row for row in poll.world.rows(Event) if row.kind == "source.failing"]
    assert "was killed" in event.detail["reason"]

    poll.world.set_source(lease_until=now() + LEASE, consecutive_failures=2, next_due_at=now())
    requests = len(poll.service.requests)
    assert fetch_source(poll.world.engine, poll.source, now) is None
    assert len(poll.service.requests) == requests
    assert timedelta(seconds=30) < poll.wait() < timedelta(seconds=90)


class TooLong(Exception):
    pass


def too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


def test_a_fetch_that_its_time_limit_cuts_off_is_a_failure_of_its_source(poll: Poll) -> None:
    poll.make_due()
    poll.service.hold_back("/v2/drops")

    def cut_off() -> None:
        assert poll.service.arrived.wait(60)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, too_long)
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(cut_off)
            fetched = fetch_source(poll.world.engine, poll.source, now, cut_off=TooLong)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert fetched is not None
    assert fetched.outcome == "failed"
    source = poll.world.source()
    assert (source.consecutive_failures, source.lease_until) == (1, None)
    assert "its time limit" in source.last_error
    assert timedelta(seconds=30) < poll.wait() < timedelta(seconds=90)


def test_a_time_limit_that_hits_the_middle_of_storing_is_a_failure_of_its_source_too(poll: Poll) -> None:
    class Lengthy(TwitchDrops):
        def split(self, _payload: bytes) -> Snapshot:
            # How a query that a signal interrupts ends.
            raise OperationalError("INSERT", {}, Exception("another command is in progress")) from TooLong()

    poll.make_due()
    poll.answers(answer(campaign("a")))
    fetched = fetch_source(poll.world.engine, Lengthy(poll.service.url), now, cut_off=TooLong)
    assert fetched is not None
    assert fetched.outcome == "failed"
    source = poll.world.source()
    assert (source.consecutive_failures, source.lease_until) == (1, None)
    assert "its time limit" in source.last_error


def test_a_fetch_of_many_large_answers_ends_before_memory_does(poll: Poll) -> None:
    class Greedy(TwitchDrops):
        def fetch(self, client: Client, validators: Validators) -> SourceAnswer:
            for _ in range(5):
                client.get(f"{poll.service.url}/large")
            return super().fetch(client, validators)

    poll.make_due()
    poll.answers(answer(campaign("a")))
    poll.service.answers("/large", Answer(b" " * (MOST_BYTES // 4)))
    fetched = fetch_source(poll.world.engine, Greedy(poll.service.url), now)
    assert fetched is not None
    assert fetched.outcome == "failed"
    assert "with the other answers of this fetch" in poll.world.source().last_error


def test_a_fault_of_ours_counts_like_any_failure_and_is_raised_all_the_same(poll: Poll) -> None:
    class Faulty(TwitchDrops):
        def fetch(self, client: Client, validators: Validators) -> SourceAnswer:  # noqa: ARG002
            raise ZeroDivisionError

    poll.make_due()
    with pytest.raises(ZeroDivisionError):
        fetch_source(poll.world.engine, Faulty(poll.service.url), now)
    source = poll.world.source()
    assert (source.consecutive_failures, source.lease_until) == (1, None)
    assert source.last_error == "a fault in Lootwire (ZeroDivisionError); see the log"


def test_of_the_sources_that_ask_one_service_one_is_fetched_at_a_time(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.service.answers("/v2/reward-campaigns", version_2(b"[]", now(), 60))
    others = TwitchRewards(poll.service.url), KickDrops(poll.service.url, poll_every=MINUTE)
    seen: list[Fetched | None] = []

    def fetch_others() -> None:
        for name in ("twitch.rewards", "kick.drops"):
            poll.world.set_source(name, next_due_at=now() - MINUTE)
        seen.extend(fetch_source(poll.world.engine, other, now) for other in others)

    assert fetch_held_back(poll, fetch_others) is not None
    rewards, kick = seen
    assert rewards is None
    assert kick is not None
    assert poll.service.paths()[0] == "/v2/drops"
    assert not [path for path in poll.service.paths() if "reward" in path]
    assert fetch_source(poll.world.engine, others[0], now) is not None


def test_a_flood_of_news_is_stored_in_parts_between_which_others_get_their_turn(poll: Poll) -> None:
    poll.answers(answer(campaign("a"), campaign("b")))
    poll.fetch()
    flood = [campaign(f"{number:04d}") for number in range(2 * PART + 10)]
    poll.answers(answer(campaign("a"), *flood))
    fetched = poll.fetch()
    assert (fetched.outcome, fetched.changed, fetched.events) == ("ok", len(flood), {"campaign.added": len(flood)})
    with poll.world.engine.connect() as connection:
        loud = select(func.count(literal_column("xmin::text").distinct())).where(Event.silent.is_(False))
        assert connection.scalar(loud) == 3
        assert connection.scalar(select(func.max(Sighting.absent_count))) == 1
    assert poll.fetch().outcome == "unchanged"


def test_a_flood_that_is_cut_off_goes_on_with_the_next_fetch_and_is_told_once(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.fetch()
    flood = [campaign(f"{number:04d}") for number in range(PART + 10)]
    # What is behind the first part cannot be stored, and so the fetch fails.
    with refusing_events(poll.world.engine, more_than=PART + 1):
        poll.answers(answer(campaign("a"), *flood))
        poll.make_due()
        with pytest.raises(IntegrityError):
            fetch_source(poll.world.engine, poll.source, now)
    assert len(poll.world.rows(Event)) == PART + 1
    fetched = poll.fetch()
    assert fetched.events == {"campaign.added": 10}


@contextmanager
def refusing_events(engine: Engine, *, more_than: int) -> Iterator[None]:
    """Let the database refuse each event beyond so many."""
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE events ADD CONSTRAINT few CHECK (id <= {more_than})"))
    yield
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events DROP CONSTRAINT few"))


SOON = timedelta(seconds=0.2)


def fetch_slowly(poll: Poll, locks: Sequence[LockKey]) -> Fetched | None:
    return fetch_source(poll.world.engine, poll.source, now, slow=locks, slow_after=SOON)


def test_of_fetches_that_take_long_as_many_go_on_as_leave_a_process_to_the_quick_ones(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    locks = slow_locks("here", 2)
    poll.make_due()
    due_at = poll.world.source().next_due_at
    poll.service.hold_back("/v2/drops")
    with poll.world.engine.connect() as another:
        another.detach()
        lock_session(another, locks[0])
        # Another service is slow already; the answer does not come, and the process is free again.
        assert fetch_slowly(poll, locks) is None
        assert [run.outcome for run in poll.world.rows(FetchRun)] == ["gave way"]
        source = poll.world.source()
        assert (source.next_due_at, source.lease_until, source.consecutive_failures) == (due_at, None, 0)
        # It is known to be slow, and not asked before the other is done.
        asked = len(poll.service.requests)
        assert fetch_slowly(poll, locks) is None
        assert len(poll.service.requests) == asked
        poll.service.hold = None
        poll.service.released.set()
    wait_for(lambda: count_held(poll.world.engine, locks) == 0)
    fetched = fetch_slowly(poll, locks)
    assert fetched is not None
    assert fetched.outcome == "ok"


def test_a_fetch_that_takes_long_goes_on_where_no_other_does(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    locks = slow_locks("here", 3)
    engine = poll.world.engine

    def wait_until_slow() -> None:
        wait_for(lambda: count_held(engine, locks) == 2)

    with engine.connect() as another:
        another.detach()
        lock_session(another, locks[0])
        fetched = fetch_held_back(poll, wait_until_slow, slow=locks, slow_after=SOON)
        assert fetched is not None
    wait_for(lambda: count_held(engine, locks) == 0)
    assert slow_locks("here", 1) == []


def count_held(engine: Engine, keys: Sequence[LockKey]) -> int:
    """How many of these locks are held; they are not taken, for a fetch asks for one once and in passing."""
    shown = text(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks JOIN pg_database ON oid = database "
        "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    with engine.connect() as connection:
        return len(set(connection.scalars(shown)) & set(keys))


def test_the_second_failure_in_a_row_is_told_and_so_is_the_recovery(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    poll.fetch()
    poll.answers(failing())

    first = poll.fetch()
    source = poll.world.source()
    assert (first.outcome, first.events.total(), source.consecutive_failures) == ("failed", 0, 1)
    assert source.failing_since is not None
    assert "429" in source.last_error
    assert poll.fetch().events == {"source.failing": 1}
    assert poll.fetch().events.total() == 0
    assert poll.world.source().consecutive_failures == 3

    poll.answers(answer(campaign("a")))
    assert poll.fetch().events == {"source.recovered": 1}
    assert poll.fetch().events.total() == 0
    source = poll.world.source()
    assert (source.consecutive_failures, source.failing_since, source.last_error) == (0, None, None)
    detail = poll.world.event("source.failing").detail
    assert "429" in detail["reason"]
    assert {"since", "next_attempt_at"} <= detail.keys()


def test_one_failure_that_passes_is_not_told(poll: Poll) -> None:
    poll.answers(failing(), answer(campaign("a")))
    poll.fetch()
    poll.fetch()

    assert poll.world.kinds("source") == []


def test_a_source_that_fails_waits_longer_each_time_and_an_hour_at_most(poll: Poll) -> None:
    poll.answers(failing())
    waits = []
    for failures in (0, 1, 4, 30):
        poll.world.set_source(consecutive_failures=failures)
        poll.fetch()
        waits.append(poll.wait().total_seconds())

    for wait, expected in zip(waits, (60, 120, 960, 3600), strict=True):
        assert expected * 0.8 - 5 <= wait <= expected * 1.2


def test_a_wait_that_the_service_asks_for_is_obeyed(poll: Poll) -> None:
    poll.answers(failing(retry_after=7200))
    poll.fetch()

    assert timedelta(hours=1, minutes=59) < poll.wait() <= timedelta(hours=2)
    assert poll.service.paths() == ["/v2/drops"], "the other version is not asked either"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_at_once_because_waiting_does_not_help(poll: Poll, status: int) -> None:
    poll.answers(Answer(status=status))

    assert poll.fetch().events == {"source.failing": 1}
    assert poll.fetch().events.total() == 0


def test_an_answer_of_a_new_shape_is_kept_and_told_once_and_ends_nothing(poll: Poll) -> None:
    poll.answers(answer(*NINE))
    poll.fetch()
    poll.answers(Answer(b"<html>maintenance</html>"))
    before = poll.world.written()

    first = poll.fetch()

    assert (first.outcome, first.events) == ("failed", {"source.changed": 1})
    assert poll.fetch().events.total() == 0
    assert poll.world.quarantine() == [("unreadable", "the answer is not JSON")]
    after = poll.world.written()
    assert (after["drop_campaigns"], after["sightings"]) == (before["drop_campaigns"], before["sightings"])

    poll.answers(answer(*NINE))
    assert poll.fetch().events == {"source.recovered": 1}
    assert (poll.world.source().changed_since, poll.world.source().last_error) == (None, None)


def test_an_envelope_around_something_else_is_kept_too(poll: Poll) -> None:
    poll.answers(Answer(version_2(b'{"oops":1}', now())))

    assert poll.fetch().events == {"source.changed": 1}
    assert [reason for reason, _ in poll.world.quarantine()] == ["unreadable"]
    assert poll.world.rows(FetchRun)[0].outcome == "failed"


def test_the_answer_that_nothing_changed_is_taken_for_a_whole_one(poll: Poll) -> None:
    poll.answers(answer(*NINE, etag='"v1"'))
    poll.fetch()
    poll.make_due()
    before = poll.world.written()

    again = poll.fetch()

    assert poll.service.requests[-1].headers["If-None-Match"] == '"v1"'
    assert (again.outcome, again.items, again.changed) == ("unchanged", 9, 0)
    assert poll.world.written() == before
    assert poll.world.source().etag == '"v1"'


def test_what_was_missing_is_missing_still_while_the_service_says_that_nothing_changed(poll: Poll) -> None:
    poll.answers(answer(*NINE))
    poll.fetch()
    poll.answers(answer(*NINE[1:], etag='"v2"'))
    for _ in range(3):
        poll.fetch()
        with poll.world.engine.begin() as connection:
            hour_ago = {
                name: getattr(Sighting, name) - timedelta(hours=1) for name in ("absent_since", "absent_counted_at")
            }
            connection.execute(update(Sighting).values(hour_ago))

    assert [run.outcome for run in poll.world.rows(FetchRun)] == ["ok", "unchanged", "unchanged", "ok"]
    assert poll.world.state("a") == "withdrawn"


def test_an_answer_that_is_not_believed_is_asked_for_again_in_full(poll: Poll) -> None:
    poll.answers(answer(*NINE))
    poll.fetch()
    poll.answers(answer(etag='"empty"'))

    assert [poll.fetch().outcome, poll.fetch().outcome] == ["quarantined", "quarantined"]
    assert "If-None-Match" not in poll.service.requests[-1].headers


def test_an_answer_with_too_many_broken_items_is_asked_for_again_in_full(poll: Poll) -> None:
    poll.answers(answer(*NINE))
    poll.fetch()
    poll.answers(answer(*NINE, *[campaign(f"broken{n}", name=None) for n in range(3)], etag='"half"'))

    assert poll.fetch().events == {"source.changed": 1}
    assert poll.fetch().events.total() == 0
    assert "If-None-Match" not in poll.service.requests[-1].headers
    assert poll.world.kinds("source") == ["source.changed"]


def test_the_service_says_how_often_it_wants_to_be_asked(poll: Poll) -> None:
    poll.answers(answer(campaign("a"), refresh=900))
    poll.fetch()

    assert timedelta(minutes=14) < poll.wait() <= timedelta(minutes=15)
    assert poll.world.source().refresh_seconds == 900


def test_the_operator_may_ask_less_often_than_the_service_allows(engine: Engine, poll: Poll) -> None:
    poll.source = TwitchDrops(poll.service.url, poll_every=timedelta(hours=2))
    poll.answers(answer(campaign("a"), refresh=60))

    assert poll.fetch().next_due_at - now() > timedelta(hours=1, minutes=59)


def test_a_snapshot_is_as_old_as_the_service_says(poll: Poll) -> None:
    at = now().replace(microsecond=0) - timedelta(minutes=7)
    poll.answers(Answer(version_2(drops(campaign("a")), at)))
    poll.fetch()

    assert poll.world.source().last_snapshot_at == at
    assert poll.fetch().outcome == "unchanged"
    assert poll.world.source().last_snapshot_at == at


def test_a_service_whose_clock_runs_ahead_does_not_put_us_into_the_future(poll: Poll) -> None:
    poll.answers(Answer(version_2(drops(campaign("a")), now() + timedelta(days=3))))
    poll.fetch()

    assert poll.world.source().last_snapshot_at <= now()


def test_a_service_whose_clock_stands_still_is_believed_by_what_it_says(poll: Poll) -> None:
    at = now() - timedelta(minutes=7)
    poll.answers(
        Answer(version_2(drops(campaign("a")), at)), Answer(version_2(drops(campaign("a"), campaign("b")), at))
    )
    poll.fetch()

    assert poll.fetch().events == {"campaign.added": 1}


def test_an_unreachable_service_is_a_failure_with_a_time_for_the_next_attempt(world: Ingesting) -> None:
    with LocalService() as gone:
        source = TwitchDrops(gone.url)
    fetched = Poll(world, gone, source).fetch()

    assert (fetched.outcome, fetched.error) == ("failed", "127.0.0.1: no connection")
    assert fetched.next_due_at > now()
    assert world.source().last_error == "127.0.0.1: no connection"


def test_a_source_whose_answer_the_database_refuses_is_due_again_within_two_minutes(poll: Poll) -> None:
    poll.answers(answer(campaign("a")))
    with poll.world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE fetch_runs ADD CONSTRAINT refused CHECK (items > 1)"))
    poll.make_due()

    with pytest.raises(IntegrityError):
        fetch_source(poll.world.engine, poll.source, now)

    assert poll.world.source().lease_until is None
    assert timedelta(0) < poll.wait() < timedelta(minutes=2)
