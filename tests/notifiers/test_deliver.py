import multiprocessing
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text, update

from models import Event
from models.vault import Vault
from notifiers import check, deliveries
from notifiers.deliver import DeliverySummary, Sender
from notifiers.errors import DeliveryError, TargetError
from notifiers.outbox import FEW
from notifiers.render import plain_message
from notifiers.send import send
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.notifiers.world import HOSTILE, NOON, Notifying, full_event, hook_url, mail_url
from tests.processes import children
from tests.sending import deliver_due
from tests.silent import silent_server

SECRET = "s3cr3t"
# PostgreSQL takes neither U+0000 nor lone surrogates.
STORABLE = HOSTILE.replace("\x00", "").replace("\ud800", "")


def sent(**counts: int) -> DeliverySummary:
    return DeliverySummary(**counts)


def test_a_mail_arrives_with_subject_text_and_html(world: Notifying, mails: MailSink) -> None:
    world.target("mail", mail_url(mails))
    event = full_event()
    world.event(event.title, detail=event.detail)
    assert world.deliver() == sent(messages=1, sent=1)
    (mail,) = mails.wait_for(1)
    assert (mail.subject, mail.to) == ("New drops: Rust 40", ("ann@example.org",))
    for part in (mail.text, mail.html):
        assert "Ends" in part
        assert "Fri 27 Nov, 12:00 UTC (in 7 days)" in part
    # A reader of the text part needs the address too.
    assert "https://www.twitch.tv/drops/campaigns?dropID=a&x=1" in mail.text
    assert "- Cool hat (Hat, 60 min)" in mail.text
    assert '<b>Cool hat</b> <span class="note">(Hat, 60 min)</span>' in mail.html
    assert "You get this because of “mail: everything”." in mail.text
    assert "prefers-color-scheme" in mail.html


