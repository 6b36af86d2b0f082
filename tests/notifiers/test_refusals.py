"""What an answer means, and what of a service's own words may be shown."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from notifiers.answers import HttpAnswer, MailReply
from notifiers.redaction import WORDS_LENGTH, safe_words
from notifiers.refusals import http_refusal, mail_refusal
from notifiers.rests import asked_rest, is_for_all
from notifiers.send import send
from tests.notifiers import stubborn
from tests.notifiers.stubborn import answers, says
from tests.notifiers.test_hearing import LONG, MESSAGE, refused
from tests.notifiers.world import Notifying

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
URL = "mailto://ann:s3cr3t-pw@smtp.example.org:587/?from=loot@example.org&to=bob.smith@example.net&+X-Key=k3yk3y"
FINAL = [
    (550, "5.1.1 User unknown"),
    (550, "no such user"),
    (550, "5.4.1 Recipient address rejected: Access denied"),
    (551, "User not local"),
    (553, "mailbox name not allowed"),
    (554, "5.7.1 Relay access denied"),
    (554, "Transaction failed"),
    (535, "5.7.8 Authentication credentials invalid"),
    (530, "5.7.0 Must issue a STARTTLS command first"),
    (500, "what?"),
    (521, "does not accept mail"),
    (556, "domain does not accept mail"),
]
PASSING = [
    (421, "4.7.0 try again later"),
    (450, "4.2.0 greylisted"),
    (451, "local error"),
    (452, "4.2.2 mailbox full"),
    (550, "5.2.2 mailbox full"),
    (552, "5.2.2 over quota"),
    (550, "4.7.1 a server that contradicts itself"),
    (554, "5.3.1 mail system full"),
]
TOO_LONG = [(552, "message too big"), (552, "5.3.4 too big"), (554, "5.3.4 too big"), (550, "5.2.3 too long")]


@pytest.mark.parametrize(("code", "words"), FINAL)
def test_a_mail_servers_final_refusal_is_final(code: int, words: str) -> None:
    error = mail_refusal(MailReply(code, words), URL)
    assert (error.permanent, error.too_long) == (True, False)
    assert error.reason == f"the mail server answered with {code}: {words}"


@pytest.mark.parametrize(("code", "words"), PASSING)
def test_a_mail_servers_passing_refusal_passes(code: int, words: str) -> None:
    error = mail_refusal(MailReply(code, words), URL)
    assert (error.permanent, error.too_long) == (False, False)


@pytest.mark.parametrize(("code", "words"), TOO_LONG)
def test_a_mail_that_is_too_long_may_be_sent_shorter(code: int, words: str) -> None:
    error = mail_refusal(MailReply(code, words), URL)
    assert (error.permanent, error.too_long) == (False, True)


@pytest.mark.parametrize("command", ["connect", "mail", "rcpt", "data"])
def test_a_final_refusal_is_heard_at_each_step_of_a_mail(command: str) -> None:
    with stubborn.mail(**{command: b"554-5.7.1 We do not\r\n554 5.7.1 like you\r\n"}) as server:
        error = refused(server.mail_url())
    assert error.permanent
    assert error.reason == "the mail server answered with 554: 5.7.1 We do not 5.7.1 like you"


def test_a_final_refusal_after_the_end_of_a_mail_is_final() -> None:
    with stubborn.mail(says(b"550 5.7.1 spam\r\n")) as server:
        error = refused(server.mail_url())
    assert (error.permanent, error.unanswered) == (True, False)


def test_a_refused_password_is_final_and_not_repeated() -> None:
    echo = b64encode(b"\0ann\0s3cr3t-pw")
    with stubborn.mail(auth=b"535 5.7.8 no: " + echo + b" s3cr3t-pw\r\n") as server:
        error = refused(server.mail_url("ann:s3cr3t-pw"))
    assert error.permanent
    assert error.reason == "the mail server answered with 535: 5.7.8 no: … …"


def test_a_passing_refusal_that_ends_the_connection_is_the_reason() -> None:
    with stubborn.mail(rcpt=b"421 4.3.2 shutting down\r\n") as server:
        assert refused(server.mail_url()).reason == "the mail server answered with 421: 4.3.2 shutting down"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("<bob.smith@example.net>: Recipient address rejected", "<…>: Recipient address rejected"),
        ("user bob.smith unknown at mx7.example.net", "user … unknown at …"),
        ("password s3cr3t-pw, S3CR3T-PW and czNjcjN0LXB3", "password …, … and …"),
        ("k3yk3y is wrong", "… is wrong"),
        ("client host [192.0.2.7] blocked, see https://block.example/?ip=192.0.2.7", "client host … blocked, see …"),
        ("[2001:db8::1] or 10.0.0.1", "… or …"),
        ("token AbCdEf0123456789AbCdEf0123456789 expired", "token … expired"),
        ("one\r\nBcc: two\x00\x1b[31m three", "one Bcc: two [31m three"),
    ],
)
def test_a_services_words_hold_nothing_of_the_address(words: str, shown: str) -> None:
    assert safe_words(words, URL) == shown


def test_a_services_words_are_cut() -> None:
    assert len(safe_words("no " * 5000, URL)) <= WORDS_LENGTH


def test_a_web_services_words_are_shown_where_we_have_none() -> None:
    body = b'{"ok": false, "error_code": 400, "description": "Bad Request: chat not found"}'
    with stubborn.web(answers(400, body)) as server:
        assert refused(server.url()).reason == "the service answered with HTTP 400: Bad Request: chat not found"


def test_of_several_refusals_the_last_is_shown_and_all_must_be_final() -> None:
    gone, busy = HttpAnswer(status=404), HttpAnswer(status=503, rest=timedelta(minutes=5))
    error = http_refusal([gone, busy], URL, is_ntfy=False)
    assert (error.permanent, error.retry_after) == (False, timedelta(minutes=5))
    assert http_refusal([gone, gone], URL, is_ntfy=False).permanent


@pytest.mark.parametrize(
    ("status", "headers", "document", "seconds"),
    [
        (429, {"Retry-After": "120"}, {}, 120),
        (503, {"Retry-After": "86400"}, {}, 86400),
        (503, {"Retry-After": "864000000"}, {}, 86400),
        (503, {"Retry-After": "1e400"}, {}, 86400),
        (503, {"Retry-After": format_datetime(NOON + timedelta(hours=2))}, {}, 7200),
        (503, {"Retry-After": format_datetime(NOON + timedelta(days=400))}, {}, 86400),
        (503, {"Retry-After": format_datetime(NOON - timedelta(hours=2))}, {}, None),
        (503, {"Retry-After": "soon"}, {}, None),
        (503, {"Retry-After": "-5"}, {}, None),
        (503, {"Retry-After": "nan"}, {}, None),
        (503, {"Retry-After": ""}, {}, None),
        # A service's and its proxy's, as requests joins headers of one name.
        (503, {"Retry-After": "60, 3600"}, {}, 3600),
        (503, {"Retry-After": "soon, 60"}, {}, 60),
        (503, {}, {}, None),
        # Discord's header is in seconds, whatever its other two are in.
        (429, {"Retry-After": "64570", "X-RateLimit-Reset-After": "64.57"}, {"retry_after": 64570}, 64.57),
        (429, {}, {"retry_after": 64.57}, 64.57),
        (429, {}, {"parameters": {"retry_after": 35}}, 35),
        (429, {}, {"retry_after_ms": 2500}, 2.5),
        (429, {"Retry-After": "10"}, {"retry_after": 20}, 20),
        (429, {}, {"retry_after": True, "parameters": [1]}, None),
        (429, {}, {"retry_after": {"a": 1}}, None),
        (204, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "2"}, {}, 2),
        (204, {"X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "2"}, {}, None),
        (200, {"Retry-After": "120"}, {"retry_after": 5}, None),
    ],
)
def test_a_rest_is_read_wherever_services_write_it_and_is_a_day_at_most(
    status: int, headers: dict[str, str], document: dict[str, object], seconds: float | None
) -> None:
    rest = asked_rest(status, headers, document, NOON)
    assert rest == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "headers", "document", "expected"),
    [
        (429, {}, {"retry_after": 1.5, "global": True}, True),
        (429, {"X-RateLimit-Global": "true"}, {}, True),
        (429, {"X-RateLimit-Scope": "global"}, {}, True),
        (429, {"X-RateLimit-Scope": "user"}, {"global": False}, False),
        (429, {}, {"global": "yes"}, False),
        (503, {"X-RateLimit-Global": "true"}, {"global": True}, False),
    ],
)
def test_a_global_limit_concerns_all_that_is_sent_there(
    status: int, headers: dict[str, str], document: dict[str, object], expected: bool
) -> None:
    assert is_for_all(status, CaseInsensitiveDict(headers), document) is expected


def test_a_dates_clock_is_the_services_own() -> None:
    headers = {"Date": format_datetime(NOON - timedelta(days=9)), "Retry-After": format_datetime(NOON)}
    assert asked_rest(503, headers, {}, NOON) == timedelta(days=1)


def test_why_names_the_mail_servers_words_and_the_message_is_dead(world: Notifying) -> None:
    with stubborn.mail(rcpt=b"550 5.1.1 <ann@example.org>: unknown\r\n") as server:
        world.target("mail", server.mail_url())
        world.event()
        assert world.deliver().dead == 1
    (row,) = world.deliveries()
    assert (row.state, row.last_error) == ("dead", "the mail server answered with 550: 5.1.1 <…>: unknown")


def test_a_service_that_takes_a_message_says_nothing_of_a_rest() -> None:
    with stubborn.web(answers(200)) as server:
        assert send(server.url(), MESSAGE, LONG, may_be_private=True) is None
