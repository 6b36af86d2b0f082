"""What operators hear, through the tasks: without a subscription, also while what is broken is broken."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from models import Delivery, Event, Target
from notifiers.targets import add_target
from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import WebhookSink
from pipeline.programs.health import look
from pipeline.programs.operating.looking import PROGRAMS, look_at_machine
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from tasks import fetch, operating, publish, send, surroundings, ticks
from tests.shifted_clock import WITHOUT, ShiftedClock, compiler
from tests.tasks.installation import AtWork

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def admin(installation: AtWork) -> Iterator[WebhookSink]:
    """The operator of an installation that has run for an hour."""
    now = utc_now()
    heartbeat.beat(installation.engine, now - HOUR, heartbeat.CLOCK_SINCE)
    for program in (*PROGRAMS, heartbeat.CLOCK):
        heartbeat.beat(installation.engine, now, program)
    with WebhookSink() as sink:
        with installation.engine.begin() as connection:
            url = f"json{sink.url.removeprefix('http')}"
            add_target(connection, installation.runtime.vault, "admin", url, now, role="operator", private=True)
        yield sink


def kinds(installation: AtWork, target: str) -> list[str]:
    query = select(Event.kind).join(Delivery).join(Target).where(Target.name == target).order_by(Delivery.id)
    with installation.engine.connect() as connection:
        return list(connection.scalars(query))


def test_a_healthy_installation_tells_its_operator_nothing(installation: AtWork, admin: WebhookSink) -> None:
    operating.operator()
    operating.operator()
    assert not installation.hints()
    send.due()
    assert admin.messages == []


def test_an_operator_hears_of_a_source_without_a_subscription_and_others_as_they_subscribed(
    installation: AtWork, admin: WebhookSink, services: DemoServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.add_target("json://127.0.0.1:9/x", "everything")
    with installation.engine.begin() as connection:
        add_target(connection, installation.runtime.vault, "nothing", "json://127.0.0.1:9/x", utc_now())
    monkeypatch.setenv("LOOTWIRE_KICK_URL", "http://127.0.0.1:9")
    installation.reopen()
    ticks.fetch_due()
    for _ in range(2):
        installation.make_due("kick.drops")
        fetch.source("kick.drops")
    assert kinds(installation, "admin") == kinds(installation, "everything") == ["source.failing"]
    assert kinds(installation, "nothing") == []
    monkeypatch.setenv("LOOTWIRE_KICK_URL", services.addresses["LOOTWIRE_KICK_URL"])
    installation.reopen()
    installation.make_due("kick.drops")
    fetch.source("kick.drops")
    assert kinds(installation, "admin") == ["source.failing", "source.recovered"]


def test_a_stuck_sender_is_told_past_the_sender(installation: AtWork, admin: WebhookSink) -> None:
    with WebhookSink() as phone:
        installation.subscribe(phone)
        installation.append_event("Lantern Week")
        heartbeat.beat(installation.engine, utc_now() - 20 * MINUTE, "sender")
        operating.operator()
        assert {hint.task for hint in installation.hints()} == {"send.due", "fetch.tell_operators"}
        operating.tell_operators()
        (hook,) = admin.messages
        assert hook.json["title"] == "The program sender stands still: it takes up nothing"
        assert "Since: " in hook.json["message"]
        # What others wait for is the sender's.
        assert phone.messages == []
    assert installation.count(Delivery, Delivery.state == "pending") == 1


def test_a_folder_that_cannot_be_written_is_told_by_the_publisher_at_once(
    installation: AtWork, admin: WebhookSink
) -> None:
    published = installation.runtime.settings.published
    published.parent.mkdir(exist_ok=True)
    published.write_text("in the way")
    publish.marked()
    publish.marked()
    operating.operator()
    send.due()
    (hook,) = admin.messages
    assert hook.json["title"].startswith(f"Feeds cannot be written: Cannot make the folder {published}: ")
    published.unlink()
    publish.marked()
    assert (published / "index.html").exists()
    assert is_well(installation)


@pytest.mark.parametrize("writes", [True, False], ids=["the publisher met it", "the clock met it"])
def test_the_next_look_after_feeds_can_be_written_again_is_well(
    installation: AtWork, admin: WebhookSink, *, writes: bool
) -> None:
    published = installation.runtime.settings.published
    publish.marked()
    shutil.rmtree(published)
    published.write_text("in the way")
    if writes:
        publish.marked()
    operating.operator()
    installation.forget_hints()
    publish.marked()
    assert not is_well(installation)
    published.unlink()
    publish.marked()
    assert is_well(installation)
    assert admin.messages == []


def test_while_feeds_cannot_be_written_it_is_tried_again_soon_but_not_by_each_tick(
    installation: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_not_again_before", 0.0)
    published = installation.runtime.settings.published
    published.parent.mkdir(exist_ok=True)
    published.write_text("in the way")
    for _ in range(3):
        publish.marked()
    (again,) = installation.hints("publish.marked")
    assert again.eta is not None
    assert again.eta - utc_now() <= timedelta(seconds=publish.AGAIN_AFTER)


def is_well(installation: AtWork) -> bool:
    """What `/health` says, where no broker is asked for anything."""
    now = utc_now()
    heartbeat.beat(installation.engine, now)
    machine = look_at_machine(installation.runtime.settings, try_publishing=False)
    return look(installation.engine, installation.runtime.redis_url, now, streams=False, machine=machine)[0]


def test_a_single_file_that_cannot_be_written_is_told_too(installation: AtWork, admin: WebhookSink) -> None:
    publish.marked()
    index = installation.runtime.settings.published / "feeds.opml"
    index.unlink()
    index.mkdir()
    publish.marked()
    send.due()
    (hook,) = admin.messages
    assert "feeds.opml" in hook.json["title"]
    shutil.rmtree(index)


@pytest.mark.parametrize("jump", [2 * HOUR, 24 * 365 * HOUR], ids=["two hours", "a year"])
def test_a_clock_that_was_set_back_is_told_once(installation: AtWork, admin: WebhookSink, jump: timedelta) -> None:
    installation.add_target("json://127.0.0.1:9/x", "everything")
    for program in (heartbeat.CLOCK, heartbeat.CLOCK_SINCE):
        heartbeat.beat(installation.engine, utc_now() + jump, program)
    ticks.advance_clock()
    ticks.advance_clock()
    operating.operator()
    send.due()
    (hook,) = admin.messages
    assert hook.json["title"].startswith("The clock jumped back by ")
    assert kinds(installation, "everything") == []


# Ticks of a worker, one for each line that it reads.
TICKING = """
import sys
from pipeline.runtime.celery_app import make_app
from tasks import operating, surroundings, ticks

