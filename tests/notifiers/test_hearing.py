"""What is heard of a service that answers late, in bits, wrongly or never."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from notifiers.apprise_urls import load
from notifiers.errors import DeliveryError
from notifiers.hearing import PATIENCE, Patience
from notifiers.render import plain_message
from notifiers.send import send
from tests.notifiers import stubborn
from tests.notifiers.authority import authority
from tests.notifiers.stubborn import (
    Conduct,
    Stubborn,
    answers,
    drips,
    hangs,
    hangs_up,
    repeats,
    says,
    serving_mail,
    serving_web,
    waits_for,
)
from tests.waiting import wait_for

pytestmark = pytest.mark.long

MESSAGE = plain_message("New drops", "Rust")
# Short where a test waits for its end.
SHORT = Patience(http_answer=0.2, http_body=60, mail_end=0.2)
SHORT_OF_BODIES = Patience(http_answer=60, http_body=0.2)
# What a test never waits for.
LONG = Patience(http_answer=60, http_body=60, mail_command=60, mail_data=60, mail_end=60)

TELEGRAM = "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"


@pytest.fixture(params=["webhook", "ntfy", "discord", "telegram"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator["Web"]:
    with ExitStack() as stack:
        yield Web(request.param, monkeypatch, stack)


class Web:
    """A service that a server of ours plays."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._name, self._monkeypatch, self._stack = name, monkeypatch, stack

    def served(self, *conducts: Conduct) -> tuple[Stubborn, str]:
        server = self._stack.enter_context(stubborn.web(*conducts))
        address = server.url("http", "")
        if self._name in {"discord", "telegram"}:
            self._lead_to(address)
        urls = {"webhook": server.url(), "ntfy": server.url("ntfy", "/loot"), "discord": DISCORD, "telegram": TELEGRAM}
        return server, urls[self._name]

    def _lead_to(self, address: str) -> None:
        load()
        from apprise.plugins.discord import NotifyDiscord
        from apprise.plugins.telegram import NotifyTelegram

        # Their addresses cannot be given in a target.
        self._monkeypatch.setattr(NotifyDiscord, "notify_url", f"{address}/api/webhooks")
        self._monkeypatch.setattr(NotifyTelegram, "notify_url", f"{address}/bot")


def refused(url: str, patience: Patience = LONG) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(url, MESSAGE, patience, may_be_private=True)
    return caught.value


def test_the_waits_are_those_of_the_protocols() -> None:
    assert (PATIENCE.mail_end, PATIENCE.mail_data, PATIENCE.mail_block) == (600, 120, 180)
    assert (PATIENCE.mail_command, PATIENCE.http_answer) == (300, 120)


def test_a_service_that_answers_late_is_waited_for(service: Web) -> None:
    may_answer = Event()
    server, url = service.served(waits_for(may_answer, answers(200)))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, url, MESSAGE, LONG, may_be_private=True)
        may_answer.set()
        sending.result()
    assert len(server.received) == 1


def test_a_mail_server_that_accepts_late_is_waited_for() -> None:
    may_answer = Event()
    with stubborn.mail(waits_for(may_answer, says(stubborn.MAIL_TAKEN))) as server, ThreadPoolExecutor(1) as pool:
        # The server's other replies have a fraction of that time.
        sending = pool.submit(send, server.mail_url(), MESSAGE, Patience(mail_end=60, connect=0.5), may_be_private=True)
        with pytest.raises(TimeoutError):
            sending.result(0.7)
        may_answer.set()
        sending.result()
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "conduct",
    [
        hangs,
        hangs_up,
        drips(b"HTTP/1.1 200 OK\r\nX-Drip: "),
        repeats(b"HTTP/1.1 100 Go\r\n\r\n"),
        says(b"HTTP/1.1 20"),
        says(b"HTTP/1.1 100 Go\r\n\r\n"),
    ],
)
def test_what_a_service_took_without_an_answer_may_have_arrived(service: Web, conduct: Conduct) -> None:
    server, url = service.served(conduct)
    error = refused(url, SHORT)
    assert error.unanswered
    assert not error.permanent
    assert error.reason == "the service took the message and never answered; it may have arrived"
    assert len(server.received) == 1


