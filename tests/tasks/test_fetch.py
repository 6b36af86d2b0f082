"""Fetching as a task: running it twice fetches once, and failures are logged in one line."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from models import Event, FetchRun, Source
from models.locks import hold
from pipeline.demo.services import DemoServices
from pipeline.ingest.fetching import source_lock
from pipeline.runtime.runtime import utc_now
from tasks import fetch, ticks
from tests.tasks.installation import AtWork


@pytest.fixture(autouse=True)
def known_sources(installation: AtWork) -> None:
    ticks.fetch_due()
    installation.forget_hints()


def test_running_it_twice_fetches_once(installation: AtWork) -> None:
    fetch.source("twitch.drops")
    events = installation.event_keys()
    fetch.source("twitch.drops")
    assert installation.count(FetchRun) == 1
    assert installation.event_keys() == events
    assert events


def test_fetching_the_same_again_makes_no_event_twice(installation: AtWork) -> None:
    fetch.source("twitch.drops")
    events = installation.event_keys()
    installation.make_due("twitch.drops")
    fetch.source("twitch.drops")
    assert installation.count(FetchRun) == 2
    assert installation.event_keys() == events


def test_it_asks_for_the_next_fetch_at_its_time(installation: AtWork) -> None:
    fetch.source("twitch.drops")
    [hint] = [hint for hint in installation.hints("fetch.source") if hint.eta is not None]
    with installation.engine.connect() as connection:
        due_at = connection.scalar(select(Source.next_due_at).where(Source.name == "twitch.drops"))
    assert due_at is not None
    assert hint.args == ("twitch.drops",)
    assert hint.eta is not None
    assert hint.expires is not None
    assert abs(hint.eta - due_at) < timedelta(seconds=1)
    assert hint.expires > hint.eta


def test_it_does_not_keep_a_distant_fetch_in_the_broker(installation: AtWork) -> None:
    fetch.source("kick.drops")
    assert not installation.hints("fetch.source")


def test_news_wake_those_who_send_and_publish(installation: AtWork) -> None:
    fetch.source("kick.drops")
    assert {hint.task for hint in installation.hints()} == {"send.due", "publish.marked"}
    installation.forget_hints()
    installation.make_due("kick.drops")
    fetch.source("kick.drops")
    assert not installation.hints()


def test_a_service_that_is_away_is_told_in_a_line_and_asked_again_later(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOOTWIRE_KICK_URL", "http://127.0.0.1:1")
    installation.reopen()
    fetch.source("kick.drops")
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == "not fetched: 127.0.0.1: no connection"
    assert record.exc_info is None
    with installation.engine.connect() as connection:
        due_at = connection.scalar(select(Source.next_due_at).where(Source.name == "kick.drops"))
    assert due_at is not None
    assert timedelta(seconds=40) < due_at - utc_now() < timedelta(seconds=80)


def test_the_second_failure_in_a_row_is_an_event_and_the_recovery_another(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch, services: DemoServices
) -> None:
    monkeypatch.setenv("LOOTWIRE_KICK_URL", "http://127.0.0.1:1")
    installation.reopen()
    for _ in range(3):
        installation.make_due("kick.drops")
        fetch.source("kick.drops")
    monkeypatch.setenv("LOOTWIRE_KICK_URL", services.kick_url)
    installation.reopen()
    installation.make_due("kick.drops")
    fetch.source("kick.drops")
    with installation.engine.connect() as connection:
        kinds = list(connection.scalars(select(Event.kind).where(Event.kind.startswith("source.")).order_by(Event.id)))
    assert kinds == ["source.failing", "source.recovered"]


def test_a_source_that_somebody_else_fetches_is_left_alone(installation: AtWork) -> None:
    with installation.engine.connect() as connection:
        kick = connection.scalars(select(Source.id).where(Source.name == "kick.drops")).one()
    with hold(installation.engine, source_lock(kick)):
        fetch.source("kick.drops")
        ticks.fetch_due()
    assert installation.count(FetchRun) == 0
    assert "kick.drops" not in {hint.args[0] for hint in installation.hints("fetch.source")}


def test_a_source_that_waited_for_another_of_its_service_is_asked_for_when_that_is_done(installation: AtWork) -> None:
    fetch.source("twitch.drops")
    [waited] = [hint for hint in installation.hints("fetch.source") if hint.eta is None]
    assert waited.args == ("twitch.rewards",)


def test_a_database_that_is_away_is_one_warning_and_no_failure(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://lootwire:hunter2@127.0.0.1:1/lootwire")
    installation.reopen()
    fetch.source("kick.drops")
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("fetch.source could not end, a later tick will: the database does not answer")
    assert record.exc_info is None
    assert "hunter2" not in caplog.text


def test_a_fault_of_ours_is_not_hidden(installation: AtWork) -> None:
    with installation.engine.begin() as connection:
        connection.execute(text("ALTER TABLE fetch_runs RENAME TO elsewhere"))
    with pytest.raises(ProgrammingError):
        fetch.source("kick.drops")


def test_an_unknown_source_is_told_in_a_line(installation: AtWork, caplog: pytest.LogCaptureFixture) -> None:
    fetch.source("nowhere")
    assert "there is no source `nowhere`" in caplog.text