app = make_app(surroundings.runtime().redis_url)
for line in sys.stdin:
    ticks.advance_clock()
    operating.operator()
    print("ticked", flush=True)
"""


@pytest.mark.skipif(compiler() is None, reason=WITHOUT)
def test_a_clock_that_is_set_ahead_and_back_again_is_told_each_time_once(
    installation: AtWork, admin: WebhookSink, tmp_path: Path
) -> None:
    clock = ShiftedClock(tmp_path)
    command = [sys.executable, "-c", TICKING]
    environment = os.environ | clock.environment
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None

        def tick() -> None:
            worker.stdin.write("tick\n")  # type: ignore[union-attr]
            worker.stdin.flush()  # type: ignore[union-attr]
            assert worker.stdout.readline() == "ticked\n"  # type: ignore[union-attr]

        for jump in (timedelta(0), timedelta(days=1), timedelta(0), -timedelta(days=1), timedelta(0)):
            clock.jump(jump)
            tick()
        worker.stdin.close()
        assert worker.wait(60) == 0
    ahead, back = _titles(installation)
    assert ahead.startswith("The clock was set ahead; until a service has the same time")
    assert back.startswith("The clock jumped back by ")


def _titles(installation: AtWork) -> list[str]:
    query = select(Event.title).where(Event.kind.like("operator.%")).order_by(Event.id)
    with installation.engine.connect() as connection:
        return list(connection.scalars(query))


def test_a_look_is_cheap(installation: AtWork, admin: WebhookSink) -> None:
    operating.operator()
    statements: list[str] = []
    event.listen(surroundings.runtime().engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    operating.operator()
    assert 0 < len(statements) <= 24
