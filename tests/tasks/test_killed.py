"""Each task is killed where it hurts most and run again: nothing is lost, nothing is done twice but as promised."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event as Flag
from types import FrameType
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import Connection, select, text, update

from models import Credential, Delivery, DropCampaign, Event, Feed, FetchRun, Heartbeat, Source
from pipeline.demo.local import QuietHandler, serving
from pipeline.demo.services import DemoServices
from pipeline.importer.inbox import QUIET_FOR
from pipeline.ingest.fetching import count_leased
from pipeline.runtime.runtime import utc_now
from tasks import fetch, inbox, publish, send, ticks
from tests import processes
from tests.pipeline.builders import campaigns, drops
from tests.tasks.forks import Forks
from tests.tasks.installation import AtWork
from tests.twitch.dashboard import Dashboard, Grant
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")


@pytest.fixture
def kill(installation: AtWork, forks: Forks) -> Any:
    return partial(kill_while_it_waits, installation, forks)


def kill_while_it_waits(installation: AtWork, forks: Forks, held: str, task: str, *args: Any) -> None:
    """Start a task, kill it while it waits for a lock that this statement takes, and release the lock."""
    with installation.engine.begin() as connection:
        connection.execute(text(held))
        pid = forks.start(task, *args)
        wait_for(installation.waits_for_a_lock)
        processes.kill(pid)
        connection.rollback()
    # PostgreSQL may finish the task's statement, but it then rolls the transaction back.
    wait_for(lambda: not transactions(installation))


def transactions(installation: AtWork) -> int:
    """Count the open transactions of other processes."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    with installation.engine.connect() as connection:
        return connection.scalar(query) or 0


# In SHARE mode every transaction can read the table and none can write it.
def lock_against_writes(table: str) -> str:
    return f"LOCK TABLE {table} IN SHARE MODE"


def test_a_fetch_that_is_killed_while_it_stores_is_done_again_at_the_next_tick_and_counted(
    installation: AtWork, kill: Any
) -> None:
    ticks.fetch_due()
    kill(lock_against_writes("events"), "fetch.source", "kick.drops")
    assert installation.count(DropCampaign) == installation.count(Event) == 0
    installation.forget_hints()
    wait_for(lambda: not sources_under_way(installation))
    ticks.fetch_due()
    assert "kick.drops" in {hint.args[0] for hint in installation.hints("fetch.source")}
    fetch.source("kick.drops")
    fetch.source("kick.drops")
    assert installation.count(Event) == len(set(installation.event_keys())) > 0
    with installation.engine.connect() as connection:
        assert list(connection.scalars(select(FetchRun.outcome).order_by(FetchRun.id))) == ["failed", "ok"]


def sources_under_way(installation: AtWork) -> int:
    with installation.engine.connect() as connection:
        return count_leased(connection)


