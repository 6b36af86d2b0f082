"""Each trouble is told to operators once, daily while it lasts, and its end once."""

import errno
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, select, update

from feeds.scopes import is_public
from models import Delivery, Event, Incident
from models.vault import Vault
from notifiers.deliveries import replay
from notifiers.targets import pause_target
from pipeline.demo.sinks import WebhookSink
from pipeline.ingest.service_time import note
from pipeline.programs.operating.episodes import CALM
from pipeline.programs.operating.incidents import report_publishing
from pipeline.programs.operating.troubles import Facts, Machine, judge
from tests.pipeline.programs.operating.world import DAY, HOUR, MINUTE, NOON, Operated, operated


@pytest.fixture
def phone(installation: Operated) -> Iterator[WebhookSink]:
    """The target of somebody who is no operator and subscribed to everything."""
    with WebhookSink() as sink:
        installation.target(sink, "phone", role=None)
        installation.subscribe("phone")
        yield sink


def test_a_healthy_installation_says_nothing(installation: Operated, admin: WebhookSink) -> None:
    installation.minutes(5)
    installation.deliver()
    assert installation.titles() == []
    assert installation.incidents() == []
    assert admin.messages == []


def test_a_target_that_is_gone_is_told_once_and_that_it_works_again_once(
    installation: Operated, admin: WebhookSink, phone: WebhookSink
) -> None:
    phone.fail_next(1, 410)
    installation.campaign()
    installation.deliver()
    installation.minutes(3)
    installation.deliver()
    assert [hook.json["title"] for hook in admin.messages] == installation.titles()
    (title,) = installation.titles()
    assert title.startswith("Messages to phone are given up: 1 so far; the last: ")
    assert "410" in title
    with installation.engine.begin() as connection:
        assert replay(connection, installation.now) == 1
    installation.deliver()
    assert len(phone.messages) == 1
    installation.minutes(12)
    assert installation.titles() == [title, f"Over: {title}"]
    installation.minutes(12)
    assert len(installation.titles()) == 2


def test_a_message_that_is_refused_alone_is_told_though_its_target_takes_others(
    installation: Operated, phone: WebhookSink
) -> None:
    phone.fail_next(1, 410)
    installation.campaign()
    installation.deliver()
    installation.now += MINUTE
    installation.campaign()
    installation.deliver()
    assert len(phone.messages) == 1
    installation.passes(MINUTE)
    assert len(installation.titles()) == 1
    installation.takes_messages = True
    installation.passes(HOUR)
    installation.passes(CALM)
    assert len(installation.titles()) == 2


def test_messages_of_a_target_that_was_paused_or_removed_on_purpose_are_no_trouble(
    installation: Operated, phone: WebhookSink
) -> None:
    phone.fail_next(1, 410)
    installation.campaign()
    installation.deliver()
    with installation.engine.begin() as connection:
        pause_target(connection, "phone", installation.now)
    installation.minutes(2)
    assert installation.titles() == []


def test_an_operator_whose_own_target_is_gone_is_told_at_his_other_one(
    installation: Operated, admin: WebhookSink
) -> None:
    with WebhookSink() as pager:
        installation.target(pager, "pager")
        pager.fail_next(9, 410)
        installation.subscribe("pager", "campaign.added")
        installation.campaign()
        installation.deliver()
        minute = installation.passes(MINUTE)
        installation.deliver()
    assert [trouble.stops_work for trouble in minute.troubles] == [True]
    assert ["pager" in hook.json["title"] for hook in admin.messages] == [True]


@pytest.mark.parametrize("program", ["sender", "publisher", "fetcher"])
def test_a_queue_that_nothing_consumes_is_told_once_and_that_it_is_consumed_again_once(
    installation: Operated, program: str
) -> None:
    installation.stopped.add(program)
    installation.minutes(9)
    assert installation.titles() == []
    installation.minutes(15)
    (title,) = installation.titles()
    assert title == f"The program {program} stands still: it takes up nothing"
    installation.stopped.clear()
    installation.minutes(9)
    assert len(installation.titles()) == 1
    installation.minutes(6)
    assert installation.titles() == [title, f"Over: {title}"]


def test_messages_that_are_due_for_half_an_hour_are_told(installation: Operated, phone: WebhookSink) -> None:
    installation.campaign()
    installation.minutes(30)
    assert installation.titles() == []
    installation.minutes(2)
    assert installation.titles() == ["The queue of messages stands still: 1 message due and not sent"]