def test_a_web_hook_arrives_with_title_and_text_and_no_picture_from_elsewhere(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target("hook", hook_url(hooks))
    world.event("New drops: Rust 40", detail=full_event().detail)
    assert world.deliver() == sent(messages=1, sent=1)
    (hook,) = hooks.wait_for(1)
    assert hook.path == "/hook"
    assert hook.json["title"] == "New drops: Rust 40"
    assert "- Hat (60 min): Cool hat" in hook.json["message"]
    assert b"github" not in hook.body
    (row,) = world.deliveries()
    assert (row.state, row.sent_at, row.last_error, row.lease_until) == ("sent", NOON, None, None)
    assert world.deliver() == sent()


def test_a_chat_without_a_title_field_gets_the_title_in_the_body(world: Notifying, hooks: WebhookSink) -> None:
    world.target("chat", hooks.url.replace("http://", "mmost://") + "/abcdefghijklmnopqrstuvwx")
    world.event(STORABLE)
    world.deliver()
    (hook,) = hooks.wait_for(1)
    first_line = hook.json["text"].splitlines()[0]
    assert first_line.startswith("@\u200beveryone @\u200bhere")
    assert "](" not in first_line


def test_a_burst_arrives_as_one_message(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    for n in range(5):
        world.event(f"Event {n}")
    assert world.deliver() == sent(messages=1, sent=5)
    (hook,) = hooks.messages
    assert hook.json["title"] == "5 new campaigns"
    assert hook.json["message"].splitlines() == [f"- Event {n}" for n in range(5)]


def test_a_new_line_in_a_title_brings_no_header_into_a_mail(world: Notifying, mails: MailSink) -> None:
    world.target("mail", mail_url(mails))
    world.event("Loot\r\nBcc: victim@example.org\r\n\r\nbody\x0b\x85\u2028X-Evil: 1")
    world.deliver()
    (mail,) = mails.wait_for(1)
    assert mail.to == ("ann@example.org",)
    headers = mail.raw.split(b"\r\n\r\n", 1)[0].lower()
    assert b"\nbcc" not in headers
    assert b"\nx-evil" not in headers
    assert mail.subject == "Loot Bcc: victim@\u200bexample.org body X-Evil: 1"


@pytest.mark.parametrize("letter", ["a", "ö", "로", "🎁", "ö "])
def test_a_very_long_title_still_arrives(world: Notifying, mails: MailSink, hooks: WebhookSink, letter: str) -> None:
    world.target("mail", mail_url(mails))
    world.target("hook", hook_url(hooks))
    world.event(letter * 4000)
    assert world.deliver() == sent(messages=2, sent=2)
    (mail,), (hook,) = mails.wait_for(1), hooks.wait_for(1)
    assert 190 < len(hook.json["title"]) <= 200
    assert mail.subject.endswith("…")
    assert 60 < len(mail.subject) <= 200
    # A mail server need not take more.
    assert max(len(line) for line in mail.raw.splitlines()) < 998


def test_a_server_error_is_tried_again_after_a_pause(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    world.event()
    hooks.fail_next(1, 500)
    assert world.deliver() == sent(messages=1, failed=1)
    (row,) = world.deliveries()
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "the service answered with HTTP 500")
    assert timedelta(seconds=5) <= row.next_attempt_at - NOON <= timedelta(seconds=30)
    world.now = row.next_attempt_at
    assert world.deliver() == sent(messages=1, sent=1)
    assert len(hooks.messages) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_that_time_does_not_cure_is_dead_at_once(world: Notifying, hooks: WebhookSink, status: int) -> None:
    world.target("hook", hook_url(hooks))
    world.event()
    world.event()
    hooks.fail_next(1, status)
    assert world.deliver() == sent(messages=1, dead=2)
    assert {row.state for row in world.deliveries()} == {"dead"}
    assert {row.last_error.split(":")[0] for row in world.deliveries()} == {f"the service answered with HTTP {status}"}


@pytest.mark.parametrize("status", [400, 408, 422, 429, 500, 502, 503])
def test_any_other_refusal_may_pass(world: Notifying, hooks: WebhookSink, status: int) -> None:
    world.target("hook", hook_url(hooks))
    world.event()
    hooks.fail_next(1, status)
    assert world.deliver() == sent(messages=1, failed=1)


def test_what_a_busy_service_did_not_take_comes_again_as_the_message_that_it_was(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target(url=hook_url(hooks))
    for number in range(5):
        world.event(f"New campaign {number}")
    hooks.fail_next(1, 503)
    assert world.deliver() == sent(messages=1, failed=5)
    world.later(minutes=10)
    assert world.deliver() == sent(messages=1, sent=5)
    assert [message.json["title"] for message in hooks.messages] == ["5 new campaigns"]


def test_what_a_service_refuses_for_its_own_sake_goes_alone_from_then_on(world: Notifying, hooks: WebhookSink) -> None:
    world.target(url=hook_url(hooks))
    for number in range(3):
        world.event(f"New campaign {number}")
    hooks.fail_next(1, 409)
    assert world.deliver() == sent(messages=1, failed=3)
    world.later(minutes=10)
    assert world.deliver() == sent(messages=3, sent=3)


def test_where_a_service_stays_away_one_message_tries_and_then_the_rest_comes_whole(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target(url=hook_url(hooks))
    for number in range(5):
        world.event(f"New campaign {number}")
    hooks.fail_next(FEW, 503)
    for _ in range(FEW):
        world.deliver()
        world.later(hours=1)
    summary = world.deliver()
    world.later(hours=1)
    again = world.deliver()
    assert (summary.sent + again.sent, summary.messages + again.messages) == (5, 2)


def test_a_redirect_is_not_followed(hooks: WebhookSink) -> None:
    hooks.fail_next(1, 307)
    with pytest.raises(DeliveryError, match="HTTP 307: it redirects") as caught:
        send(hook_url(hooks), plain_message("a", "b"), may_be_private=True)
    assert not caught.value.permanent


def test_a_dead_delivery_is_sent_when_it_is_replayed(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    world.event()
    hooks.fail_next(1, 404)
    world.deliver()
    world.later(days=3)
    with world.engine.begin() as connection:
        assert deliveries.replay(connection, world.now) == 1
    assert world.deliver() == sent(messages=1, sent=1)


def test_one_target_that_fails_does_not_keep_the_others(world: Notifying, hooks: WebhookSink, mails: MailSink) -> None:
    world.target("a", "json://127.0.0.1:9/nobody-listens")
    world.target("b", mail_url(mails))
    world.target("c", hook_url(hooks))
    world.event()
    assert world.deliver() == sent(messages=3, sent=2, failed=1)
    assert world.deliveries()[0].last_error == "the service could not be reached: nothing listens at its address"


def test_a_refused_login_is_told_by_its_code(world: Notifying) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        refusing = pool.submit(_refuse_mail, server)
        url = f"mailto://127.0.0.1:{server.getsockname()[1]}/?from=a@example.org&to=b@example.org&mode=insecure"
        with pytest.raises(DeliveryError, match="the mail server answered with 554") as caught:
            send(url, plain_message("a", "b"), may_be_private=True)
        refusing.result()
    assert caught.value.permanent


def _refuse_mail(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"554 go away error=404\r\n")
        connection.recv(100)


def test_delivering_stops_at_its_limit_and_at_its_time(world: Notifying, hooks: WebhookSink) -> None:
    for name in "abcd":
        world.target(name, hook_url(hooks))
    world.event()
    assert world.deliver(limit=2) == sent(messages=2, sent=2)
    summary = deliver_due(world.engine, world.vault, lambda: world.now, within=timedelta(0))
    assert summary.messages == 0
    assert world.deliver().messages == 2


def test_workers_at_once_send_each_message_once(world: Notifying, hooks: WebhookSink) -> None:
    for name in "abcdef":
        world.target(name, hook_url(hooks, f"/{name}"))
    for _ in range(3):
        world.event()
    with ThreadPoolExecutor(4) as pool:
        summaries = [future.result() for future in [pool.submit(world.deliver) for _ in range(4)]]
    assert sum(summary.sent for summary in summaries) == 18
    assert sorted(hook.path for hook in hooks.messages) == [f"/{name}" for name in "abcdef"]


def test_a_worker_that_is_killed_while_sending_loses_nothing(world: Notifying, hooks: WebhookSink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.target("hook", f"json://127.0.0.1:{silent.getsockname()[1]}/")
        world.event()
        context = multiprocessing.get_context("spawn")
        url = world.engine.url.render_as_string(hide_password=False)
        worker = context.Process(target=_deliver_at_noon, args=(url, world.vault.path))
        worker.start()
        connection, _ = silent.accept()
        worker.kill()
        worker.join()
        connection.close()
    (row,) = world.deliveries()
    assert (row.state, row.attempts) == ("sending", 1)
    assert world.deliver() == sent()
    world.change_target("hook", url_encrypted=world.vault.encrypt(hook_url(hooks)))
    world.now = row.lease_until
    assert world.deliver() == sent(messages=1, sent=1)
    assert len(hooks.messages) == 1


def _deliver_at_noon(database_url: str, key_file: Path) -> None:
    from sqlalchemy import create_engine

    deliver_due(create_engine(database_url), Vault.open(key_file), lambda: NOON)


@pytest.fixture
def sender(world: Notifying) -> Iterator[Sender]:
    opened = Sender(world.engine, world.vault, world.clock, lanes=80)
    yield opened
    opened.finish(timedelta(0))


def send_until(sender: Sender, condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    sender.send_due(is_stopping=lambda: bool(condition()) or time.monotonic() > until)
    assert condition()


def test_fifty_targets_that_hang_hold_up_neither_each_other_nor_a_healthy_one(
    world: Notifying, hooks: WebhookSink, sender: Sender
) -> None:
    with silent_server() as (url, taken):
        for number in range(50):
            world.target(f"hang {number}", url)
        world.event()
        send_until(sender, lambda: len(taken) == 50)
        world.target("hook", hook_url(hooks))
        world.event()
        send_until(sender, lambda: hooks.messages)
        states = Counter(row.state for row in world.deliveries())
        # Each of those that hang has its second event waiting behind the first.
        assert (states["sending"] + states["sent"], states["pending"]) == (51, 50)


def test_a_healthy_target_has_a_lane_where_there_are_two_and_others_hang(world: Notifying, hooks: WebhookSink) -> None:
    sender = Sender(world.engine, world.vault, world.clock, lanes=2)
    world.target("hook", hook_url(hooks))
    world.event()
    send_until(sender, lambda: hooks.messages)
    with silent_server() as (url, taken):
        for number in range(2):
            world.target(f"hang {number}", url)
        world.event()
        send_until(sender, lambda: taken and len(hooks.messages) == 2)
        sender.send_due(within=timedelta(seconds=0.5))
        world.event()
        send_until(sender, lambda: len(hooks.messages) == 3)
        sender.finish(timedelta(0))


def test_a_lease_that_runs_out_while_its_message_is_under_way_sends_it_no_second_time(
    world: Notifying, hooks: WebhookSink, sender: Sender
) -> None:
    with silent_server() as (url, taken):
        world.target("slow", url)
        world.event()
        send_until(sender, lambda: taken)
        # Its lease is renewed now, and not again for a while.
        sender.send_due(within=timedelta(seconds=0.3))
        # The clock jumps, or the database was away for so long, or the machine slept.
        world.later(hours=1)
        world.target("hook", hook_url(hooks))
        world.event()
        send_until(sender, lambda: hooks.messages)
        taken[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        send_until(sender, lambda: len(taken) == 2)
    first = world.deliveries()[0]
    assert (first.state, first.attempts) == ("sent", 1)


def test_a_message_under_way_may_end_when_the_sender_is_asked_to_stop(
    world: Notifying, hooks: WebhookSink, sender: Sender
) -> None:
    with silent_server() as (url, taken):
        world.target("hang", url)
        world.event()
        send_until(sender, lambda: taken)
        world.target("hook", hook_url(hooks))
        assert sender.send_due(is_stopping=lambda: True) == sent()
        answer = Thread(target=taken[0].sendall, args=(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",))
        answer.start()
        assert sender.finish(timedelta(seconds=60)) == sent(sent=1)
        answer.join()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_sends_nothing_again_that_is_under_way(
    world: Notifying, hooks: WebhookSink, sender: Sender, hours: int
) -> None:
    with silent_server() as (url, taken):
        world.target("hang", url)
        world.event()
        send_until(sender, lambda: taken)
        world.target("hook", hook_url(hooks))
        world.event()
        # By then the lease of what hangs was renewed.
        send_until(sender, lambda: len(hooks.messages) == 1)
        world.later(hours=hours)
        world.event()
        send_until(sender, lambda: len(hooks.messages) == 2)
        assert sender.finish(timedelta(0)) == sent(failed=1)
    hung, *_ = world.deliveries()
    assert (hung.state, hung.attempts) == ("pending", 1)


def test_what_does_not_end_in_the_grace_is_tried_again_soon(world: Notifying, sender: Sender) -> None:
    with silent_server() as (url, taken):
        world.target("hang", url)
        world.event()
        send_until(sender, lambda: taken)
        assert sender.finish(timedelta(0)) == sent(failed=1)
    (row,) = world.deliveries()
    assert (row.state, row.last_error) == ("pending", "Lootwire was stopped before the service had answered")
    assert row.next_attempt_at - NOON <= timedelta(seconds=30)


def test_a_message_whose_process_is_killed_is_tried_again_soon_and_alone(world: Notifying, hooks: WebhookSink) -> None:
    before = set(children(os.getpid()))
    sender = Sender(world.engine, world.vault, world.clock, lanes=4)
    with silent_server() as (url, taken):
        world.target("hook", url)
        world.event()
        send_until(sender, lambda: taken)
        (lane,) = set(children(os.getpid())) - before
        os.kill(lane, signal.SIGKILL)
        assert sender.send_due() == sent(failed=1)
    (row,) = world.deliveries()
    assert "ended with signal 9" in row.last_error
    world.change_target("hook", url_encrypted=world.vault.encrypt(hook_url(hooks)))
    world.now = row.next_attempt_at
    assert sender.send_due() == sent(messages=1, sent=1)
    sender.finish(timedelta(0))


def test_no_secret_is_in_the_tables_the_logs_or_the_errors(
    world: Notifying, hooks: WebhookSink, logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    port = hooks.url.rsplit(":", 1)[1]
    for name, url in {
        "a": f"json://ann:{SECRET}@127.0.0.1:{port}/{SECRET}?+X-Key={SECRET}&-q={SECRET}",
        "b": f"ntfy://ann:{SECRET}@127.0.0.1:9/{SECRET}",
        "c": f"mailto://ann:{SECRET}@127.0.0.1:9/?from=a@example.org&to={SECRET}@example.org&mode=insecure",
        "d": f"gotify://127.0.0.1:{port}/{SECRET}",
    }.items():
        world.target(name, url)
    world.event()
    hooks.fail_next(2, 500)
    assert world.deliver() == sent(messages=4, failed=4)
    assert len(hooks.refused) == 2
    assert SECRET in hooks.refused[0].headers["x-key"]
    with world.engine.connect() as connection:
        stored = [connection.execute(text("SELECT t::text FROM targets t")).all()]
        stored += [connection.execute(text("SELECT d::text FROM deliveries d")).all()]
    world.later(minutes=1)
    assert SECRET not in str(stored)
    assert SECRET not in "".join(logged)
    assert SECRET not in "".join(capfd.readouterr())
    assert SECRET not in repr(world.claim(limit=9))
    assert "1 deliveries to a failed: the service answered with HTTP 500" in logged


def test_a_target_of_another_key_waits_with_a_clear_error(world: Notifying, hooks: WebhookSink, tmp_path: Path) -> None:
    world.target("hook", hook_url(hooks))
    world.event()
    right, world.vault = world.vault, Vault.open(tmp_path / "other-key")
    assert world.deliver() == sent(messages=1, failed=1)
    (row,) = world.deliveries()
    assert "put the key file back" in row.last_error
    world.vault, world.now = right, row.next_attempt_at
    assert world.deliver() == sent(messages=1, sent=1)


def test_an_address_that_is_no_longer_taken_waits_with_its_reason(world: Notifying) -> None:
    world.target("hook")
    world.change_target("hook", url_encrypted=world.vault.encrypt(f"file:///etc/{SECRET}"))
    world.event()
    assert world.deliver() == sent(messages=1, failed=1)
    (row,) = world.deliveries()
    assert "opens something on this computer" in row.last_error
    assert SECRET not in row.last_error


def test_a_hostile_event_goes_through_every_sink(world: Notifying, hooks: WebhookSink, mails: MailSink) -> None:
    world.target("hook", hook_url(hooks))
    world.target("mail", mail_url(mails))
    world.target("ntfy", hooks.url.replace("http://", "ntfy://") + "/topic")
    event_id = world.event(STORABLE)
    assert world.deliver() == sent(messages=3, sent=3)
    # As a tag; in the part of plain text it is text.
    assert "<script" not in mails.wait_for(1)[0].html
    assert world.event_ids("mail") == [event_id]


def test_a_test_message_arrives_right_away(world: Notifying, hooks: WebhookSink) -> None:
    world.target("phone", hook_url(hooks))
    check.try_target(world.engine, world.vault, "phone")
    assert hooks.messages[0].json["title"] == "Lootwire works"
    assert world.deliveries() == []


def test_a_test_message_that_fails_says_why(world: Notifying, hooks: WebhookSink, tmp_path: Path) -> None:
    world.target("phone", hook_url(hooks))
    hooks.fail_next(1, 401)
    with pytest.raises(DeliveryError, match="HTTP 401: the address's token or password is not accepted"):
        check.try_target(world.engine, world.vault, "phone")
    with pytest.raises(DeliveryError, match="put the key file back"):
        check.try_target(world.engine, Vault.open(tmp_path / "other"), "phone")
    with pytest.raises(TargetError, match="There are: phone"):
        check.try_target(world.engine, world.vault, "fone")


def test_a_time_that_no_zone_can_show_is_left_out_of_a_message(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    bad = world.event()
    with world.engine.begin() as connection:
        # A time that `datetime` cannot turn into UTC.
        detail = {"end_at": "0001-01-01T00:00:00+09:00"}
        connection.execute(update(Event).where(Event.id == bad).values(detail=detail))
    world.event("good")
    assert world.deliver() == sent(messages=1, sent=2)