@pytest.mark.parametrize("conduct", [hangs, hangs_up, drips(b"250-"), repeats(b"250-yes\r\n")])
def test_a_mail_without_an_answer_after_its_end_may_have_arrived(conduct: Conduct) -> None:
    with stubborn.mail(conduct) as server:
        error = refused(server.mail_url(), SHORT)
    assert error.unanswered
    assert error.reason == "the mail server took the message and never answered; it may have arrived"
    assert len(server.received) == 1


@pytest.mark.parametrize("command", ["connect", "ehlo", "mail", "rcpt", "data"])
def test_a_mail_server_that_hangs_up_before_the_end_has_not_taken_it(command: str) -> None:
    with stubborn.mail(**{command: b"2"}) as server:
        error = refused(server.mail_url(), Patience(mail_command=0.2, mail_data=0.2))
    assert not error.unanswered
    assert error.reason == "the service could not be reached or did not answer in time"
    assert server.received == []


def test_where_nothing_listens_the_message_says_so() -> None:
    with stubborn.web() as server:
        nobody = server.url()
    assert refused(nobody).reason == "the service could not be reached: nothing listens at its address"


def test_a_mail_server_that_is_not_there_is_said_so() -> None:
    with stubborn.mail() as server:
        nobody = server.mail_url()
    assert refused(nobody).reason == "the service could not be reached: nothing listens at its address"


@pytest.mark.parametrize(
    "url", ["jsons://nowhere.invalid/hook", "mailto://nowhere.invalid/?from=a@example.org&to=b@example.org"]
)
def test_a_host_without_an_address_is_said_without_its_name(url: str) -> None:
    assert refused(url).reason == "the service could not be reached: the name of its host cannot be looked up"


def test_a_service_whose_certificate_nobody_knows_is_said_so(tmp_path: Path) -> None:
    with serving_web(Stubborn([], tls=authority(tmp_path, [])[0], is_encrypted=True)) as server:
        reason = refused(server.url("jsons")).reason
    assert reason == "the service could not be reached: its certificate is not valid (self-signed certificate)"


@pytest.mark.parametrize(("mode", "is_encrypted"), [("ssl", True), ("starttls", False)])
def test_a_mail_server_whose_certificate_nobody_knows_is_said_so(mode: str, is_encrypted: bool, tmp_path: Path) -> None:
    with serving_mail(Stubborn([], tls=authority(tmp_path, [])[0], is_encrypted=is_encrypted)) as server:
        reason = refused(server.mail_url().replace("mode=insecure", f"mode={mode}")).reason
    assert reason == "the service could not be reached: its certificate is not valid (self-signed certificate)"


@pytest.mark.parametrize(
    ("user", "mode", "lacking"),
    [("joe:secret", "insecure", "no login (AUTH)"), ("", "starttls", "no encryption (STARTTLS)")],
)
def test_what_a_mail_server_does_not_offer_is_said_so(user: str, mode: str, lacking: str) -> None:
    with stubborn.mail(ehlo=b"250 stubborn\r\n") as server:
        error = refused(server.mail_url(user).replace("mode=insecure", f"mode={mode}"))
    assert error.reason.startswith(f"the mail server offers {lacking}; ")
    assert not error.permanent
    assert server.received == []


def test_a_service_that_speaks_no_tls_is_said_so() -> None:
    with stubborn.mail() as server:
        reason = refused(server.url("jsons")).reason
    assert reason == "the service could not be reached: it does not speak TLS as we do"


def test_a_mail_server_that_took_a_mail_and_hangs_up_has_it() -> None:
    with stubborn.mail(quit=b"") as server:
        send(server.mail_url(), MESSAGE, Patience(mail_quit=0.1), may_be_private=True)
    assert len(server.received) == 1