def test_feeds_that_cannot_be_written_are_told_once_and_that_they_are_again_once(installation: Operated) -> None:
    published = installation.settings.published
    installation.block_publishing()
    installation.minutes(2)
    (title,) = installation.titles()
    assert title.startswith(f"Feeds cannot be written: {published}: it cannot be written: {os.strerror(errno.EEXIST)}")
    installation.let_publish()
    installation.minutes(12)
    assert installation.titles() == [title, f"Over: {title}"]


def test_what_the_publisher_could_not_write_is_told_once_however_often_it_says_so(installation: Operated) -> None:
    for _ in range(8):
        report_publishing(installation.engine, "games/rust.rss.xml: Permission denied", installation.now, count=3)
    installation.minutes(2)
    assert installation.titles() == ["Feeds cannot be written: games/rust.rss.xml: Permission denied (and 2 more)"]
    (incident,) = installation.incidents()
    assert incident.times == 8


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_is_full_and_then_read_only_is_told_each_once(
    engine: Engine, vault: Vault, small_disk: Path
) -> None:
    installation = operated(engine, vault, small_disk)
    installation.target()
    installation.settings = installation.settings.model_copy(update={"publish_dir": small_disk.parent / "public"})
    nearly, *_ = installation.passes(MINUTE).troubles
    assert (nearly.subject, nearly.stops_work) == ("nearly full", False)
    status = os.statvfs(small_disk)
    (small_disk / "fill").write_bytes(bytes(status.f_bavail * status.f_frsize))
    full, *_ = installation.passes(MINUTE).troubles
    assert (full.subject, full.stops_work) == ("full", True)
    (small_disk / "fill").unlink()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    installation.minutes(2)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    titles = installation.titles()
    assert len(titles) == 3
    assert [("nearly full" in title, "is full: there is no room" in title) for title in titles] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert titles[2] == f"The disk of the data cannot be written: {small_disk}/data is read-only"
    installation.minutes(12)
    # The disk is as small as before.
    assert installation.titles()[3:] == [f"Over: {titles[1]}", f"Over: {titles[2]}"]


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_published_folder_on_a_disk_of_its_own_is_told_by_what_is_wrong_with_it(
    installation: Operated, small_disk: Path, trouble: str
) -> None:
    settings = {"publish_dir": small_disk / "public"}
    installation.settings = installation.settings.model_copy(update=settings)
    installation.passes(MINUTE)
    if trouble == "full":
        status = os.statvfs(small_disk)
        (small_disk / "fill").write_bytes(bytes(status.f_bavail * status.f_frsize))
    else:
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    installation.minutes(2)
    reason = os.strerror(errno.ENOSPC if trouble == "full" else errno.EROFS)
    (title,) = installation.titles()
    assert title.startswith(f"Feeds cannot be written: {small_disk}/public: it cannot be written: {reason}")


def test_a_clock_that_is_doubted_is_told_once_and_that_it_is_believed_again_once(installation: Operated) -> None:
    installation.is_clock_doubted = True
    installation.minutes(3)
    (title,) = installation.titles()
    assert title.startswith("The clock was set ahead; until a service has the same time")
    installation.is_clock_doubted = False
    installation.minutes(12)
    assert installation.titles() == [title, f"Over: {title}"]


@pytest.mark.parametrize(("ahead", "words"), [(DAY, "24 hours ahead of"), (-DAY, "24 hours behind")])
def test_a_clock_that_services_deny_is_told_once_and_that_they_agree_again_once(
    installation: Operated, ahead: timedelta, words: str
) -> None:
    def minute(by: timedelta) -> None:
        with installation.engine.begin() as connection:
            note(connection, "kick", installation.now - by, installation.now)
        installation.passes(MINUTE)

    minute(timedelta(0))
    for _ in range(9):
        minute(ahead)
    assert installation.titles() == []
    for _ in range(3):
        minute(ahead)
    title = f"The clock is {words} the time that services give; set it right"
    assert installation.titles() == [title]
    for _ in range(12):
        minute(timedelta(0))
    assert installation.titles() == [title, f"Over: {title}"]


def test_what_lasts_is_told_again_once_a_day(installation: Operated) -> None:
    installation.takes_messages = True
    installation.block_publishing()
    for _ in range(9):
        installation.passes(8 * HOUR)
    title, *again = installation.titles()
    assert again == [f"Still: {title}", f"Still: {title}"]