def test_a_fetch_that_was_taken_for_dead_stores_nothing(
    installation: AtWork, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks.fetch_due()
    requested, released = Flag(), Flag()
    with slow_service(requested, released) as url:
        monkeypatch.setenv("LOOTWIRE_KICK_URL", url)
        pid = forks.start("fetch.source", "kick.drops")
        assert requested.wait(60)
        with installation.engine.begin() as connection:
            # Another worker takes over meanwhile and raises the fence.
            connection.execute(update(Source).where(Source.name == "kick.drops").values(fence=Source.fence + 1))
        released.set()
        wait_for(lambda: not Path(f"/proc/{pid}").exists())
    assert installation.count(FetchRun) == installation.count(Event) == 0


def meet_time_limit(_number: int, _frame: FrameType | None) -> None:
    """Do what a process of Celery's pool does when its worker signals the soft time limit."""
    raise SoftTimeLimitExceeded


def test_a_fetch_that_meets_its_time_limit_is_a_failure_of_its_source_also_where_the_limit_comes_twice(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks.fetch_due()
    requested, released = Flag(), Flag()
    before = signal.signal(signal.SIGUSR1, meet_time_limit)

    def cut_off() -> None:
        assert requested.wait(60)
        with installation.engine.begin() as connection:
            # The fetch waits for this transaction when it settles its failure, and then the limit comes again.
            connection.execute(text("SELECT id FROM sources FOR UPDATE"))
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            wait_for(installation.waits_for_a_lock)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    try:
        with slow_service(requested, released) as url:
            monkeypatch.setenv("LOOTWIRE_KICK_URL", url)
            installation.reopen()
            with ThreadPoolExecutor(1) as pool:
                cutting = pool.submit(cut_off)
                fetch.source("kick.drops")
                cutting.result(60)
            released.set()
    finally:
        signal.signal(signal.SIGUSR1, before)
    with installation.engine.connect() as connection:
        row = connection.execute(select(Source).where(Source.name == "kick.drops")).one()
    assert (row.consecutive_failures, row.lease_until) == (1, None)
    assert "its time limit" in row.last_error


@contextmanager
def slow_service(requested: Flag, released: Flag) -> Iterator[str]:
    """Serve a service or webhook that keeps its callers waiting for the answer."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:  # noqa: N802  likewise
            requested.set()
            released.wait(60)
            with suppress(BrokenPipeError):  # the caller may be gone
                self.answer(200, {"Content-Type": "application/json"}, b'{"data": []}')

    with serving(Handler) as url:
        yield url


def test_a_message_whose_sender_is_killed_before_it_heard_the_answer_is_sent_again(
    installation: AtWork, services: DemoServices, forks: Forks
) -> None:
    taken, released = Flag(), Flag()
    with slow_service(taken, released) as url:
        installation.add_target(f"json{url.removeprefix('http')}")
        ticks.fetch_due()
        fetch.source("twitch.drops")
        services.advance()
        installation.make_due("twitch.drops")
        fetch.source("twitch.drops")
        pid = forks.start("send.due")
        assert taken.wait(60)
        processes.kill(pid)
        released.set()
        taken.clear()
        send.due()
        assert not taken.is_set()  # the lease of the killed task still holds
        installation.let_leases_pass()
        send.due()
        assert taken.is_set()
    with installation.engine.connect() as connection:
        states = {tuple(row) for row in connection.execute(select(Delivery.state, Delivery.attempts))}
    assert states == {("sent", 2)}


def test_a_publication_that_is_killed_after_it_wrote_writes_nothing_again(installation: AtWork, kill: Any) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    publish.marked()
    feed = installation.runtime.settings.published / "all.rss.xml"
    feed.write_bytes(b"an older version")
    with installation.engine.begin() as connection:
        connection.execute(update(Feed).where(Feed.path == "all").values(version=Feed.version + 1))
    kill("SELECT id FROM feeds FOR UPDATE", "publish.marked")
    assert feed.read_bytes().startswith(b"<?xml")
    written_at = feed.stat().st_mtime_ns
    assert installation.count(Feed, Feed.version != Feed.written_version) == 1

    def settles() -> bool:
        # PostgreSQL takes a moment to notice that the task is dead; until then its lock keeps others out.
        publish.marked()
        return installation.count(Feed, Feed.version != Feed.written_version) == 0

    wait_for(settles)
    assert feed.stat().st_mtime_ns == written_at


def test_a_clock_that_is_killed_while_it_stores_moves_on_at_its_next_tick(installation: AtWork, kill: Any) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    before = set(installation.event_keys())
    with installation.engine.begin() as connection:
        end_everything(connection)
    kill(lock_against_writes("events"), "tick.advance_clock")
    assert set(installation.event_keys()) == before
    ticks.advance_clock()
    ended = [key for key in installation.event_keys() if key.startswith("campaign.ended:")]
    assert len(ended) == len(set(ended)) == installation.count(DropCampaign)


def end_everything(connection: Connection) -> None:
    ended = {"end_at": utc_now() - timedelta(hours=2), "ended_at": None}
    connection.execute(update(DropCampaign).values(ended))
    connection.execute(text("DELETE FROM events WHERE kind = 'campaign.ended'"))


def test_a_tick_that_is_killed_before_it_asked_is_made_good_by_the_next(installation: AtWork, kill: Any) -> None:
    kill(lock_against_writes("sources"), "tick.fetch_due")
    assert not installation.hints()
    assert installation.count(Source) == 0
    ticks.fetch_due()
    assert len(installation.hints("fetch.source")) == installation.count(Source) == 4


def test_a_heartbeat_that_is_killed_leaves_the_last_one(installation: AtWork, kill: Any) -> None:
    kill(lock_against_writes("heartbeats"), "tick.heartbeat")
    assert installation.count(Heartbeat) == 0
    ticks.heartbeat()
    assert installation.count(Heartbeat) == 1


def test_a_pruning_that_is_killed_is_done_by_the_next(installation: AtWork, kill: Any) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    with installation.engine.begin() as connection:
        connection.execute(update(FetchRun).values(started_at=utc_now() - timedelta(days=31)))
    kill(lock_against_writes("fetch_runs"), "tick.prune")
    assert installation.count(FetchRun) == 1
    ticks.prune()
    assert installation.count(FetchRun) == 0


@pytest.fixture
def account(installation: AtWork, twitch: Dashboard, monkeypatch: pytest.MonkeyPatch) -> Grant:
    """A sign-in whose hourly validation is due."""
    monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
    installation.reopen()
    ticks.fetch_due()
    granted = twitch.grant()
    installation.sign_in(granted)
    return granted


def test_a_validation_that_is_killed_before_it_is_noted_is_made_again(
    installation: AtWork, twitch: Dashboard, account: Grant, kill: Any
) -> None:
    assert account.alive
    kill(lock_against_writes("credentials"), "tick.validate_sign_ins")
    ticks.validate_sign_ins()
    ticks.validate_sign_ins()
    assert twitch.paths == ["/oauth2/validate"] * 2
    assert installation.count(Credential, Credential.dead_at.is_(None)) == 1
    assert installation.count(Credential, Credential.validated_at > utc_now() - timedelta(minutes=1)) == 1


def test_a_renewal_that_is_killed_after_the_token_was_spent_is_told_as_the_end_of_the_sign_in(
    installation: AtWork, account: Grant, kill: Any
) -> None:
    account.alive = False
    kill(lock_against_writes("credentials"), "tick.validate_sign_ins")
    assert installation.count(Credential, Credential.dead_at.is_(None)) == 1
    ticks.validate_sign_ins()
    assert installation.count(Credential, Credential.dead_at.is_not(None)) == 1


def test_an_inbox_whose_reader_is_killed_is_read_by_the_next_and_by_one_at_a_time(
    installation: AtWork, forks: Forks
) -> None:
    file = installation.runtime.settings.data_dir / "inbox" / "2025-03-04T120000Z.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(drops(*campaigns("a", "b")))
    wait_for(lambda: time.time() - file.stat().st_ctime > QUIET_FOR.total_seconds())
    with installation.engine.begin() as connection:
        connection.execute(text(lock_against_writes("events")))
        pid = forks.start("fetch.inbox")
        wait_for(installation.waits_for_a_lock)
        inbox.inbox()  # leaves the file to the task that reads it
        processes.kill(pid)
        connection.rollback()
    wait_for(lambda: not transactions(installation))
    assert file.exists()
    assert installation.count(DropCampaign) == installation.count(Event) == 0
    inbox.inbox()
    inbox.inbox()
    assert not file.exists()
    assert len(list(installation.runtime.settings.data_dir.glob("processed/twitch.drops/*/*"))) == 1
    assert installation.count(DropCampaign) == installation.count(Event) == len(set(installation.event_keys())) == 2
    assert {hint.task for hint in installation.hints()} == {"send.due", "publish.marked"}


def test_a_tick_whose_time_limit_hits_it_in_a_query_is_one_warning(
    installation: AtWork, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.signal(signal.SIGUSR1, meet_time_limit)

    def cut_off() -> None:
        wait_for(installation.waits_for_a_lock)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    try:
        with installation.engine.begin() as connection, ThreadPoolExecutor(1) as pool:
            connection.execute(text("LOCK TABLE heartbeats"))
            cutting = pool.submit(cut_off)
            ticks.heartbeat()
            cutting.result(60)
    finally:
        signal.signal(signal.SIGUSR1, before)
    [record] = [record for record in caplog.records if record.name == "pipeline.runtime.celery_app"]
    assert record.getMessage() == "tick.heartbeat could not end, a later tick will: it met its time limit"