def test_a_service_that_could_not_be_reached_took_nothing() -> None:
    assert not refused("json://127.0.0.1:9/x").unanswered
    assert not refused("mailto://127.0.0.1:9/?from=a@example.org&to=b@example.org&mode=insecure").unanswered


@pytest.mark.parametrize(
    "answer",
    [
        says(b"HTTP/1.1 200"),
        says(b"HTTP/1.1 200 OK\r\n"),
        says(b"HTTP/1.1 200 OK\r\nContent-Le"),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        drips(b"HTTP/1.1 200 OK\r\n\r\n{"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number"),
        says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip"),
        says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + gzip.compress(gzip.compress(b"{}"))),
        says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(10_000_000))),
        says(b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000),
    ],
)
def test_a_good_status_is_an_answer_whatever_becomes_of_its_headers_and_its_body(service: Web, answer: Conduct) -> None:
    server, url = service.served(answer)
    send(url, MESSAGE, SHORT_OF_BODIES, may_be_private=True)
    assert len(server.received) == 1


def test_a_service_whose_good_answer_is_in_its_body_may_have_taken_the_message() -> None:
    """Slack's own answer is in the JSON; a 200 alone says nothing."""
    with (
        stubborn.web(says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        load()
        from apprise.plugins.slack import NotifySlack

        patch.setattr(NotifySlack, "api_url", server.url("http", "/{}"))
        error = refused("slack://xoxb-1234-1234-abc123/#loot", SHORT_OF_BODIES)
    assert error.unanswered


def test_threads_that_send_at_once_hear_their_own_answers() -> None:
    statuses = [401, 500, 429, 404, 503, 403] * 3
    with ExitStack() as stack, ThreadPoolExecutor(len(statuses)) as pool:
        together = Event()
        servers = [stack.enter_context(stubborn.web(waits_for(together, answers(status)))) for status in statuses]
        sending = [pool.submit(refused, server.url()) for server in servers]
        together.set()
        errors = [future.result().reason for future in sending]
    assert [int(reason.split("HTTP ")[1][:3]) for reason in errors] == statuses


def test_targets_that_hang_use_up_nothing_that_another_needs() -> None:
    """Apprise's own time limit has a handful of threads for all targets of a process."""
    over, count = Event(), 40
    deaf = stubborn.web(waits_for(over, hangs_up))
    with deaf as server, stubborn.web(answers(200)) as healthy, ThreadPoolExecutor(count) as pool:
        hanging = [pool.submit(refused, server.url(), LONG) for _ in range(count)]
        wait_for(lambda: len(server.received) == count)
        send(healthy.url(), MESSAGE, LONG, may_be_private=True)
        assert not any(future.done() for future in hanging)
        over.set()


def test_a_service_is_not_asked_again_in_the_rest_that_it_asked_for(service: Web) -> None:
    server, url = service.served(
        answers(429, b'{"retry_after": 3600}', X_RateLimit_Remaining="0", X_RateLimit_Reset="9999999999")
    )
    assert refused(url).retry_after == timedelta(hours=1)
    assert len(server.received) == 1


@pytest.mark.parametrize("text", ["3600", "Wed, 25 Nov 2026 13:00:00 GMT"])
def test_retry_after_is_heard_in_seconds_and_as_a_date_of_the_services_clock(service: Web, text: str) -> None:
    _, url = service.served(answers(503, b"<html>", Date="Wed, 25 Nov 2026 12:00:00 GMT", Retry_After=text))
    assert refused(url).retry_after == timedelta(hours=1)


def test_discord_says_beforehand_that_nothing_is_left() -> None:
    with stubborn.web(answers(204, b"", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="1800.5")) as server:
        assert send(server.url(), MESSAGE, LONG, may_be_private=True) == timedelta(seconds=1800.5)


def test_telegram_says_it_in_its_parameters() -> None:
    body = b'{"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 35}}'
    with stubborn.web(answers(429, body)) as server:
        assert refused(server.url()).retry_after == timedelta(seconds=35)