def test_what_comes_and_goes_is_not_told_each_time(installation: Operated) -> None:
    installation.takes_messages = True
    for _ in range(9):
        installation.block_publishing()
        installation.passes(MINUTE)
        installation.let_publish()
        for _ in range(3):
            installation.passes(5 * MINUTE)
    # Away for ten minutes, then for an hour, which it never was.
    assert [title.split(":")[0] for title in installation.titles()] == [
        "Feeds cannot be written",
        "Over",
        "Feeds cannot be written",
    ]
    for _ in range(13):
        installation.passes(5 * MINUTE)
    assert installation.titles()[-1].startswith("Over")
    for _ in range(26):
        installation.passes(HOUR)
    assert installation.incidents() == []


def test_a_machine_that_was_off_neither_finds_nor_ends_a_trouble(installation: Operated) -> None:
    installation.block_publishing()
    installation.passes(MINUTE)
    installation.let_publish()
    assert installation.was_off(DAY).troubles == ()
    assert len(installation.titles()) == 1
    installation.minutes(12)
    assert installation.titles()[1].startswith("Over")
    assert len(installation.titles()) == 2


def test_what_is_on_another_machine_is_ended_by_that_machine_alone(installation: Operated) -> None:
    installation.takes_messages = True
    installation.block_publishing()
    installation.passes(MINUTE)
    with installation.engine.begin() as connection:
        connection.execute(update(Incident).values(host="elsewhere"))
    installation.let_publish()
    installation.minutes(15)
    assert len(installation.titles()) == 1
    # One that was taken away for good.
    installation.passes(8 * DAY)
    assert len(installation.titles()) == 2


def test_two_looks_at_once_tell_once(installation: Operated) -> None:
    installation.block_publishing()
    with ThreadPoolExecutor(4) as pool:
        for look in [pool.submit(installation.look) for _ in range(8)]:
            look.result()
    assert len(installation.titles()) == 1


def test_nobody_hears_of_the_installation_who_did_not_ask(installation: Operated, phone: WebhookSink) -> None:
    with WebhookSink() as sink:
        installation.target(sink, "curious", role=None)
        installation.subscribe("curious", "operator.*")
        installation.target(sink, "vague", role=None)
        installation.subscribe("vague", "*.recovered", "!campaign.*", "*")
        installation.block_publishing()
        installation.minutes(2)
    assert installation.titles("phone") == installation.titles("vague") == []
    assert installation.titles("curious") == installation.titles("admin")
    assert len(installation.titles("admin")) == 1


def test_a_database_that_takes_nothing_is_no_silence(installation: Operated, caplog: pytest.LogCaptureFixture) -> None:
    installation.block_publishing()
    with installation.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON incidents FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    with pytest.raises(Exception, match="disk_full"):
        installation.passes(MINUTE)
    assert "Feeds cannot be written" in caplog.text


def test_an_event_of_the_installation_is_on_no_feed(installation: Operated) -> None:
    installation.block_publishing()
    installation.passes(MINUTE)
    with installation.engine.connect() as connection:
        kinds = connection.scalars(select(Event.kind)).all()
        assert len(kinds) == 1
        assert not is_public(kinds[0], silent=False)
        assert connection.scalars(select(Delivery.subscription_ids)).all() == [[]]


def test_where_nobody_hears_of_it_nothing_is_written_and_a_new_operator_is_told_what_lasts(
    engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    installation = operated(engine, vault, tmp_path)
    installation.target(None, "phone", role=None)
    installation.subscribe("phone")
    installation.block_publishing()
    installation.minutes(3)
    with engine.connect() as connection:
        assert connection.execute(select(Event.id)).all() == []
    assert len(installation.incidents()) == 1
    installation.target()
    installation.minutes(2)
    assert [title.split(":")[0] for title in installation.titles()] == ["Feeds cannot be written"]
    assert installation.titles("phone") == []


def test_a_transaction_that_stays_open_is_told_since_followers_of_events_wait_for_it() -> None:
    machine = Machine(host="here")
    facts = Facts(now=NOON, ticking_since=NOON - DAY, machine=machine, signs_of_life={}, open_for=timedelta(minutes=5))

    (trouble,) = judge(facts)

    assert trouble.headline == (
        "A transaction of the database stands still: nobody who follows events hears of any until it ends"
    )
    assert not trouble.stops_work
    assert judge(msgspec.structs.replace(facts, open_for=timedelta(seconds=29))) == ()
